/** The same call with the same input, again and again: first the model is told, then a person is asked. */
import type { WantedCall } from '../model/reply.ts'
import { LimitReached } from './limit.ts'

/** A repetition of this length is told to the model; of this one, nobody waits any longer. */
const warnedAt = 3
const stoppedAt = 6

export class LoopWatch {
  #last = ''
  #times = 0

  /** `before`: the calls of earlier rounds. */
  constructor(before: readonly (readonly WantedCall[])[]) {
    for (const calls of before) this.#saw(keyOf(calls))
  }

  /** The calls of one round. Throws `LimitReached`; else what is to be told with their results. */
  saw(calls: readonly WantedCall[]): string | undefined {
    this.#saw(keyOf(calls))
    const names = [...new Set(calls.map(({ name }) => name))].join(', ')
    if (this.#times >= stoppedAt)
      throw new LimitReached('loop', `${names} was called ${this.#times} times with the same input.`)
    if (this.#times < warnedAt) return undefined
    return `${names} was called ${this.#times} times with the same input. Its result will not change: do something else, or say what stops you.`
  }

  #saw(key: string): void {
    this.#times = key === this.#last ? this.#times + 1 : 1
    this.#last = key
  }
}

function keyOf(calls: readonly WantedCall[]): string {
  return JSON.stringify(calls.map(({ name, input }) => [name, input]))
}
