/**
 * A rollout that was forked from another one, or was spawned by it, begins with a copy of that one's history, its token
 * counts among it: they were paid there. Times of the copy may be those of the fork, but each turn has an id that tells when
 * it was made. Where it does not, what is counted within moments of the fork, and of one another, is copied.
 */
import { isTime, type Json, type JsonObject } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import { parentThreadOf } from './meta.ts'

/** A model takes longer for its first answer. */
const burstMs = 1_000

export class CopiedHistory {
  readonly #madeMs: number
  /** The last count that was a copy. */
  #copiedMs: number
  #isOver: boolean

  /** `meta`: of the first line, whose time is `at`. `isOver`: an earlier import came to its end. */
  constructor(meta: JsonObject, at: string | undefined, isOver: boolean) {
    const own = isTime(meta.timestamp) ? meta.timestamp : at
    this.#madeMs = timeIn(meta.id) ?? Date.parse(own ?? '')
    this.#copiedMs = Math.max(this.#madeMs, at === undefined ? 0 : Date.parse(at))
    this.#isOver = isOver || !isCopy(meta) || Number.isNaN(this.#madeMs)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Must be told of each line. */
  read(value: JsonObject): void {
    if (this.#isOver) return
    const payload = objectOf(value.payload)
    const turnMs = payload && startOf(value.type, payload)
    if (turnMs !== undefined) this.#isOver = turnMs >= this.#madeMs
    else if (payload?.type === 'token_count' && isTime(value.timestamp))
      this.#follow(Date.parse(value.timestamp))
  }

  #follow(countedMs: number): void {
    this.#isOver = countedMs > this.#copiedMs + burstMs
    this.#copiedMs = Math.max(this.#copiedMs, countedMs)
  }
}

function isCopy(meta: JsonObject): boolean {
  return typeof meta.forked_from_id === 'string' || parentThreadOf(meta) !== undefined
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
