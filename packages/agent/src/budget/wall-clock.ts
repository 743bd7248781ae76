/** How long workers have been at a run: what its budget of wall time is compared with. Waiting for an answer takes none of it. */
import { LimitReached } from './limit.ts'

const longestTimerMs = 2 ** 31 - 1

export class WallClock {
  readonly #startedMs: number
  readonly #beforeMs: number
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined

  constructor(now: () => number, beforeMs: number) {
    this.#now = now
    this.#startedMs = now()
    this.#beforeMs = beforeMs
  }

  get workedMs(): number {
    return this.#beforeMs + this.#now() - this.#startedMs
  }

  /** Throws when there is nothing left; calls when there is nothing left any more. */
  hold(wallMs: number | undefined, onReached: (reached: LimitReached) => void): void {
    this.end()
    if (wallMs === undefined) return
    const reached = new LimitReached('wallMs', `The turn has worked for its ${wallMs} ms.`)
    const left = wallMs - this.workedMs
    if (left <= 0) throw reached
    this.#timer = setTimeout(() => onReached(reached), Math.min(left, longestTimerMs))
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}
