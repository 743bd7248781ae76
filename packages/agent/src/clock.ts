/** Where the time comes from, unless another clock is handed in. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls again and again, until the function that it gives is called; keeps no process alive. */
  every(ms: number, work: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  every(ms, work) {
    const timer = setInterval(work, ms)
    timer.unref()
    return () => clearInterval(timer)
  },
}
