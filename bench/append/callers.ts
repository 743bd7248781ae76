/** 64 callers, each waiting for its own ack before its next turn. */
import {
  type CreatedSession,
  type Holdfast,
  openHoldfast,
  type Store,
  type StoreFactory,
} from '@holdfast/core'
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
const turnsEach = 500
const numbers = Array.from({ length: callers }, (_, n) => n)
const messages = numbers.map(turn)

export async function manyCallers(): Promise<void> {
  const folder = temporaryFolder()
  const baseline = openBaseline(folder.path('baseline.db'))
  const here = await Callers.on(sqlite(folder.path('holdfast.db')))
  const threaded = await Callers.on(sqlite(folder.path('threaded.db'), { writer: 'thread' }))
  const same: SameCommit[] = []
  for (const _ of numbers) same.push(await commitOfTurn(here.store))
  const turns = numbers.map((session) => ({ session, user: text(session), assistant: text(session + 1) }))
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
        run: (count) => repeat(count / callers, () => SameCommit.write(here.store, same)),
      },
      { name: 'holdfast', run: (count) => here.run(count), warm: () => here.warm() },
      {
        name: 'holdfast with a writer thread',
        run: (count) => threaded.run(count),
        warm: () => threaded.warm(),
      },
    ],
    rounds,
    callers * sized(turnsEach),
  )
  await here.close()
  await threaded.close()
  baseline.close()
  folder.remove()
  section(
    `${callers} callers, durable turns`,
    table(timeHeader, rateRows(timings)),
    `An ack came after ${here.latency()}; with a writer thread after ${threaded.latency()}. Target: 25,000/s, p99 at most 10 ms.`,
  )
}

/** Each has a session of its own, and one turn under way. */
class Callers {
  readonly store: Store
  readonly #holdfast: Holdfast
  readonly #sessions: readonly CreatedSession[]
  #waits: number[] = []

  private constructor(store: Store, holdfast: Holdfast, sessions: readonly CreatedSession[]) {
    this.store = store
    this.#holdfast = holdfast
    this.#sessions = sessions
  }

  static async on(factory: StoreFactory): Promise<Callers> {
    const store = await factory.open({})
    const holdfast = await openHoldfast({ store })
    const sessions = numbers.map(() => holdfast.sessions.create({ agentId: 'bench' }))
    return new Callers(store, holdfast, await Promise.all(sessions))
  }

  async run(count: number): Promise<void> {
    await Promise.all(
      this.#sessions.map((session, n) => this.#call(session, messages[n] ?? [], count / callers)),
    )
  }

  #call(session: CreatedSession, said: ReturnType<typeof turn>, turns: number): Promise<void> {
    return repeat(turns, async () => {
      const start = performance.now()
      await session.append(said)
      this.#waits.push(performance.now() - start)
    })
  }

  warm(): void {
    this.#waits = []
  }

  latency(): string {
    return `${ms(median(this.#waits))} (p50), ${ms(percentile(this.#waits, 0.99))} (p99)`
  }

  async close(): Promise<void> {
    await this.#holdfast.close()
    await this.store.close()
  }
}
