/**
 * What changed in a tenant, looked for once for all who follow it: one list every quarter of a second, however many they are.
 * The newest finding is kept for who is just busy; whoever missed more looks in the store again.
 */
import { FollowedEvent, type Holdfast, type SessionSummary } from '@holdfast/core'
import { limits, toMs, toTime } from '@holdfast/protocol'
import { pause } from './pause.ts'

/** A session as it was found, and as it is sent: one object for all, so that it is encoded once. */
export interface Change {
  session: SessionSummary
  event: FollowedEvent
}

export type Look = (fromMs: number) => Promise<SessionSummary[]>

/** Commits may be seen in another order than that of their times: so far back each look begins again. */
const graceMs = 1_000

/** What one reader, or one watch, was given already. */
export class Position {
  #fromMs: number
  readonly #seen = new Map<string, { seq: number; ms: number }>()

  constructor(sinceMs: number) {
    this.#fromMs = beforeSecondOf(sinceMs)
  }

  get fromMs(): number {
    return this.#fromMs
  }

  /** Those that are new, which are not from now on. */
  fresh(changes: readonly Change[]): Change[] {
    const fresh: Change[] = []
    let newestMs = this.#fromMs
    for (const change of changes) {
      const { id, seq, updatedAt } = change.session
      const ms = toMs(updatedAt)
      if (ms < this.#fromMs || this.#seen.get(id)?.seq === seq) continue
      this.#seen.set(id, { seq, ms })
      newestMs = Math.max(newestMs, ms)
      fresh.push(change)
    }
    this.#moveTo(beforeSecondOf(newestMs))
    return fresh
  }

  /** What can be found again is remembered; the rest is behind `fromMs`. */
  #moveTo(fromMs: number): void {
    if (fromMs <= this.#fromMs) return
    this.#fromMs = fromMs
    for (const [id, { ms }] of this.#seen) if (ms < fromMs) this.#seen.delete(id)
  }
}

function beforeSecondOf(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000 - graceMs
}

export interface FleetOptions {
  look: Look
  clock: () => number
  /** Milliseconds between two looks. */
  everyMs?: number
}

export class FleetWatch {
  readonly #look: Look
  readonly #clock: () => number
  readonly #everyMs: number
  #followers = 0
  #stop: AbortController | undefined
  /** Rises with every finding. */
  #count = 0
  #newest: readonly Change[] = []
  #failure: unknown
  #waiting = new Set<() => void>()

  constructor({ look, clock, everyMs = 250 }: FleetOptions) {
    this.#look = look
    this.#clock = clock
    this.#everyMs = everyMs
  }

  get count(): number {
    return this.#count
  }

  join(): void {
    this.#followers += 1
    if (this.#stop) return
    this.#stop = new AbortController()
    void this.#watch(this.#stop.signal)
  }

  leave(): void {
    this.#followers -= 1
    if (this.#followers > 0) return
    this.#stop?.abort()
    this.#stop = undefined
  }

  /** The finding after number `count`, once there is one; undefined when more were missed, or the signal aborted. */
  async after(count: number, signal: AbortSignal): Promise<readonly Change[] | undefined> {
    while (this.#count === count && !signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure
      await this.#next(signal)
    }
    return this.#count === count + 1 ? this.#newest : undefined
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const position = new Position(this.#clock())
    this.#failure = undefined
    try {
      while (!signal.aborted) {
        const found = position.fresh((await this.#look(position.fromMs)).map(changeOf))
        if (found.length > 0) this.#tell(found)
        await pause(this.#everyMs, signal)
      }
    } catch (error) {
      this.#failure = error
      this.#wake()
    }
  }

  #tell(found: readonly Change[]): void {
    this.#count += 1
    this.#newest = found
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const wake of waiting) wake()
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }
}

export function changeOf(session: SessionSummary): Change {
  const text = JSON.stringify(session)
  return { session, event: new FollowedEvent(session.seq, 'session.changed', text, session.updatedAt) }
}

/** One watch for each tenant that is followed. */
export class Fleet {
  readonly #clock: () => number
  readonly #tenants = new Map<string, FleetWatch>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  of(holdfast: Holdfast): FleetWatch {
    const known = this.#tenants.get(holdfast.tenantId)
    if (known) return known
    const watch = new FleetWatch({ look: (fromMs) => changedSince(holdfast, {}, fromMs), clock: this.#clock })
    this.#tenants.set(holdfast.tenantId, watch)
    return watch
  }
}

/** Oldest change first. */
export async function changedSince(
  { sessions }: Holdfast,
  filters: Parameters<Holdfast['sessions']['list']>[0],
  fromMs: number,
): Promise<SessionSummary[]> {
  const found: SessionSummary[] = []
  for (let after: string | undefined; ; ) {
    const options = { limit: limits.pageItems, ...(after !== undefined && { after }) }
    const page = await sessions.list({ ...filters, updatedSince: toTime(fromMs) }, options)
    found.push(...page.sessions)
    if (page.next === undefined) return found.reverse()
    after = page.next
  }
}
