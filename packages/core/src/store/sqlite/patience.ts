/**
 * Waiting for a lock that another process or thread holds: slept here, for SQLite's own wait stops the event loop. The
 * pauses grow, and differ between processes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { pauseBefore } from '../pause.ts'
import { isBusy } from './errors.ts'

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
    const pauseMs = pauseBefore(tries, longestPauseMs)
    await sleep(pauseMs)
    waitedMs += pauseMs
  }
}
