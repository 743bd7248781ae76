/**
 * Places in the lists by activity. A commit does not move its session there: each move would leave an entry behind in
 * every index of `listings`, which of busy sessions is soon more than all that lives. It says in the session's row, which
 * is replaced inside its page, that the session is ahead of its place, and how far. A page of such a list reads all that
 * are ahead, so they are kept few: those of the oldest activity are put in their places when this handle has moved many
 * sessions, and now and then when lists are read.
 */
import { isHoldfastError, type TenantId } from '@holdfast/protocol'
import { Generations } from '../generations.ts'
import type { Clock } from './clock.ts'
import type { Transactions } from './transactions.ts'

/** Whoever holds a row is about to move it, and is not waited for. */
const SETTLE = `
  WITH late AS (
    SELECT session, activity FROM @sessions
    WHERE tenant = $1 AND ahead AND session = ANY(ARRAY(
      SELECT session FROM @sessions WHERE tenant = $1 AND ahead
      ORDER BY activity DESC, session DESC OFFSET $2 LIMIT $3
    ))
    FOR UPDATE SKIP LOCKED
  ), placed AS (
    UPDATE @listings l SET activity = late.activity FROM late
    WHERE l.tenant = $1 AND l.session = ANY(ARRAY(SELECT session FROM late)) AND l.session = late.session
  )
  UPDATE @sessions s SET ahead = false FROM late
  WHERE s.tenant = $1 AND s.session = ANY(ARRAY(SELECT session FROM late)) AND s.session = late.session`

/** Sessions that one handle moves before it puts some in their places. */
const mostAhead = 1_024
/** What stays ahead after a list was read: the busy ones would be ahead again at once. */
const leftAhead = 64
const settledAtOnce = 2_048
/** Between two settlings that lists have asked for: a session that goes on leaves one entry behind in this time. */
const restMs = 60_000

export class Places {
  readonly #db: Transactions
  readonly #clock: Clock
  /** Of some tenants: what is forgotten here is put in its place when a list was read. */
  readonly #moved = new Generations<Set<string>>(64)
  readonly #settledAtMs = new Generations<number>(4_096)

  constructor(db: Transactions, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** A commit may have put the session ahead of its place. */
  noteMove(tenant: TenantId, sessionId: string): void {
    const moved = this.#moved.get(tenant) ?? new Set()
    this.#moved.set(tenant, moved.add(sessionId))
    if (moved.size > mostAhead) this.#settle(tenant, mostAhead / 2)
  }

  /** A list by activity was read. */
  noteList(tenant: TenantId): void {
    const nowMs = this.#clock.now()
    if (nowMs - (this.#settledAtMs.get(tenant) ?? -restMs) < restMs) return
    this.#settledAtMs.set(tenant, nowMs)
    this.#settle(tenant, leftAhead)
  }

  /** Nobody waits for it: what stays ahead is listed as well, and is settled the next time. */
  #settle(tenant: TenantId, left: number): void {
    this.#moved.delete(tenant)
    this.settle(tenant, left).catch((error: unknown) => {
      if (!isHoldfastError(error)) throw error
    })
  }

  /** Puts sessions in their places, but for so many of the newest activity. */
  async settle(tenant: TenantId, left: number): Promise<void> {
    await this.#db.write(tenant, [{ sql: SETTLE, values: [tenant, left, settledAtOnce] }])
  }
}
