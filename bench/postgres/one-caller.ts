/** One caller, one durable turn at a time, in sessions of different ages. */
import { openHoldfast } from '@holdfast/core'
import { fill } from '../lib/fill.ts'
import { type Contender, interleave, median, repeat } from '../lib/measure.ts'
import { commitOfTurn, SameCommit } from '../lib/same-commit.ts'
import { ms, ratio, spread, table } from '../lib/table.ts'
import { turn } from '../lib/text.ts'
import type { ByHand } from './by-hand.ts'
import { type Place, rounds } from './place.ts'

const ages = [0, 1_000, 10_000]
const turnsARound = 500
/** A process that has just begun runs code that is not compiled yet: up to here each contender gets faster. */
export const turnsToWarm = 10_000

export async function oneCaller(place: Place, byHand: ByHand): Promise<void> {
  const store = await place.open()
  const holdfast = await openHoldfast({ store })
  const hand = await byHand.connect()
  const contendersAt = async (age: number): Promise<Contender[]> => {
    const chat = await byHand.create()
    const session = await holdfast.sessions.create({ agentId: 'bench' })
    await fill(session, age)
    const same = await commitOfTurn(store)
    let n = 0
    return [
      { name: 'hand-written', run: (count) => repeat(count, () => hand.append(chat, n++)) },
      { name: 'hand-written, tenant set', run: (count) => repeat(count, () => hand.appendWalled(chat, n++)) },
      { name: 'the store alone', run: (count) => repeat(count, () => SameCommit.write(store, [same])) },
      { name: 'holdfast', run: (count) => repeat(count, () => session.append(turn(n++))) },
    ]
  }
  const warm = rounds > 1 ? turnsToWarm / turnsARound : 1
  await interleave(await contendersAt(0), warm, turnsARound)
  for (const age of ages) {
    const timings = await interleave(await contendersAt(age), rounds, turnsARound)
    const [plain = 0, walled = 0] = timings.map(({ perPiece }) => median(perPiece))
    const rows = timings.map(({ name, perPiece }) => {
      const typical = median(perPiece)
      return [name, ms(typical), spread(perPiece, ms), ratio(typical, plain), ratio(typical, walled)]
    })
    const header = ['', 'median turn', 'rounds', 'to the first', 'to the second']
    console.log(`\nOne caller, a session of ${age.toLocaleString('en')} messages\n\n${table(header, rows)}`)
  }
  await hand.end()
  await holdfast.close()
  await store.close()
}
