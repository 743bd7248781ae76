/** Stops a worker where another can take its place. */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from './child.ts'
import type { Random } from './random.ts'

/**
 * A process that stands still inside a transaction keeps the file, and nobody can take anything over: it is woken again.
 * How often that was.
 */
export async function stopOutside(
  worker: Pick<Child<unknown>, 'stop' | 'wake'>,
  file: string,
  random: Random,
): Promise<number> {
  for (let times = 0; ; times++) {
    worker.stop()
    if (!isLocked(file)) return times
    worker.wake()
    await sleep(1 + random.below(10))
  }
}

function isLocked(file: string): boolean {
  const db = new DatabaseSync(file, { timeout: 0 })
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK')
    return false
  } catch {
    return true
  } finally {
    db.close()
  }
}
