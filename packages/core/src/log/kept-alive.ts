/**
 * Keeps the process alive while somebody waits for what another process may write. A store's own looks do not: a program that
 * only opened one ends by itself.
 */
const longestTimerMs = 2 ** 31 - 1

export class KeptAlive {
  #waiting = 0
  #timer: NodeJS.Timeout | undefined

  wait(): void {
    this.#waiting += 1
    this.#timer ??= setInterval(() => {}, longestTimerMs)
  }

  /** Once for each wait. */
  done(): void {
    this.#waiting -= 1
    if (this.#waiting > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
