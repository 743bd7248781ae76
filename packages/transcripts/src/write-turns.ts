/** Writes turns, as many in one commit as fit well: an import waits for its commits, and small ones cost as much. */
import type { Batch, Turn } from './batch.ts'
import { commitsOf, isWithin, type Size, sizeOfAll, sumOf } from './commits.ts'
import type { ImportedSession } from './imported-session.ts'

const gathered: Size = { events: 1_000, units: 512 * 1024 }

/** `written` is told of the turns of each commit once they are durable. */
export async function writeTurns(
  session: ImportedSession,
  turns: AsyncIterable<Turn> | Iterable<Turn>,
  written: (turns: readonly Turn[]) => Promise<void> = async () => {},
): Promise<void> {
  let waiting: { turn: Turn; batches: Batch[] }[] = []
  let size: Size = { events: 0, units: 0 }
  const flush = async () => {
    const group = waiting
    waiting = []
    size = { events: 0, units: 0 }
    if (group.length === 0) return
    await session.write(group.flatMap(({ batches }) => batches))
    await written(group.map(({ turn }) => turn))
  }
  for await (const turn of turns) {
    const batches = commitsOf(turn)
    const more = sizeOfAll(batches)
    if (!isWithin(sumOf(size, more), gathered)) await flush()
    if (batches.length > 1) for (const batch of batches) await session.write([batch])
    if (batches.length > 1) await written([turn])
    else {
      waiting.push({ turn, batches })
      size = sumOf(size, more)
    }
  }
  await flush()
}
