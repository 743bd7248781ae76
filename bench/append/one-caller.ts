/** One caller, a commit a turn, in one session from empty to a million messages: the turn must cost the same. */
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { openBaseline } from '../lib/baseline.ts'
import { fill } from '../lib/fill.ts'
import { interleave, repeat } from '../lib/measure.ts'
import { temporaryFolder } from '../lib/place.ts'
import { commitOfTurn, SameCommit } from '../lib/same-commit.ts'
import { rounds, sized } from '../lib/size.ts'
import { count, section, table } from '../lib/table.ts'
import { text, turn } from '../lib/text.ts'
import { group, timeHeader, timeRows } from '../lib/timing-rows.ts'

const lengths = [0, 1_000, 100_000, 1_000_000]
const turnsARound = 400

export async function oneCaller(): Promise<void> {
  await measure([0])
  await measure([0])
  const rows = await measure(lengths)
  section(
    'One caller, a commit a turn',
    table(['messages before', ...timeHeader], rows),
    'Target: at most 1.50x hand-written, at every length. The store alone: the same rows written by the same statements, without the engine.',
  )
}

/** The first calls warm the process up: code that just started is not what is asked for. */
async function measure(lengths: readonly number[]): Promise<string[][]> {
  const folder = temporaryFolder()
  const baseline = openBaseline(folder.path('baseline.db'))
  const store = await sqlite(folder.path('holdfast.db')).open({})
  const holdfast = await openHoldfast({ store })
  const session = await holdfast.sessions.create({ agentId: 'bench' })
  const same = await commitOfTurn(store)
  const said = turn(1)
  const [user, assistant] = [text(1), text(2)]
  const rows: string[][] = []
  let messages = 0
  for (const length of lengths) {
    const more = Math.max(sized(length) - messages, 0)
    baseline.fill(1, more)
    await fill(session, more)
    messages += more
    const timings = await interleave(
      [
        { name: 'hand-written', run: (turns) => repeat(turns, () => baseline.append(1, user, assistant)) },
        { name: 'the store alone', run: (turns) => repeat(turns, () => SameCommit.write(store, [same])) },
        { name: 'holdfast', run: (turns) => repeat(turns, () => session.append(said)) },
      ],
      rounds,
      sized(turnsARound),
    )
    messages += 2 * (rounds * sized(turnsARound) + Math.ceil(sized(turnsARound) / 4))
    rows.push(...group(count(sized(length)), timeRows(timings)))
  }
  await holdfast.close()
  await store.close()
  baseline.close()
  folder.remove()
  return rows
}
