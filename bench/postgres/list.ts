/** A page of 50 sessions, newest activity first. */
import { openHoldfast } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import { interleave, median, repeat } from '../lib/measure.ts'
import { ms, ratio, spread, table } from '../lib/table.ts'
import type { ByHand } from './by-hand.ts'
import { type Place, rounds } from './place.ts'

const page = 50
const pagesARound = 20
const createdAtOnce = 512

export async function list(place: Place, byHand: ByHand, sessions: number): Promise<void> {
  const store = await place.open()
  const holdfast = await openHoldfast({ store })
  const hand = await byHand.connect()
  const start = performance.now()
  for (let done = 0; done < sessions; done += createdAtOnce) {
    const some = Array.from({ length: Math.min(createdAtOnce, sessions - done) })
    await Promise.all(some.map(() => holdfast.sessions.create({ agentId: 'bench' })))
  }
  const created = (sessions / (performance.now() - start)) * 1_000
  await byHand.createMany(sessions)
  await place.settle()
  const timings = await interleave(
    [
      { name: 'hand-written', run: (count) => repeat(count, () => hand.list(page)) },
      {
        name: 'the store alone',
        run: (count) => repeat(count, () => store.listHeads(DEFAULT_TENANT, { index: 'all', limit: page })),
      },
      {
        name: 'holdfast',
        run: (count) => repeat(count, () => holdfast.sessions.list({}, { limit: page })),
      },
    ],
    rounds,
    pagesARound,
  )
  await hand.end()
  await holdfast.close()
  await store.close()
  const base = median(timings[0]?.perPiece ?? [])
  const rows = timings.map(({ name, perPiece }) => {
    const typical = median(perPiece)
    return [name, ms(typical), spread(perPiece, ms), ratio(typical, base)]
  })
  const title = `${page} of ${sessions.toLocaleString('en')} sessions (made at ${Math.round(created)}/s)`
  console.log(`\n${title}\n\n${table(['', 'median page', 'rounds', 'ratio'], rows)}`)
}
