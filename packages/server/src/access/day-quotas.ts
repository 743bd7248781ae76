/**
 * What tenants wrote of what they may write in a day. It leaks away over a day, and stands in the store, so that all servers of
 * one store count together and none forgets at its restart: each adds what it wrote within a second, and sees what the others
 * added within five.
 */
import type { CommittedBatch, Records } from '@holdfast/core'
import { isHoldfastError, type RecordBody, type TenantInfo, toMs, toTime } from '@holdfast/protocol'
import { pause } from '../streams/pause.ts'

/** What a quota of a day is of. */
export type Written = 'events' | 'sessions'

type Counts = Readonly<Record<Written, number>>
type Quotas = NonNullable<TenantInfo['quotas']>

interface Use {
  quotas: Quotas
  /** As the store had it at `atMs`, with what this server had added. */
  stored: Counts
  atMs: number
  /** Written here, and not added in the store yet. */
  unsaved: Counts
  syncing?: Promise<void> | undefined
  saving?: Promise<void> | undefined
  /** Why the store does not have what it should; the next reading tells it, or mends it. */
  failure?: unknown
}

const none: Counts = { events: 0, sessions: 0 }
const dayMs = 86_400_000
const saveEveryMs = 1_000
const believedMs = 5_000
/** Tenants that are remembered; what is in the store is read again. */
const usesMost = 10_000

export class DayQuotas {
  readonly #records: Records<'quota_use'>
  readonly #clock: () => number
  readonly #uses = new Map<string, Use>()
  readonly #closing = new AbortController()

  constructor(records: Records<'quota_use'>, clock: () => number) {
    this.#records = records
    this.#clock = clock
  }

  /** Before `left` is asked: reads what is not known, or too old. Undefined: there is nothing to read. */
  read(tenantId: string, quotas: Quotas | undefined): Promise<void> | undefined {
    if (!hasDay(quotas)) return undefined
    const use = this.#useOf(tenantId, quotas)
    const isRecent = this.#clock() - use.atMs < believedMs && use.failure === undefined
    return isRecent ? undefined : this.#sync(tenantId, use)
  }

  /** Below 0 for what was under way when nothing was left. */
  left(tenantId: string, what: Written, most: number): number {
    const use = this.#uses.get(tenantId)
    return most - (use ? this.#used(use)[what] : 0)
  }

  /** What was written counts, by whomever it was. */
  charge({ commits }: CommittedBatch): void {
    for (const { tenantId, events, isNew } of commits) {
      const use = this.#uses.get(tenantId)
      if (!use) continue
      use.unsaved = sum(use.unsaved, { events, sessions: isNew ? 1 : 0 })
      use.saving ??= this.#save(tenantId, use)
    }
  }

  /** Tenants that may write nothing, or make no session, now. */
  *over(): Generator<string> {
    for (const [tenantId, use] of this.#uses) {
      const { events, sessions } = this.#used(use)
      const { eventsPerDay = Infinity, sessionsPerDay = Infinity } = use.quotas
      if (eventsPerDay - events < 1 || sessionsPerDay - sessions < 1) yield tenantId
    }
  }

  /** Resolves when the store has everything; rejects with what kept it from that. */
  async close(): Promise<void> {
    this.#closing.abort()
    const uses = [...this.#uses.values()]
    await Promise.all(uses.map(({ saving }) => saving))
    const failed = uses.find(({ failure }) => failure !== undefined)
    if (failed) throw failed.failure
  }

  #useOf(tenantId: string, quotas: Quotas): Use {
    const known = this.#uses.get(tenantId)
    if (known) {
      known.quotas = quotas
      return known
    }
    const [oldest] = this.#uses.keys()
    if (this.#uses.size >= usesMost && oldest !== undefined) this.#uses.delete(oldest)
    const use: Use = { quotas, stored: none, atMs: Number.NEGATIVE_INFINITY, unsaved: none }
    this.#uses.set(tenantId, use)
    return use
  }

  #used({ quotas, stored, atMs, unsaved }: Use): Counts {
    return sum(leaked(stored, quotas, this.#clock() - atMs), unsaved)
  }

  async #save(tenantId: string, use: Use): Promise<void> {
    try {
      while (use.unsaved !== none) {
        await this.#sync(tenantId, use)
        await pause(saveEveryMs, this.#closing.signal)
      }
    } catch (error) {
      use.failure = error
    } finally {
      use.saving = undefined
    }
  }

  #sync(tenantId: string, use: Use): Promise<void> {
    use.syncing ??= this.#exchange(tenantId, use).finally(() => {
      use.syncing = undefined
    })
    return use.syncing
  }

  /** Adds what was written here to what the store has, which other servers may do at the same time. */
  async #exchange(tenantId: string, use: Use): Promise<void> {
    for (let isDone = false; !isDone; ) {
      const record = await this.#records.get(tenantId)
      const { unsaved } = use
      const nowMs = this.#clock()
      const stored = sum(
        record ? leaked(record.body, use.quotas, nowMs - toMs(record.body.at)) : none,
        unsaved,
      )
      isDone =
        unsaved === none || (await this.#put(tenantId, { at: toTime(nowMs), ...stored }, record?.version))
      if (!isDone) continue
      use.stored = stored
      use.atMs = nowMs
      use.unsaved = use.unsaved === unsaved ? none : difference(use.unsaved, unsaved)
    }
    use.failure = undefined
  }

  /** False: another server was faster. */
  async #put(tenantId: string, body: RecordBody<'quota_use'>, expectedVersion = 0): Promise<boolean> {
    try {
      await this.#records.put(tenantId, body, { expectedVersion })
      return true
    } catch (error) {
      if (isHoldfastError(error, 'version_conflict')) return false
      throw error
    }
  }
}

function hasDay(quotas: Quotas | undefined): quotas is Quotas {
  return quotas?.eventsPerDay !== undefined || quotas?.sessionsPerDay !== undefined
}

/** What is left of it after so long; of what has no quota, nothing. */
function leaked(
  { events, sessions }: Counts,
  { eventsPerDay = 0, sessionsPerDay = 0 }: Quotas,
  ms: number,
): Counts {
  const left = (used: number, perDay: number) =>
    perDay === 0 ? 0 : Math.max(0, used - (Math.max(0, ms) / dayMs) * perDay)
  return { events: left(events, eventsPerDay), sessions: left(sessions, sessionsPerDay) }
}

function sum(a: Counts, b: Counts): Counts {
  return { events: a.events + b.events, sessions: a.sessions + b.sessions }
}

function difference(a: Counts, b: Counts): Counts {
  return { events: a.events - b.events, sessions: a.sessions - b.sessions }
}
