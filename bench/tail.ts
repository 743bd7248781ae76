/** The last 50 messages of a session, whatever its length. */
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { openBaseline } from './lib/baseline.ts'
import { interleave, median, repeat } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { ms, ratio, table } from './lib/table.ts'
import { text, turn } from './lib/text.ts'

const ROUNDS = Number(process.env.HOLDFAST_BENCH_ROUNDS ?? 7)

export async function tail(): Promise<void> {
  const folder = temporaryFolder()
  const holdfast = await openHoldfast({ store: sqlite(folder.path('holdfast.db')) })
  const baseline = openBaseline(folder.path('baseline.db'))
  const rows: string[][] = []
  for (const [key, messages] of [100, 10_000, 100_000].entries()) {
    const session = await holdfast.sessions.create({ agentId: 'bench' })
    for (let n = 0; n < messages / 2; n += 500) {
      baseline.appendAll(
        Array.from({ length: Math.min(500, messages / 2 - n) }, (_, i) => ({
          session: key,
          user: text(i),
          assistant: text(i),
        })),
      )
      await Promise.all(
        Array.from({ length: Math.min(500, messages / 2 - n) }, (_, i) => session.append(turn(i))),
      )
    }
    const timings = await interleave(
      [
        { name: 'hand-written', run: (count) => repeat(count, () => baseline.last(key, 50)) },
        { name: 'holdfast, messages', run: (count) => repeat(count, () => session.messages({ limit: 50 })) },
        {
          name: 'holdfast, events',
          run: (count) => repeat(count, () => session.events({ limit: 50, direction: 'backward' })),
        },
      ],
      ROUNDS,
      500,
    )
    const [base, ours, events] = timings.map(({ perPiece }) => median(perPiece)) as [number, number, number]
    rows.push([messages.toLocaleString('en'), ms(base), ms(ours), ratio(ours, base), ms(events)])
  }
  await holdfast.close()
  baseline.close()
  folder.remove()
  console.log(
    `\nLast 50 of N messages\n\n${table(['N', 'hand-written', 'messages', 'ratio', 'raw events'], rows)}`,
  )
}
