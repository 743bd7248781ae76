/** What a durable turn of an agent costs on SQLite, over a bare `streamText` loop with the same model and the same tool. */
import { BareLoop, DurableTurns, type TurnContender } from './agent/contenders.ts'
import { interleave, median, repeat } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { rounds, sized } from './lib/size.ts'
import { count, ms, section, spread, table } from './lib/table.ts'
import { group, timeHeader, timeRows } from './lib/timing-rows.ts'

const lengths = [0, 1_000, 5_000]
const roundsMeasured = 100
const roundsOfTurn = 10
const turnsForFirst = 5

export async function agent(): Promise<void> {
  const folder = temporaryFolder()
  const bare = new BareLoop()
  const durable = await DurableTurns.on(folder.path('holdfast.db'))
  await warmUp(bare, durable)
  const perRound: string[][] = []
  const first: string[][] = []
  for (const length of lengths.map(sized)) {
    await durable.growTo(length)
    const [one, many, started] = [await begun(durable), await begun(durable), await begun(durable)]
    const timings = await interleave(
      [
        { name: 'streamText alone', run: (made) => inTurnsOf(made, bare, made) },
        { name: 'holdfast, one turn', run: (made) => inTurnsOf(made, one, made) },
        {
          name: `holdfast, ${roundsOfTurn} rounds a turn`,
          run: (made) => inTurnsOf(roundsOfTurn, many, made),
        },
      ],
      rounds,
      sized(roundsMeasured),
    )
    perRound.push(...group(count(length), timeRows(timings)))
    const contenders = { 'streamText alone': bare, holdfast: started }
    first.push(...group(count(length), await firstTexts(contenders)))
  }
  await durable.close()
  folder.remove()
  section(
    'A round of an agent',
    table(['rounds before', ...timeHeader], perRound),
    'A model call and one tool call, with the model answering at once; `streamText` begins each turn with an empty history. Target: at most 1.5 ms more, at every length.',
  )
  section(
    'The first text of an answer',
    table(['rounds before', '', 'median', 'least and most'], first),
    'From the question to its first words, of an answer that comes piece by piece. Target: at most 2 ms more.',
  )
}

/** After its first turn: a process that has not seen a session yet reads its context once. */
async function begun(durable: DurableTurns): Promise<TurnContender> {
  const session = await durable.begin()
  await session.turn(1)
  return session
}

function inTurnsOf(each: number, contender: TurnContender, made: number): Promise<void> {
  return repeat(Math.ceil(made / each), () => contender.turn(Math.min(made, each)))
}

/** Code that just started is not what is asked for. */
async function warmUp(bare: BareLoop, durable: DurableTurns): Promise<void> {
  const session = await durable.begin()
  for (const contender of [bare, session, bare, session]) await contender.turn(sized(roundsMeasured))
}

async function firstTexts(contenders: Record<string, TurnContender>): Promise<string[][]> {
  const times = Object.keys(contenders).map((): number[] => [])
  for (let turn = 0; turn < rounds * sized(turnsForFirst); turn++)
    for (const [at, contender] of Object.values(contenders).entries())
      times[at]?.push(await contender.firstText())
  return Object.keys(contenders).map((name, at) => [
    name,
    ms(median(times[at] ?? [])),
    spread(times[at] ?? [], ms),
  ])
}
