/** The last 50 messages of a session, whatever its length. */
import { openHoldfast } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import { fill } from '../lib/fill.ts'
import { interleave, median, repeat } from '../lib/measure.ts'
import { ms, ratio, table } from '../lib/table.ts'
import type { ByHand } from './by-hand.ts'
import { type Place, rounds } from './place.ts'

const page = 50
const pagesARound = 20

export async function tail(place: Place, byHand: ByHand, longest: number): Promise<void> {
  const store = await place.open()
  const holdfast = await openHoldfast({ store })
  const hand = await byHand.connect()
  const rows: string[][] = []
  for (const length of [100, 1_000, longest]) {
    const chat = await byHand.create()
    await byHand.fill(chat, length)
    const session = await holdfast.sessions.create({ agentId: 'bench' })
    await fill(session, length)
    const range = { direction: 'backward', limit: page, maxBytes: 1024 * 1024 } as const
    const timings = await interleave(
      [
        { name: 'hand-written', run: (count) => repeat(count, () => hand.last(chat, page)) },
        {
          name: 'the store alone',
          run: (count) => repeat(count, () => store.readEvents(DEFAULT_TENANT, session.id, range)),
        },
        {
          name: 'events',
          run: (count) => repeat(count, () => session.events({ limit: page, direction: 'backward' })),
        },
        { name: 'messages', run: (count) => repeat(count, () => session.messages({ limit: page })) },
      ],
      rounds,
      pagesARound,
    )
    const typical = timings.map(({ perPiece }) => median(perPiece))
    const [base = 0] = typical
    rows.push([length.toLocaleString('en'), ...typical.map((time) => `${ms(time)}  ${ratio(time, base)}`)])
  }
  await hand.end()
  await holdfast.close()
  await store.close()
  const header = ['N', 'hand-written', 'the store alone', 'events', 'messages']
  console.log(`\nLast ${page} of N messages\n\n${table(header, rows)}`)
}
