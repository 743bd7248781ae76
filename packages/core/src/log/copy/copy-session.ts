/**
 * One session from one store into another: what the target lacks of the log, commit by commit, then its head and lease,
 * then both sides are read and compared. The target's last seq is all that says how far a copy came, so it may be
 * killed anywhere: the next one goes on from there.
 */
import { type EventData, HoldfastError, limits } from '@holdfast/protocol'
import type { FoldEvent, State } from '../../session/state.ts'
import type {
  Attachment,
  Commit,
  LeaseRow,
  RawSession,
  Segment,
  Store,
  StoredEvent,
} from '../../store/store.ts'
import { filesBrought } from '../erased-files.ts'
import { decodeEvent } from '../event-codec.ts'
import { LogReads } from '../log-reads.ts'
import type { CheckpointCopy } from './checkpoints.ts'
import { commitsOf, rowsOf } from './commits.ts'
import { fingerprint } from './fingerprint.ts'
import { commitOf, type Erasure } from './session-commit.ts'
import { UsageReader } from './usage-reader.ts'

export interface SessionCopied {
  /** Events and bytes of them that were written now. */
  events: number
  bytes: number
  checkpoints: number
  /** Undefined: its head is the same on both sides, and it was not read. */
  sha256: string | undefined
}

export interface SessionCopyOptions {
  checkpoints: CheckpointCopy
  /** The source is copied before its fork. */
  copySource: (sessionId: string) => Promise<void>
  /** What has the same head on both sides is taken for the same. */
  skipEqual: boolean
  onEvents: (events: number, bytes: number) => void
}

/** Who has a lease in the target while drafts of a run that nobody works on are written. */
const copying = 'copy'

export class SessionCopy {
  readonly #from: LogReads
  readonly #to: LogReads
  readonly #sessionId: string
  readonly #options: SessionCopyOptions
  #events = 0
  #bytes = 0

  constructor(from: LogReads, to: Store, sessionId: string, options: SessionCopyOptions) {
    this.#from = from
    this.#to = new LogReads(to, from.tenantId, from.upcasters)
    this.#sessionId = sessionId
    this.#options = options
  }

  /** Undefined: the source has no such session any more. Throws `contention` when one of the two moved in between. */
  async run(): Promise<SessionCopied | undefined> {
    const { store, tenantId } = this.#from
    const raw = await store.readRawSession(tenantId, this.#sessionId)
    if (!raw) return undefined
    this.#requireWhole(raw)
    const there = await this.#to.store.readRawSession(tenantId, this.#sessionId)
    if (this.#options.skipEqual && there && isSameRow(there, raw)) return this.#copied(0, undefined)
    const segments = await store.readSegments(tenantId, this.#sessionId)
    for (const { sessionId } of segments) await this.#options.copySource(sessionId)
    if (there && there.seq > raw.seq) throw parted(this.#sessionId, `it goes on there to seq ${there.seq}`)
    await this.#write(raw, segments, there?.seq)
    await this.#drafts(raw)
    await this.#settle(raw)
    return this.#compare(raw)
  }

  #copied(checkpoints: number, sha256: string | undefined): SessionCopied {
    return { events: this.#events, bytes: this.#bytes, checkpoints, sha256 }
  }

  #requireWhole({ damaged, suspect, seq, lastSeq }: RawSession): void {
    if (!damaged && !suspect?.length && seq === lastSeq) return
    const message = `the row of session ${this.#sessionId} is damaged: holdfast repair ${this.#sessionId}, then copy again`
    throw new HoldfastError('store_corrupt', message, { details: { sessionId: this.#sessionId } })
  }

  /** `known`: the target's last seq, where it has the session. */
  async #write(raw: RawSession, segments: readonly Segment[], known: number | undefined): Promise<void> {
    const base = segments.at(-1)?.to ?? 0
    const after = known ?? base
    if (after >= raw.seq) return
    let state: State | undefined = after === 0 ? undefined : await this.#from.stateAt(this.#sessionId, after)
    const usage = new UsageReader(this.#from, this.#sessionId, after)
    const keys = await this.#keys(after)
    let endedDrafts = known === undefined ? [] : await this.#endedDrafts()
    let batch: Commit[] = []
    let size = { events: 0, bytes: 0 }
    for await (const rows of commitsOf(this.#from, this.#sessionId, after, raw.seq)) {
      const events = rows.map((row) => decodeEvent(row, this.#from.upcasters))
      const [{ seq: firstSeq }, { seq: lastSeq }] = [rows[0] as StoredEvent, rows.at(-1) as StoredEvent]
      const made = commitOf(
        {
          tenantId: this.#from.tenantId,
          sessionId: this.#sessionId,
          rows,
          events,
          usage: await usage.through(lastSeq),
          files: await this.#files(events),
          create: known === undefined && firstSeq === base + 1,
          segments,
          key: keys.get(firstSeq),
          endedDrafts,
          erasure: known === undefined ? undefined : await this.#erasure(events, { base, known, lastSeq }),
        },
        state,
      )
      state = made.after
      endedDrafts = []
      batch.push(made.commit)
      size = { events: size.events + rows.length, bytes: size.bytes + bytesOf(made.commit) }
      if (size.events < limits.commitEvents && size.bytes < limits.pageBytes) continue
      await this.#commit(batch, size)
      batch = []
      size = { events: 0, bytes: 0 }
    }
    await this.#commit(batch, size)
  }

  async #commit(batch: readonly Commit[], size: { events: number; bytes: number }): Promise<void> {
    if (batch.length === 0) return
    for (const outcome of await this.#to.store.commit(batch)) {
      switch (outcome.status) {
        case 'committed':
          break
        case 'failed':
          throw outcome.error
        case 'id_taken':
          throw new HoldfastError(
            'id_taken',
            `the id ${this.#sessionId} was used there, and its session deleted`,
            {
              details: { sessionId: this.#sessionId },
            },
          )
        default:
          throw contention(this.#sessionId)
      }
    }
    this.#events += size.events
    this.#bytes += size.bytes
    this.#options.onEvents(size.events, size.bytes)
  }

  /** What the source has erased after an earlier copy wrote it; derived rows from there on are written anew. */
  async #erasure(
    events: readonly FoldEvent[],
    { base, known, lastSeq }: { base: number; known: number; lastSeq: number },
  ): Promise<Erasure | undefined> {
    const erased = events.filter(({ type }) => type === 'session.erased')
    if (erased.length === 0) return undefined
    const own = erased.flatMap(({ data }) => (data as EventData<'session.erased'>).seqs)
    // A fork's own event does not say what went in its prefix.
    const from = base > 0 ? base + 1 : Math.min(...own)
    const seqs = [...new Set([from, ...own])].filter((seq) => seq <= known)
    if (seqs.length === 0) return undefined
    const bodies = new Map<number, string>()
    const gone: string[] = []
    for (const seq of seqs) {
      for await (const row of rowsOf(this.#from, this.#sessionId, seq - 1, seq)) bodies.set(seq, row.body)
      for await (const row of rowsOf(this.#to, this.#sessionId, seq - 1, seq))
        gone.push(...(await this.#gone(row)))
    }
    const { store, tenantId } = this.#from
    const refs = await store.listRefs(tenantId, this.#sessionId, from, lastSeq)
    const erasedBody = ({ seq, body }: StoredEvent) => bodies.get(seq) ?? body
    return {
      erase: { seqs: seqs.toSorted((a, b) => a - b), erasedBody, attachments: gone },
      refs: refs.map(({ kind, id, seq }) => ({ kind, id, seq })),
    }
  }

  /** Files of an event of the target that the source has no more. */
  async #gone(row: StoredEvent): Promise<string[]> {
    const { store, tenantId, upcasters } = this.#from
    const gone: string[] = []
    for (const hash of filesBrought(decodeEvent(row, upcasters))) {
      if (!(await store.readAttachment(tenantId, this.#sessionId, hash))) gone.push(hash)
    }
    return gone
  }

  async #files(events: readonly FoldEvent[]): Promise<Attachment[]> {
    const { store, tenantId } = this.#from
    const files: Attachment[] = []
    for (const hash of new Set(events.flatMap(filesBrought))) {
      const bytes = await store.readAttachment(tenantId, this.#sessionId, hash)
      if (bytes) files.push({ hash, bytes })
    }
    return files
  }

  async #keys(after: number): Promise<ReadonlyMap<number, Commit['key']>> {
    const { store, tenantId } = this.#from
    const keys = new Map<number, Commit['key']>()
    let last: string | undefined
    for (;;) {
      const page = await store.listKeys(tenantId, this.#sessionId, {
        limit: limits.pageItems,
        ...(last !== undefined && { after: last }),
      })
      for (const { key, hash, firstSeq, expiresAtMs } of page) {
        if (firstSeq > after) keys.set(firstSeq, { key, hash, expiresAtMs })
      }
      last = page.at(-1)?.key
      if (page.length < limits.pageItems) return keys
    }
  }

  /** The head to the byte, and the lease, which no event of the log moves. */
  async #settle(raw: RawSession): Promise<void> {
    const { store, tenantId } = this.#to
    const there = await store.readRawSession(tenantId, this.#sessionId)
    if (!there || !isSameRow(there, raw)) await this.#setRow(raw, raw.lease)
  }

  async #setRow({ head, seq }: RawSession, lease: LeaseRow): Promise<void> {
    const { store, tenantId } = this.#to
    const nothing = { parts: [], waypoints: [], refs: [], strayRefs: [], usage: [], usageSeqs: [] }
    const row = { tenantId, sessionId: this.#sessionId, lastSeq: seq, head, lease }
    if (!(await store.rebuild({ ...row, ...nothing }))) throw contention(this.#sessionId)
  }

  /** Text that no event holds yet. Only who has the lease writes it: so the copy has it for a moment. */
  async #drafts(raw: RawSession): Promise<void> {
    const { store, tenantId } = this.#from
    for (const { draftId, runId, epoch } of await store.listDrafts(tenantId, this.#sessionId)) {
      const there = await this.#to.store.readDraft(tenantId, this.#sessionId, draftId, 0)
      const last = there.at(-1)?.chunk ?? 0
      const missing = await store.readDraft(tenantId, this.#sessionId, draftId, last)
      if (missing.length === 0) continue
      const { owner = copying, expiresAtMs } = raw.lease
      await this.#setRow(raw, { epoch, owner, expiresAtMs: expiresAtMs ?? this.#to.store.now() })
      const chunks = missing.map(({ kind, text }) => ({ kind, text }))
      const write = { tenantId, sessionId: this.#sessionId, draftId, runId, epoch, first: last + 1, chunks }
      const { status } = await this.#to.store.appendDraft(write)
      if (status !== 'written' && status !== 'closed') throw contention(this.#sessionId)
    }
  }

  /** Drafts that an earlier copy wrote, and that the source has no more: they ended with a commit that is new. */
  async #endedDrafts(): Promise<string[]> {
    const idsIn = async ({ store, tenantId }: LogReads) =>
      (await store.listDrafts(tenantId, this.#sessionId)).map(({ draftId }) => draftId)
    const there = await idsIn(this.#to)
    const here = there.length === 0 ? [] : await idsIn(this.#from)
    return there.filter((draftId) => !here.includes(draftId))
  }

  async #compare({ seq }: RawSession): Promise<SessionCopied> {
    const { checkpoints: copying } = this.#options
    let checkpoints = 0
    const sha256 = await fingerprint(this.#from, this.#sessionId, seq, async (row) => {
      if (row.type !== 'checkpoint.saved') return
      if (await copying.ofEvent(this.#sessionId, decodeEvent(row, this.#from.upcasters))) checkpoints += 1
    })
    if ((await fingerprint(this.#to, this.#sessionId, seq)) !== sha256)
      throw parted(this.#sessionId, 'their hashes differ')
    return this.#copied(checkpoints, sha256)
  }
}

function bytesOf({ events, attachments }: Commit): number {
  const text = events.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
  return text + attachments.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
}

function isSameRow(one: RawSession, other: RawSession): boolean {
  return rowText(one) === rowText(other)
}

/** Without what is left undefined, fields in one order. */
function rowText({ seq, lastSeq, head, lease, damaged, suspect }: RawSession): string {
  const sorted = (row: object) => Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([seq, lastSeq, sorted(head), sorted(lease), damaged, suspect?.length])
}

function parted(sessionId: string, how: string): HoldfastError {
  const message = `session ${sessionId} is there already with another log: ${how}`
  return new HoldfastError('id_taken', message, { details: { sessionId } })
}

function contention(sessionId: string): HoldfastError {
  return new HoldfastError('contention', `session ${sessionId} was written to while it was copied`, {
    details: { sessionId },
  })
}
