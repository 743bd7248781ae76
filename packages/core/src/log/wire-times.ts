import { toTime } from '@holdfast/protocol'

/** Times in the wire form. Many writes fall into one millisecond, so the last one is kept. */
export class WireTimes {
  #ms = Number.NaN
  #text = ''

  of(ms: number): string {
    if (ms !== this.#ms) {
      this.#text = toTime(ms)
      this.#ms = ms
    }
    return this.#text
  }
}
