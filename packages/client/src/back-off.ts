export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

const firstMs = 100
const mostMs = 5_000

/** Twice as long after each try, and never the same for two clients. */
export function backOffMs(tries: number, random: () => number): number {
  return Math.min(firstMs * 2 ** tries, mostMs) * (0.5 + random() / 2)
}

export const sleep: Sleep = (ms, signal) => {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
