/** Stops a worker where another can take its place. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from './child.ts'
import type { Lane } from './lanes.ts'
import type { Random } from './random.ts'

/**
 * A process that stands still inside a transaction keeps what it locked, and nobody can take anything over: it is woken
 * again. How often that was.
 */
export async function stopOutside(
  worker: Pick<Child<unknown>, 'stop' | 'wake'>,
  { isLocked }: Pick<Lane, 'isLocked'>,
  random: Random,
): Promise<number> {
  for (let times = 0; ; times++) {
    worker.stop()
    if (!(await isLocked())) return times
    worker.wake()
    await sleep(1 + random.below(10))
  }
}
