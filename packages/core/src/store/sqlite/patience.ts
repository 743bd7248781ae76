/**
 * Waiting for a lock that another process holds. SQLite's own wait stops the event loop, so it is kept short and what
 * is longer is slept here, with growing pauses that differ between processes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isBusy } from './errors.ts'
import { busyTimeoutMs } from './settings.ts'

export const patienceMs = 30_000
const longestPauseMs = 40

/** Runs `attempt` until it is not refused as busy, or for `limitMs`. The first try is made at once, without a turn of the event loop. */
export async function patiently<T>(attempt: () => T, limitMs = patienceMs): Promise<T> {
  let waitedMs = 0
  for (let tries = 1; ; tries += 1) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || waitedMs >= limitMs) throw error
    }
    const pauseMs = pauseBefore(tries)
    await sleep(pauseMs)
    waitedMs += pauseMs + busyTimeoutMs
  }
}

/** Spread by process and try, so that writers which met once do not meet again in step. */
function pauseBefore(tries: number): number {
  const spread = (Math.imul(process.pid, 0x9e3779b1) + Math.imul(tries, 0x85ebca6b)) >>> 0
  return Math.min(longestPauseMs, 2 ** Math.min(tries, 6)) * (0.25 + (0.75 * spread) / 2 ** 32)
}
