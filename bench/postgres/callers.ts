/** 64 callers, each waiting for its own ack before its next turn. */
import { openHoldfast } from '@holdfast/core'
import { type Contender, interleave, median, percentile, repeat } from '../lib/measure.ts'
import { commitOfTurn, SameCommit } from '../lib/same-commit.ts'
import { ms, perSecond, table } from '../lib/table.ts'
import { turn } from '../lib/text.ts'
import type { ByHand, Hand } from './by-hand.ts'
import { type Place, rounds } from './place.ts'

const callers = 64
const turnsEach = 200

export async function manyCallers(place: Place, byHand: ByHand): Promise<void> {
  const store = await place.open()
  const holdfast = await openHoldfast({ store })
  const ids = Array.from({ length: callers })
  const sessions = await Promise.all(ids.map(() => holdfast.sessions.create({ agentId: 'bench' })))
  const same: SameCommit[] = []
  for (const _ of ids) same.push(await commitOfTurn(store))
  const chats: string[] = []
  for (const _ of ids) chats.push(await byHand.create())
  const hands: Hand[] = []
  while (hands.length < 10) hands.push(await byHand.connect())
  const waits: number[] = []

  const batched = (connections: number): Contender => ({
    name: `hand-written, ${callers / connections} turns a statement, ${connections} connections`,
    run: (count) =>
      together(hands.slice(0, connections), shares(chats, connections), (hand, share) =>
        repeat(count / callers, (n) => hand.appendAll(share, n)),
      ),
  })
  const alone = (lanes: number): Contender => ({
    name: `the store alone, ${callers / lanes} turns a commit, ${lanes} at once`,
    run: (count) =>
      together(shares(same, lanes), shares(same, lanes), (share) =>
        repeat(count / callers, () => SameCommit.write(store, share)),
      ),
  })
  const timings = await interleave(
    [
      {
        name: 'hand-written, a turn a statement, 10 connections',
        run: (count) =>
          together(hands, shares(chats, hands.length), (hand, share) =>
            repeat(count / callers, (n) => repeat(share.length, (i) => hand.append(share[i] as string, n))),
          ),
      },
      batched(1),
      batched(2),
      batched(4),
      alone(1),
      alone(store.commitLanes),
      {
        name: 'holdfast',
        run: async (count) => {
          const each = async (session: (typeof sessions)[number]) =>
            repeat(count / callers, async (n) => {
              const start = performance.now()
              await session.append(turn(n))
              waits.push(performance.now() - start)
            })
          await Promise.all(sessions.map(each))
        },
      },
    ],
    rounds,
    callers * turnsEach,
  )
  await Promise.all(hands.map((hand) => hand.end()))
  await holdfast.close()
  await store.close()
  const rows = timings.map(({ name, perPiece }) => [
    name,
    perSecond(1_000 / median(perPiece)),
    `${perSecond(1_000 / Math.max(...perPiece))} – ${perSecond(1_000 / Math.min(...perPiece))}`,
  ])
  console.log(`\n${callers} callers, durable turns\n\n${table(['', 'median', 'rounds'], rows)}`)
  console.log(`\nholdfast ack: p50 ${ms(median(waits))}, p99 ${ms(percentile(waits, 0.99))}`)
}

/** Every nth of them. */
function shares<T>(items: readonly T[], count: number): T[][] {
  return Array.from({ length: count }, (_, share) => items.filter((_, index) => index % count === share))
}

async function together<A, B>(
  lanes: readonly A[],
  work: readonly B[],
  run: (lane: A, share: B) => Promise<void>,
): Promise<void> {
  await Promise.all(lanes.map((lane, index) => run(lane, work[index] as B)))
}
