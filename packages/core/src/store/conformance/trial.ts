/** What a case works with: a store of its own, a clock, two tenants, and short ways to write and to look. */
import assert from 'node:assert/strict'
import { type TenantId, tenantId } from '@holdfast/protocol'
import type {
  CheckpointWrite,
  Commit,
  CommitOutcome,
  DraftChunk,
  DraftOutcome,
  DraftWrite,
  EventRange,
  LeaseRow,
  Segment,
  Store,
  StoredEvent,
} from '../store.ts'
import { type CommitInput, commitOf } from './build.ts'
import type { TestClock } from './clock.ts'
import { allEvents, dump } from './dump.ts'
import { type Committed, committed, same } from './expect.ts'
import type { OpenedPlace } from './fixture.ts'
import { Names } from './names.ts'

/** What a case says about a commit; tenant and base have defaults. */
export type CommitPart = Partial<CommitInput>

export class Trial {
  readonly clock: TestClock
  readonly place: OpenedPlace
  readonly tenant = tenantId('tenant-a')
  readonly stranger = tenantId('tenant-b')
  readonly names = new Names()
  /** The handle that the case works with. */
  store: Store

  readonly #patienceMs: number
  #commits = 0

  constructor(place: OpenedPlace, clock: TestClock, patienceMs: number) {
    this.place = place
    this.#patienceMs = patienceMs
    this.store = place.store
    this.clock = clock
  }

  /** A second handle; only for cases that need `another`. */
  async another(): Promise<Store> {
    assert.ok(this.place.another, 'the case lacks `needs: another`')
    return this.place.another()
  }

  /** Closes the store and works on with a new handle; only for cases that need `reopen`. */
  async restart(): Promise<void> {
    await this.store.close()
    this.store = await this.reopen()
  }

  async reopen(): Promise<Store> {
    assert.ok(this.place.reopen, 'the case lacks `needs: reopen`')
    return this.place.reopen()
  }

  commit(sessionId: string, baseSeq: number, part: CommitPart = {}): Commit {
    this.#commits += 1
    const commitId = `commit ${this.#commits}`
    const commit = commitOf({ tenantId: this.tenant, sessionId, baseSeq, commitId, ...part })
    this.names.noteCommit(commit)
    return commit
  }

  creation(sessionId: string, part: CommitPart = {}): Commit {
    return this.commit(sessionId, part.segments?.at(-1)?.to ?? 0, { create: true, ...part })
  }

  async sendAll(commits: readonly Commit[], store = this.store): Promise<readonly CommitOutcome[]> {
    const outcomes = await store.commit(commits)
    assert.equal(outcomes.length, commits.length, 'one outcome for each commit')
    return outcomes
  }

  async send(commit: Commit, store = this.store): Promise<CommitOutcome> {
    const [outcome] = await this.sendAll([commit], store)
    assert.ok(outcome)
    return outcome
  }

  async create(sessionId: string, part: CommitPart = {}): Promise<Committed> {
    return committed(await this.send(this.creation(sessionId, part)))
  }

  /** A commit at the session's end. */
  async append(sessionId: string, part: CommitPart = {}): Promise<Committed> {
    const head = await this.store.readHead(part.tenantId ?? this.tenant, sessionId)
    return committed(await this.send(this.commit(sessionId, head?.seq ?? 0, part)))
  }

  /** Creates `sessionId` from the first `through` events of `source`, with its segments flattened. */
  async fork(source: string, through: number, sessionId: string, part: CommitPart = {}): Promise<Committed> {
    return this.create(sessionId, { segments: await this.segmentsOf(source, through), ...part })
  }

  async segmentsOf(source: string, through: number): Promise<Segment[]> {
    const above = await this.store.readSegments(this.tenant, source)
    const own = { sessionId: source, from: (above.at(-1)?.to ?? 0) + 1, to: through }
    return [...above, own]
      .filter((segment) => segment.from <= through)
      .map((segment) => ({ ...segment, to: Math.min(segment.to, through) }))
  }

  /** Creates a session whose lease `owner` holds for a minute. */
  async createHeld(sessionId: string, part: CommitPart = {}): Promise<LeaseRow> {
    await this.create(sessionId, part)
    return this.take(sessionId, 0)
  }

  async take(sessionId: string, fromEpoch: number, owner = 'worker', ttlMs = 60_000): Promise<LeaseRow> {
    const { lease } = await this.append(sessionId, { lease: { type: 'take', fromEpoch, owner, ttlMs } })
    return lease
  }

  /** Sends a commit that must be refused in this way, and checks that the store is as before. */
  async refuse(commit: Commit, expected: CommitOutcome, store = this.store): Promise<void> {
    await this.unchanged(async () => same(await this.send(commit, store), expected))
  }

  /** Checks that `act` leaves everything as it was that lies under the names known before. */
  async unchanged(act: () => Promise<unknown>): Promise<void> {
    const known = this.names.copy()
    const before = await dump(this.store, known)
    await act()
    assert.deepEqual(await dump(this.store, known), before, 'nothing may have changed')
  }

  dump(store = this.store): Promise<Record<string, unknown>> {
    return dump(store, this.names)
  }

  events(sessionId: string, store = this.store): Promise<StoredEvent[]> {
    return allEvents(store, this.tenant, sessionId)
  }

  async bodies(sessionId: string, store = this.store): Promise<string[]> {
    return (await this.events(sessionId, store)).map(({ body }) => body)
  }

  async seqs(sessionId: string, range: Partial<EventRange> = {}): Promise<number[]> {
    const whole = { limit: 1_000, maxBytes: Number.MAX_SAFE_INTEGER, direction: 'forward' } as const
    const page = await this.store.readEvents(this.tenant, sessionId, { ...whole, ...range })
    return page.map(({ seq }) => seq)
  }

  async lease(sessionId: string): Promise<LeaseRow | undefined> {
    return (await this.store.readHead(this.tenant, sessionId))?.lease
  }

  /** Text chunks of a draft, sent with epoch 1 unless told otherwise. */
  draft(
    sessionId: string,
    first: number,
    texts: readonly string[],
    part: Partial<DraftWrite> = {},
  ): DraftWrite {
    const chunks = texts.map((text): DraftChunk => ({ kind: 'text', text }))
    const base = { tenantId: this.tenant, sessionId, draftId: 'draft', runId: 'run', epoch: 1, first, chunks }
    const write = { ...base, ...part }
    this.names.noteDraft(write)
    return write
  }

  appendDraft(write: DraftWrite): Promise<DraftOutcome> {
    return this.store.appendDraft(write)
  }

  async putCheckpoint(write: CheckpointWrite): Promise<void> {
    this.names.noteCheckpoint(write)
    await this.store.putCheckpoint(write)
  }

  /** Indexes everything, with the body of each event as its text. */
  async index(store = this.store): Promise<void> {
    for (const tenant of [this.tenant, this.stranger]) {
      while (await store.indexPending(tenant, (_, body) => body, 1_000_000));
    }
  }

  /** `session:seq` of each hit, sorted. */
  async find(
    words: readonly string[],
    tenant: TenantId = this.tenant,
    sessionId?: string,
  ): Promise<string[]> {
    const scope = sessionId === undefined ? {} : { sessionId }
    const hits = await this.store.search(tenant, { words, limit: 1_000, offset: 0, ...scope })
    return hits.map((hit) => `${hit.sessionId}:${hit.seq}`).sort()
  }

  /** Waits in real time, for what a store announces by itself. */
  async eventually(isTrue: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + this.#patienceMs
    while (!isTrue()) {
      if (performance.now() > deadline) assert.fail(`waited ${this.#patienceMs} ms in vain for ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}
