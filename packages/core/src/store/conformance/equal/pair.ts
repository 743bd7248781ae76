/** Two stores side by side: each command goes to both, and what they answer and hold must be the same. */
import assert from 'node:assert/strict'
import type { Commit, CommitOutcome, ListRow, Segment, Store, StoredHead } from '../../store.ts'
import type { TestClock } from '../clock.ts'
import { dump } from '../dump.ts'
import { plain, type Settled, settled } from '../expect.ts'
import { Names } from '../names.ts'
import { commitFor } from './commit-for.ts'
import type { CommitIntent, Intent, Spot } from './intents.ts'
import * as pools from './pools.ts'

type Call = (store: Store) => Promise<unknown>
type IntentTo<Do extends Intent['do']> = Extract<Intent, { do: Do }>

const free = { epoch: 0, owner: undefined, expiresAtMs: undefined }

export class Pair {
  readonly names = new Names()
  /** The outcomes that were met, so that a test can see whether it met them all. */
  readonly met = new Set<string>()
  readonly #clock: TestClock
  readonly #model: Store
  readonly #other: Store

  constructor(model: Store, other: Store, clock: TestClock) {
    this.#model = model
    this.#other = other
    this.#clock = clock
  }

  async run(intent: Intent): Promise<void> {
    if (intent.do === 'wait') return this.#clock.advance(intent.ms)
    const call = await this.#callFor(intent)
    const expected = canonical(intent.do, await settled(call(this.#model)))
    const actual = canonical(intent.do, await settled(call(this.#other)))
    assert.deepEqual(actual, expected, `${intent.do} differs`)
    this.#note(intent.do, expected)
  }

  /** Compares everything that can be read. */
  async compare(): Promise<void> {
    assert.deepEqual(
      await dump(this.#other, this.names),
      await dump(this.#model, this.names),
      'the dumps differ',
    )
  }

  #note(name: Intent['do'], answer: { value?: unknown; error?: unknown }): void {
    for (const outcome of outcomesOf(name, answer)) this.met.add(outcome)
  }

  async #callFor(intent: Exclude<Intent, { do: 'wait' }>): Promise<Call> {
    switch (intent.do) {
      case 'commit':
        return this.#commit(intent.commits)
      case 'renew': {
        const epoch = (await this.#epoch(intent.spot)) + intent.epochDrift
        return (store) => store.renewLease(...pools.spot(intent.spot), epoch, intent.ttlMs)
      }
      case 'draft':
        return this.#draft(intent)
      case 'readDraft': {
        const draftId = pools.draft(intent.draft)
        return (store) => store.readDraft(...pools.spot(intent.spot), draftId, intent.after)
      }
      case 'checkpoint':
        return this.#checkpoint(intent)
      case 'record':
        return this.#record(intent)
      case 'listRecords':
        return this.#listRecords(intent)
      case 'delete':
        return (store) => store.deleteSession(...pools.spot(intent.spot), { cascade: intent.cascade })
      case 'sweep':
        return (store) => sweepAll(store, intent.limit)
      case 'read':
        return (store) => store.readEvents(...pools.spot(intent.spot), intent.range)
      case 'list':
        return this.#list(intent)
      case 'due':
        return this.#due(intent)
      case 'usage':
        return (store) => store.readUsage(...pools.spot(intent.spot), intent.after, intent.limit)
      case 'index':
        return (store) => store.indexPending(pools.tenant(0), textOf, intent.maxBytes).then(() => 'indexed')
      case 'search':
        return (store) => search(store, intent)
      case 'reset':
        return (store) => store.resetIndex()
      case 'scrub':
        return (store) => store.scrub()
    }
  }

  #due({ tenant, kind, aheadMs, limit, skip }: IntentTo<'due'>): Call {
    return (store) => store.listDue(pools.tenant(tenant), kind, store.now() + aheadMs, limit, skip)
  }

  #head({ tenant, session }: Spot): Promise<StoredHead | undefined> {
    return this.#model.readHead(pools.tenant(tenant), pools.session(session))
  }

  async #epoch(spot: Spot): Promise<number> {
    return (await this.#head(spot))?.lease.epoch ?? 0
  }

  /** Later commits of a batch are made for the state that earlier ones will probably leave. */
  async #commit(intents: readonly CommitIntent[]): Promise<Call> {
    const commits: Commit[] = []
    const ahead = new Map<string, Pick<StoredHead, 'seq' | 'lease'>>()
    for (const intent of intents) {
      const name = pools.spot(intent).join(' ')
      const source = { tenant: intent.tenant, session: intent.source }
      const segments = intent.mode === 'fork' ? await this.#segments(source, intent.along) : undefined
      const head = ahead.get(name) ?? (await this.#head(intent))
      const commit = commitFor(intent, { head, segments, nowMs: this.#clock.now() })
      const seq = commit.baseSeq + commit.events.length
      if (commit.create === (head === undefined)) ahead.set(name, { seq, lease: head?.lease ?? free })
      this.names.noteCommit(commit)
      commits.push(commit)
    }
    return (store) => store.commit(commits)
  }

  /** Sometimes one more than the source has, or of a source that is missing. */
  async #segments(source: Spot, along: number): Promise<Segment[]> {
    const seq = (await this.#head(source))?.seq
    if (seq === undefined) return [{ sessionId: 'nowhere', from: 1, to: 1 }]
    const through = Math.max(1, Math.round(along * (seq + 1)))
    const above = await this.#model.readSegments(...pools.spot(source))
    const own = { sessionId: pools.session(source.session), from: (above.at(-1)?.to ?? 0) + 1, to: through }
    return [...above, own]
      .filter(({ from }) => from <= through)
      .map((segment) => ({ ...segment, to: Math.min(segment.to, through) }))
  }

  async #draft(intent: IntentTo<'draft'>): Promise<Call> {
    const [tenantId, sessionId] = pools.spot(intent.spot)
    const draftId = pools.draft(intent.draft)
    const known = await this.#model.readDraft(tenantId, sessionId, draftId, 0)
    const write = {
      tenantId,
      sessionId,
      draftId,
      runId: `run ${intent.draft}`,
      epoch: (await this.#epoch(intent.spot)) + intent.epochDrift,
      first: known.length + 1 + intent.firstDrift,
      chunks: intent.chunks.map((body) => ({ kind: 'text', text: pools.body(body) }) as const),
    }
    this.names.noteDraft(write)
    return (store) => store.appendDraft(write)
  }

  async #checkpoint(intent: IntentTo<'checkpoint'>): Promise<Call> {
    const [tenantId, sessionId] = pools.spot(intent.spot)
    const files = intent.channels.map(pools.file)
    const write = {
      tenantId,
      sessionId,
      threadId: `thread ${intent.thread}`,
      namespace: '',
      checkpointId: `checkpoint ${intent.id}`,
      parentId: undefined,
      channels: Object.fromEntries(files.map(({ hash }, index) => [`channel ${index}`, hash])),
      bodies: intent.brings
        ? files.map(({ hash, bytes }) => ({ hash, body: Buffer.from(bytes).toString() }))
        : [],
    }
    this.names.noteCheckpoint(write)
    return (store) => store.putCheckpoint(write)
  }

  async #record(intent: IntentTo<'record'>): Promise<Call> {
    const tenantId = pools.tenant(intent.tenant)
    const kind = `kind ${intent.kind}`
    const id = pools.session(intent.id)
    const known = await this.#model.readRecord(tenantId, kind, id)
    const record = { kind, id, key: keyOf(intent.key), body: pools.body(intent.body) }
    this.names.noteRecord(tenantId, kind)
    return (store) => store.putRecord(tenantId, record, (known?.version ?? 0) + intent.versionDrift)
  }

  async #listRecords({ tenant, kind, key, after, limit }: IntentTo<'listRecords'>): Promise<Call> {
    const query = {
      limit,
      ...(key === undefined ? {} : { key: `key ${key}` }),
      ...(after === undefined ? {} : { after: pools.session(after) }),
    }
    return (store) => store.listRecords(pools.tenant(tenant), `kind ${kind}`, query)
  }

  /** From the start, or from the row before the `after`th. */
  async #list({ tenant, index, value, limit, after }: IntentTo<'list'>): Promise<Call> {
    const tenantId = pools.tenant(tenant)
    const query = { index, limit, ...pools.listValue(index, value) }
    const rows: readonly ListRow[] = await this.#model.listHeads(tenantId, { ...query, limit: after })
    const last = rows.at(-1)
    const from = last ? { after: { key: last.key, id: last.sessionId } } : {}
    return (store) => store.listHeads(tenantId, { ...query, ...from })
  }
}

function keyOf(key: number | undefined): string | undefined {
  return key === undefined ? undefined : `key ${key}`
}

function textOf(type: string, body: string): string | undefined {
  return type === 'silent' ? undefined : body
}

/** To the end: which keys a limited sweep takes first is the store's own affair. */
async function sweepAll(store: Store, limit: number): Promise<number> {
  let swept = 0
  for (;;) {
    const count = await store.sweepKeys(store.now(), limit)
    if (count === 0) return swept
    swept += count
  }
}

/** Indexes everything first: how far a step gets is the store's own affair. */
async function search(store: Store, { spot, words, inSession }: IntentTo<'search'>): Promise<unknown> {
  const [tenantId, sessionId] = pools.spot(spot)
  while (await store.indexPending(tenantId, textOf, pools.indexBytes));
  const scope = inSession ? { sessionId } : {}
  const hits = await store.search(tenantId, {
    words: words.map(pools.word),
    limit: 1_000,
    offset: 0,
    ...scope,
  })
  return hits.map((hit) => `${hit.sessionId} ${hit.seq}`).sort()
}

/** `commit conflict` and the like; only `read` for what has no outcomes. */
function outcomesOf(name: Intent['do'], { value, error }: { value?: unknown; error?: unknown }): string[] {
  if (error !== undefined) return [`${name} ${error}`]
  if (name === 'commit') return (value as CommitOutcome[]).map(({ status }) => `commit ${status}`)
  if (name === 'draft' || name === 'record' || name === 'delete') {
    return [`${name} ${(value as { status: string }).status}`]
  }
  return [name]
}

/** Where the seam promises no order, both are sorted. */
function canonical(name: Intent['do'], answer: Settled): { value?: unknown; error?: unknown } {
  if ('error' in answer) return answer
  if (name !== 'delete') return { value: plain(answer.value) }
  const { sessions, forks, ...rest } = answer.value as {
    sessions?: readonly string[]
    forks?: readonly string[]
  }
  return { value: plain({ ...rest, sessions: sessions?.toSorted(), forks: forks?.toSorted() }) }
}
