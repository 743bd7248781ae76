/** The last 50 messages of a session, whatever its length. */
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import { fill } from '../lib/fill.ts'
import { type Contender, interleave, median, repeat } from '../lib/measure.ts'
import { ms, ratio, table } from '../lib/table.ts'
import type { ByHand, Hand } from './by-hand.ts'
import { type Place, rounds, type Store } from './place.ts'

const page = 50
const pagesARound = 20
const names = ['hand-written', 'the store alone', 'events', 'messages']

/** All lengths in every round: what else the machine does hits the long session no more than the short one. */
export async function tail(place: Place, byHand: ByHand, longest: number): Promise<void> {
  const store = await place.open()
  const holdfast = await openHoldfast({ store })
  const hand = await byHand.connect()
  const lengths = [100, 1_000, longest]
  const contenders: Contender[] = []
  for (const length of lengths)
    contenders.push(...(await readersOf(length, { store, holdfast, byHand, hand })))
  await place.settle()
  const timings = await interleave(contenders, rounds, pagesARound)
  await hand.end()
  await holdfast.close()
  await store.close()
  const typical = timings.map(({ perPiece }) => median(perPiece))
  const rows = lengths.map((length, n) => {
    const [base = 0, ...others] = typical.slice(n * names.length, (n + 1) * names.length)
    return [
      length.toLocaleString('en'),
      ...[base, ...others].map((time) => `${ms(time)}  ${ratio(time, base)}`),
    ]
  })
  console.log(`\nLast ${page} of N messages\n\n${table(['N', ...names], rows)}`)
}

interface Places {
  store: Store
  holdfast: Holdfast
  byHand: ByHand
  hand: Hand
}

/** Of a session of this length, in the order of their names. */
async function readersOf(length: number, { store, holdfast, byHand, hand }: Places): Promise<Contender[]> {
  const chat = await byHand.create()
  await byHand.fill(chat, length)
  const session = await holdfast.sessions.create({ agentId: 'bench' })
  await fill(session, length)
  const range = { direction: 'backward', limit: page, maxBytes: 1024 * 1024 } as const
  const reads = [
    () => hand.last(chat, page),
    () => store.readEvents(DEFAULT_TENANT, session.id, range),
    () => session.events({ limit: page, direction: 'backward' }),
    () => session.messages({ limit: page }),
  ]
  return reads.map((read, n) => ({ name: names[n] as string, run: (count) => repeat(count, read) }))
}
