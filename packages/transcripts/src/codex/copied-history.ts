/**
 * A rollout that was forked from another one, or was spawned by it, begins with a copy of that one's history, its token
 * counts among it: they were paid there. Times of the copy may be those of the fork, but each turn has an id that tells when
 * it was made. Where it does not, what is said and counted within moments of the fork, and of one another, is copied.
 */
import { isTime, type Json, type JsonObject } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import { parentThreadOf } from './meta.ts'

/** A model takes longer for its first answer. */
const burstMs = 1_000

export class CopiedHistory {
  readonly #id: Json | undefined
  readonly #madeMs: number
  /** The last that was said or counted in the copy. */
  #copiedMs: number
  #isOver: boolean
  /** Not only may there be a copy, as in the file of any sub-agent. */
  #isTold: boolean

  /** `meta`: of the first line, whose time is `at`. `position`: where an earlier reading stopped. */
  constructor(meta: JsonObject, at: string | undefined, position: JsonObject | undefined) {
    const own = isTime(meta.timestamp) ? meta.timestamp : at
    this.#id = meta.id
    this.#madeMs = timeIn(meta.id) ?? Date.parse(own ?? '')
    const copied = position?.copied
    const reachedMs = typeof copied === 'number' ? copied : Date.parse(at ?? '')
    this.#copiedMs = Math.max(this.#madeMs, Number.isNaN(reachedMs) ? 0 : reachedMs)
    this.#isTold = isFork(meta) || position?.isCopyTold === true
    const isCopy = position ? copied !== undefined : isFork(meta) || parentThreadOf(meta) !== undefined
    this.#isOver = !isCopy || Number.isNaN(this.#madeMs)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** What is said is a copy. */
  get isGoingOn(): boolean {
    return this.#isTold && !this.#isOver
  }

  position(): JsonObject {
    return this.#isOver ? {} : { copied: this.#copiedMs, ...(this.#isTold && { isCopyTold: true }) }
  }

  /** Must be told of each line. */
  read(value: JsonObject): void {
    const payload = objectOf(value.payload)
    if (payload && this.#isMetaOfAnother(value, payload)) [this.#isTold, this.#isOver] = [true, false]
    if (this.#isOver) return
    const turnMs = payload && startOf(value.type, payload)
    if (turnMs !== undefined) this.#isOver = turnMs >= this.#madeMs
    else if (followed.includes(payload?.type ?? '') && isTime(value.timestamp))
      this.#follow(Date.parse(value.timestamp))
  }

  /** Earlier versions did not say that they copy, but the meta of the copied file came right behind the own one. */
  #isMetaOfAnother({ type, timestamp }: JsonObject, { id }: JsonObject): boolean {
    if (type !== 'session_meta' || typeof id !== 'string' || id === this.#id) return false
    return isTime(timestamp) && Date.parse(timestamp) <= this.#copiedMs + burstMs
  }

  #follow(toldMs: number): void {
    this.#isOver = toldMs > this.#copiedMs + burstMs
    this.#copiedMs = Math.max(this.#copiedMs, toldMs)
  }
}

const followed: readonly Json[] = ['user_message', 'token_count']

function isFork({ forked_from_id }: JsonObject): boolean {
  return typeof forked_from_id === 'string'
}

/** When a turn began; undefined: no turn begins here, or nothing tells. */
function startOf(
  type: Json | undefined,
  { type: event, turn_id, started_at }: JsonObject,
): number | undefined {
  if (type !== 'turn_context' && event !== 'task_started') return undefined
  return timeIn(turn_id) ?? (typeof started_at === 'number' ? (started_at + 1) * 1_000 - 1 : undefined)
}

const uuid7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

function timeIn(id: Json | undefined): number | undefined {
  const [, high, low] = (typeof id === 'string' && uuid7.exec(id)) || []
  return high === undefined ? undefined : Number.parseInt(`${high}${low}`, 16)
}
