/**
 * However long a session grows, what its model is sent fits: a thousand rounds with long outputs, with a model that summarises
 * well, says nothing, says too much or fails, and long sessions that other programs wrote. At every round the prompt is
 * within its budget, holds what is pinned, and has a result for each call; all that was said is found to the end; and a summary
 * that cannot hold leaves in force what was.
 *
 * `npm run prove:agent-context -- --rounds 5000 --seed 7`; `--transcripts <folder>` goes on with the longest sessions there. `--planted`
 * pins nothing and must fail.
 */
import { join } from 'node:path'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { importPaths } from '@holdfast/transcripts'
import { Talk, type TalkFaults } from './lib/agent/talk.ts'
import { type Summary, summaries } from './lib/agent/talker.ts'
import { knobs } from './lib/args.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { summarize } from './lib/summary.ts'

const { rounds, transcripts, seed, planted } = knobs({ rounds: 1_000, transcripts: '', planted: false })
console.log(`agent-context: ${rounds} rounds, seed ${seed}${planted ? ', planted: nothing is pinned' : ''}`)

const facts = ['PINNED the code is 4711', 'PINNED nobody calls before noon'] as const
const windowTokens = 8_000
/** Real rounds are longer, and the last of them stay as they are. */
const transcriptWindowTokens = 12_000
const mostTranscripts = 12
const turnsEach = 5
/** Of all rounds, those with each kind of summary that does not hold. */
const shareOfBad = 1 / 5

const random = new Random(seed)
const folder = temporaryFolder()
const counted = {
  ...{ rounds: 0, summaries: 0, 'failed summaries': 0, 'without a model': 0 },
  ...{ 'found again': 0, transcripts: 0 },
}
const faults: Record<keyof TalkFaults, number> = {
  ...{ 'beyond the budget': 0, 'pinned lost': 0, unpaired: 0 },
  ...{ 'not found again': 0, 'held after a failure': 0, 'ended early': 0 },
}

await opened('talks', async (holdfast) => {
  for (const summary of summaries) await talkOn(holdfast, summary)
})
if (transcripts !== '') await opened('transcripts', goOnWithTheLongest)
summarize({ seed, counted, faults })

async function opened(name: string, work: (holdfast: Holdfast) => Promise<void>): Promise<void> {
  const store = sqlite(join(folder, `${name}.db`), { durability: 'normal' })
  await using holdfast = await openHoldfast({ store })
  await work(holdfast)
}

async function talkOn(holdfast: Holdfast, summary: Summary): Promise<void> {
  const talk = new Talk({
    ...{ holdfast, id: summary, agentId: 'talker', windowTokens, summary, random },
    unpinned: planted,
  })
  await talk.begin()
  await talk.pin(facts[0])
  const most = summary === 'good' ? rounds : rounds * shareOfBad
  while (talk.rounds < most) {
    if (talk.turns === 5) await talk.pin(facts[1])
    if (!(await talk.say())) break
    if (summary !== 'good' && talk.turns > 4) await talk.refuseSummary()
  }
  await judge(talk)
}

/** Each is forked for an agent, which takes it up where it stands. */
async function goOnWithTheLongest(holdfast: Holdfast): Promise<void> {
  await importPaths(holdfast, [transcripts])
  const { sessions } = await holdfast.sessions.list({}, { limit: 1_000 })
  const longest = sessions.toSorted((a, b) => b.counters.messageCount - a.counters.messageCount)
  for (const { id: original } of longest.slice(0, mostTranscripts)) {
    const { id } = await holdfast.sessions.at(original).fork({ agentId: 'talker' })
    const talk = new Talk({
      ...{ holdfast, id, agentId: 'talker', windowTokens: transcriptWindowTokens, summary: 'good', random },
      unpinned: planted,
    })
    await talk.begin()
    await talk.pin(facts[0])
    for (let turn = 0; turn < turnsEach; turn++) await talk.say()
    await judge(talk)
    counted.transcripts += 1
  }
}

async function judge(talk: Talk): Promise<void> {
  await talk.lookBack()
  const { held, modelFree, failed } = await talk.compactions()
  await talk.close()
  counted.rounds += talk.rounds
  counted.summaries += held
  counted['failed summaries'] += failed
  counted['without a model'] += modelFree
  counted['found again'] += talk.searched
  for (const [kind, found] of Object.entries(talk.faults)) blame(kind as keyof TalkFaults, found)
}

function blame(kind: keyof TalkFaults, found: readonly string[]): void {
  faults[kind] += found.length
  if (!planted) for (const fault of found.slice(0, 5)) console.error(`${kind}: ${fault}`)
}
