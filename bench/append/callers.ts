/** 64 callers, each waiting for its own ack before its next turn. */
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { openBaseline, type Turn } from '../lib/baseline.ts'
import { interleave, median, percentile, repeat } from '../lib/measure.ts'
import { temporaryFolder } from '../lib/place.ts'
import { commitOfTurn, SameCommit } from '../lib/same-commit.ts'
import { rounds, sized } from '../lib/size.ts'
import { ms, section, table } from '../lib/table.ts'
import { text, turn } from '../lib/text.ts'
import { rateRows, timeHeader } from '../lib/timing-rows.ts'

const callers = 64
const turnsEach = 200

export async function manyCallers(): Promise<void> {
  const folder = temporaryFolder()
  const baseline = openBaseline(folder.path('baseline.db'))
  const store = await sqlite(folder.path('holdfast.db')).open({})
  const holdfast = await openHoldfast({ store })
  const numbers = Array.from({ length: callers }, (_, n) => n)
  const sessions = await Promise.all(numbers.map(() => holdfast.sessions.create({ agentId: 'bench' })))
  const same: SameCommit[] = []
  for (const _ of numbers) same.push(await commitOfTurn(store))
  const turns = numbers.map((session) => ({ session, user: text(session), assistant: text(session + 1) }))
  const messages = numbers.map(turn)
  const waits: number[] = []
  const caller = (session: (typeof sessions)[number], index: number, turns: number) =>
    repeat(turns, async () => {
      const start = performance.now()
      await session.append(messages[index] ?? [])
      waits.push(performance.now() - start)
    })
  const timings = await interleave(
    [
      {
        name: `hand-written, ${callers} turns a transaction`,
        run: (count) => repeat(count / callers, () => baseline.appendAll(turns)),
      },
      {
        name: 'hand-written, one transaction a turn',
        run: (count) =>
          repeat(count, (n) => {
            const { session, user, assistant } = turns[n % callers] as Turn
            baseline.append(session, user, assistant)
          }),
      },
      {
        name: `the store alone, ${callers} turns a transaction`,
        run: (count) => repeat(count / callers, () => SameCommit.write(store, same)),
      },
      {
        name: 'holdfast',
        run: async (count) => {
          await Promise.all(sessions.map((session, index) => caller(session, index, count / callers)))
        },
        warm: () => waits.splice(0),
      },
    ],
    rounds,
    callers * sized(turnsEach),
  )
  await holdfast.close()
  await store.close()
  baseline.close()
  folder.remove()
  section(
    `${callers} callers, durable turns`,
    table(timeHeader, rateRows(timings)),
    `An ack came after ${ms(median(waits))} (p50), ${ms(percentile(waits, 0.99))} (p99). Target: 25,000/s, p99 at most 10 ms.`,
  )
}
