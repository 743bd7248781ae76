/** One durable turn: a user message and its answer, 1 KiB each, on SQLite with every commit synced. */
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { openBaseline } from './lib/baseline.ts'
import { interleave, median, percentile, repeat, type Timing } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { ms, perSecond, ratio, spread, table } from './lib/table.ts'
import { text, turn } from './lib/text.ts'

const ROUNDS = Number(process.env.HOLDFAST_BENCH_ROUNDS ?? 7)
const CALLERS = 64

export async function append(): Promise<void> {
  await oneCaller()
  await growingSession()
  await manyCallers()
}

async function oneCaller(): Promise<void> {
  const folder = temporaryFolder()
  const baseline = openBaseline(folder.path('baseline.db'))
  const holdfast = await openHoldfast({ store: sqlite(folder.path('holdfast.db')) })
  const session = await holdfast.sessions.create({ agentId: 'bench' })
  let n = 0
  const timings = await interleave(
    [
      {
        name: 'hand-written better-sqlite3',
        run: (count) => repeat(count, () => baseline.append(1, text(n), text(n++))),
      },
      { name: 'holdfast', run: (count) => repeat(count, () => session.append(turn(n++))) },
    ],
    ROUNDS,
    400,
  )
  await holdfast.close()
  baseline.close()
  folder.remove()
  print('One caller, one turn a commit', timings)
}

function print(title: string, timings: readonly Timing[]): void {
  const base = median(timings[0]?.perPiece ?? [])
  const rows = timings.map(({ name, perPiece }) => [
    name,
    ms(median(perPiece)),
    spread(perPiece, ms),
    ratio(median(perPiece), base),
  ])
  console.log(`\n${title}\n\n${table(['', 'median turn', 'rounds', 'ratio'], rows)}`)
}

/** The same session from empty to 100,000 messages: the turn must cost the same. */
async function growingSession(): Promise<void> {
  const folder = temporaryFolder()
  const holdfast = await openHoldfast({ store: sqlite(folder.path('holdfast.db')) })
  const baseline = openBaseline(folder.path('baseline.db'))
  const session = await holdfast.sessions.create({ agentId: 'bench' })
  const rows: string[][] = []
  let messages = 0
  for (const size of [0, 1_000, 10_000, 100_000]) {
    while (messages < size) messages += await fill(session, baseline, Math.min(1_000, size - messages))
    const timings = await interleave(
      [
        { name: 'baseline', run: (count) => repeat(count, () => baseline.append(1, text(1), text(2))) },
        { name: 'holdfast', run: (count) => repeat(count, () => session.append(turn(messages))) },
      ],
      5,
      200,
    )
    messages += 2 * (5 * 200 + 50)
    const [base, ours] = timings.map(({ perPiece }) => median(perPiece)) as [number, number]
    rows.push([size.toLocaleString('en'), ms(base), ms(ours), ratio(ours, base)])
  }
  await holdfast.close()
  baseline.close()
  folder.remove()
  console.log(
    `\nOne caller, a growing session\n\n${table(['messages before', 'hand-written', 'holdfast', 'ratio'], rows)}`,
  )
}

async function fill(
  session: { append(messages: ReturnType<typeof turn>): Promise<unknown> },
  baseline: { appendAll(turns: { session: number; user: string; assistant: string }[]): void },
  messages: number,
): Promise<number> {
  const turns = Math.ceil(messages / 2)
  baseline.appendAll(
    Array.from({ length: turns }, (_, n) => ({ session: 1, user: text(n), assistant: text(n) })),
  )
  await Promise.all(Array.from({ length: turns }, (_, n) => session.append(turn(n))))
  return turns * 2
}

/** 64 callers, each waiting for its own ack before its next turn. */
async function manyCallers(): Promise<void> {
  const folder = temporaryFolder()
  const holdfast = await openHoldfast({ store: sqlite(folder.path('holdfast.db')) })
  const baseline = openBaseline(folder.path('baseline.db'))
  const sessions = await Promise.all(
    Array.from({ length: CALLERS }, () => holdfast.sessions.create({ agentId: 'bench' })),
  )
  const waits: number[] = []
  const each = async (session: (typeof sessions)[number], count: number) => {
    for (let n = 0; n < count; n++) {
      const start = performance.now()
      await session.append(turn(n))
      waits.push(performance.now() - start)
    }
  }
  const timings = await interleave(
    [
      {
        name: 'hand-written, one transaction a turn',
        run: (count) => repeat(count, (n) => baseline.append(n % CALLERS, text(n), text(n))),
      },
      {
        name: `hand-written, ${CALLERS} turns a transaction`,
        run: (count) => repeat(count / CALLERS, () => baseline.appendAll(turnsOfAll())),
      },
      {
        name: 'holdfast',
        run: async (count) =>
          void (await Promise.all(sessions.map((session) => each(session, count / CALLERS)))),
      },
    ],
    ROUNDS,
    CALLERS * 100,
  )
  await holdfast.close()
  baseline.close()
  folder.remove()
  const rows = timings.map(({ name, perPiece }) => [
    name,
    perSecond(1_000 / median(perPiece)),
    `${perSecond(1_000 / Math.max(...perPiece))} – ${perSecond(1_000 / Math.min(...perPiece))}`,
  ])
  console.log(`\n${CALLERS} callers, durable turns\n\n${table(['', 'median', 'rounds'], rows)}`)
  console.log(`\nholdfast ack: p50 ${ms(median(waits))}, p99 ${ms(percentile(waits, 0.99))}`)
}

function turnsOfAll() {
  return Array.from({ length: CALLERS }, (_, session) => ({
    session,
    user: text(session),
    assistant: text(session),
  }))
}
