/** What the model calls of a turn used. */
import type { EventData } from '@holdfast/protocol'
import { count, money, shortCount } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'

export class Spent {
  readonly #models = new Set<string>()
  #calls = 0
  #promptTokens = 0
  #completionTokens = 0
  #costMicrocents = 0
  #costUnknown = 0

  add({ model, promptTokens, completionTokens, costMicrocents }: EventData<'usage.recorded'>): void {
    if (model !== undefined) this.#models.add(model)
    this.#calls += 1
    this.#promptTokens += promptTokens
    this.#completionTokens += completionTokens
    this.#costMicrocents += costMicrocents ?? 0
    this.#costUnknown += costMicrocents === undefined ? 1 : 0
  }

  /** Undefined: there was no call. */
  line(): string | undefined {
    if (this.#calls === 0) return undefined
    const cost = money({ costMicrocents: this.#costMicrocents, costUnknown: this.#costUnknown })
    const parts = [
      count(this.#calls, 'call'),
      `${shortCount(this.#promptTokens)} in`,
      `${shortCount(this.#completionTokens)} out`,
      `cost ${cost}`,
      ...[...this.#models].map(plainLine),
    ]
    return `· ${parts.join(' · ')}`
  }
}
