/**
 * Copies what one store holds into another, of whatever kinds the two are, while both are in use: sessions with their
 * logs, files, keys, leases, checkpoints and ledger, and the records of their tenants. What is there already is compared
 * and stays. A later copy brings what was written since; one that was killed goes on where it was.
 */
import { type HoldfastError, isHoldfastError, limits, type TenantId, tenantId } from '@holdfast/protocol'
import type { Store } from '../../store/store.ts'
import { backOff } from '../back-off.ts'
import { LogReads } from '../log-reads.ts'
import { requireKnown } from '../option-names.ts'
import { systemRandom } from '../random.ts'
import { upcasters as ownUpcasters, type Upcasters } from '../upcast.ts'
import { CheckpointCopy } from './checkpoints.ts'
import { copyLedgerOfDeleted } from './copy-ledger.ts'
import { copyRecords } from './copy-records.ts'
import { SessionCopy } from './copy-session.ts'

export interface CopyOptions {
  /** Default: every tenant that has, or had, a session. */
  tenants?: readonly string[]
  /**
   * Default false: every session is read on both sides and compared. True: not those whose head is the same, for the last,
   * short copy after one that ended whole.
   */
  skipEqual?: boolean
  /** Ends the copy between two sessions. */
  signal?: AbortSignal
  onProgress?: (progress: CopyProgress) => void
  upcasters?: Upcasters
  /** In [0, 1). */
  random?: () => number
}

export interface CopyProgress {
  sessions: number
  sessionsTotal: number
  /** Written, or found there. */
  events: number
  eventsTotal: number
}

export interface CopySummary {
  tenants: number
  /** Looked at, and those of them that something was written of. */
  sessions: number
  written: number
  /** Whose hashes are the same on both sides. */
  verified: number
  /** Written now; `bytes` are those of event texts and files. */
  events: number
  bytes: number
  checkpoints: number
  records: number
  /** Deleted in the source, and so there too, with what they cost in the ledger. */
  deleted: number
  /** Sessions of these tenants that only the target has. */
  onlyThere: number
  failed: CopyFailure[]
  /** It was stopped before its end. */
  stopped: boolean
}

export interface CopyFailure {
  tenantId: TenantId
  sessionId: string
  code: HoldfastError['code']
  message: string
}

/** Sessions at once: while one waits for its commit others read. */
const lanes = 8

export async function copyStore(from: Store, to: Store, options: CopyOptions = {}): Promise<CopySummary> {
  const names = ['tenants', 'skipEqual', 'signal', 'onProgress', 'upcasters', 'random']
  requireKnown(options, names, 'copyStore')
  const tenants = (options.tenants ?? (await from.listTenants())).map((id) => tenantId(id))
  const copy = new Copy(from, to, options)
  for (const tenant of tenants) await copy.tenant(tenant)
  return copy.summary
}

class Copy {
  readonly summary: CopySummary = {
    tenants: 0,
    sessions: 0,
    written: 0,
    verified: 0,
    events: 0,
    bytes: 0,
    checkpoints: 0,
    records: 0,
    deleted: 0,
    onlyThere: 0,
    failed: [],
    stopped: false,
  }
  readonly #from: Store
  readonly #to: Store
  readonly #options: CopyOptions
  readonly #progress: CopyProgress = { sessions: 0, sessionsTotal: 0, events: 0, eventsTotal: 0 }

  constructor(from: Store, to: Store, options: CopyOptions) {
    this.#from = from
    this.#to = to
    this.#options = options
  }

  async tenant(tenant: TenantId): Promise<void> {
    const reads = new LogReads(this.#from, tenant, this.#options.upcasters ?? ownUpcasters)
    const seqs = await seqsOf(this.#from, tenant)
    this.#progress.sessionsTotal += seqs.size
    for (const seq of seqs.values()) this.#progress.eventsTotal += seq
    this.#tell()
    const checkpoints = new CheckpointCopy(tenant, this.#from, this.#to)
    const done = new Map<string, Promise<void>>()
    const one = (sessionId: string): Promise<void> => {
      const known = done.get(sessionId) ?? this.#session(reads, sessionId, checkpoints, one)
      done.set(sessionId, known)
      return known
    }
    await inLanes(seqs, async ([sessionId, seq]) => {
      if (this.#isStopped) return
      const before = this.#progress.events
      await one(sessionId)
      this.#progress.sessions += 1
      this.#progress.events = Math.max(this.#progress.events, before + seq)
      this.#tell()
    })
    if (this.#isStopped) return
    await checkpoints.finish()
    const onlyThere = await this.#onlyThere(tenant, seqs)
    const deleted = await copyLedgerOfDeleted(this.#from, this.#to, tenant, onlyThere)
    this.summary.deleted += deleted.length
    this.summary.onlyThere += onlyThere.filter((id) => !deleted.includes(id)).length
    this.summary.records += await copyRecords(this.#from, this.#to, tenant)
    this.summary.tenants += 1
  }

  async #onlyThere(tenant: TenantId, here: ReadonlyMap<string, number>): Promise<string[]> {
    const only: string[] = []
    for (const id of (await seqsOf(this.#to, tenant)).keys()) {
      if (!here.has(id) && !(await this.#from.readHead(tenant, id))) only.push(id)
    }
    return only
  }

  get #isStopped(): boolean {
    if (this.#options.signal?.aborted) this.summary.stopped = true
    return this.summary.stopped
  }

  #tell(): void {
    this.#options.onProgress?.({ ...this.#progress })
  }

  async #session(
    reads: LogReads,
    sessionId: string,
    checkpoints: CheckpointCopy,
    copySource: (sessionId: string) => Promise<void>,
  ): Promise<void> {
    const { summary } = this
    const { skipEqual = false, random = systemRandom } = this.#options
    const onEvents = (events: number, bytes: number) => {
      summary.events += events
      summary.bytes += bytes
      this.#tell()
    }
    summary.sessions += 1
    for (let tries = 1; ; tries++) {
      try {
        const terms = { checkpoints, copySource, skipEqual, onEvents }
        const copied = await new SessionCopy(reads, this.#to, sessionId, terms).run()
        if (copied && copied.events + copied.checkpoints > 0) summary.written += 1
        if (copied?.sha256 !== undefined) summary.verified += 1
        summary.checkpoints += copied?.checkpoints ?? 0
        return
      } catch (error) {
        if (!isOfSession(error)) throw error
        if (error.code === 'store_corrupt' || tries >= limits.commitTries) {
          const { code, message } = error
          summary.failed.push({ tenantId: reads.tenantId, sessionId, code, message })
          return
        }
        await backOff(tries, random)
      }
    }
  }
}

/** Others are of the whole store: the copy ends with them, and goes on when it is started again. */
function isOfSession(error: unknown): error is HoldfastError {
  const codes = ['store_corrupt', 'store_unsupported', 'id_taken', 'contention'] as const
  return codes.some((code) => isHoldfastError(error, code))
}

/** Every session with its last seq. What moved to the front meanwhile is found in a second look at the front. */
async function seqsOf(store: Store, tenant: TenantId): Promise<Map<string, number>> {
  const start = Math.floor(store.now() / 1_000)
  const seqs = new Map<string, number>()
  for await (const { sessionId, seq } of rowsOf(store, tenant)) seqs.set(sessionId, seq)
  for await (const { sessionId, seq, key } of rowsOf(store, tenant)) {
    if (key < start) break
    seqs.set(sessionId, seq)
  }
  return seqs
}

async function* rowsOf(store: Store, tenant: TenantId) {
  let after: { key: number; id: string } | undefined
  do {
    const page = await store.listHeads(tenant, {
      index: 'all',
      limit: limits.pageItems,
      ...(after && { after }),
    })
    yield* page
    const last = page.at(-1)
    after = last && page.length === limits.pageItems ? { key: last.key, id: last.sessionId } : undefined
  } while (after)
}

async function inLanes<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const lane = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
