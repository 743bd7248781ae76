/**
 * What agents spend is what their provider bills: thousands of attempts, answered, refused and tried again, cut off, stopped by
 * a person, made with another model, by children and for summaries. Each tree's totals and the tenant's are the bill's, to
 * the token and the micro-cent.
 *
 * `npm run prove:agent-ledger -- --attempts 50000 --seed 7`; `--planted` is a client that tries again by itself, unseen, and
 * must fail.
 */
import { join } from 'node:path'
import type { LanguageModelV4, LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { type AgentSession, defineAgent, defineTool, spawnChild, withAgents } from '@holdfast/agent'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { z } from 'zod'
import { AgentBill, prices, treeOf, words } from './lib/agent/agent-bill.ts'
import { billingModel, type Planned } from './lib/agent/billing-model.ts'
import { knobs } from './lib/args.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { summarize } from './lib/summary.ts'

const { attempts, seed, planted } = knobs({ attempts: 5_000, planted: false })
console.log(`agent-ledger: ${attempts} attempts, seed ${seed}${planted ? ', planted: unseen retries' : ''}`)

const trees = 48
const random = new Random(seed)
const bill = new AgentBill()
const ends: Record<string, number> = {}
const sessions: AgentSession[] = []
let calls = 0

const note = defineTool({
  ...{ name: 'note', description: 'Notes it', input: z.object({ n: z.number() }) },
  execute: () => 'noted',
})
const holdfast = await openHoldfast({
  store: sqlite(join(temporaryFolder(), 'holdfast.db'), { durability: 'normal', search: false }),
})
await holdfast.priceBooks.put('book', { prices })
await holdfast.priceBooks.setCurrent('book')
const agents = withAgents(holdfast, {
  agents: [
    defineAgent({
      id: 'main',
      model: [modelOf('main'), modelOf('second')],
      tools: [note, spawnChild({ agents: { helper: 'helps' } })],
    }),
    defineAgent({ id: 'helper', model: modelOf('helper'), tools: [note] }),
  ],
  random: () => 0,
})
await Promise.all(Array.from({ length: trees }, (_, tree) => spend(tree)))
await agents.idle()
const wrong = await differences()
await agents.close()
await holdfast.close()

for (const fault of wrong.slice(0, 10)) console.error(fault)
const { whole: _whole, ...troubles } = ends
const ofChildren = bill.lines.filter(({ model }) => model === 'helper').length
summarize({
  seed,
  counted: { attempts: bill.lines.length, ...troubles, 'of children': ofChildren },
  faults: { wrong: wrong.length },
})

function modelOf(modelId: string): LanguageModelV4 {
  const model = billingModel({
    modelId,
    plan,
    serve: (options, served) => bill.add(treeOf(options), served),
    hangs: (options) => void sessions[treeOf(options)]?.stop('too slow'),
  })
  return planted ? persistent(model) : model
}

/** A planted bug: what is refused is asked for once more, and nobody hears of the first. */
function persistent(model: LanguageModelV4): LanguageModelV4 {
  const doStream: LanguageModelV4['doStream'] = async (options) => {
    try {
      return await model.doStream(options)
    } catch {
      return model.doStream(options)
    }
  }
  return { ...model, doStream }
}

/** Turn after turn, until enough was billed. */
async function spend(tree: number): Promise<void> {
  const session = await agents.create({ agentId: 'main', id: `tree-${tree}` })
  sessions[tree] = session
  while (bill.lines.length < attempts) {
    await session.send(`#${tree} and so on`).result
    if (random.chance(0.1)) await session.compact()
  }
}

function plan(options: LanguageModelV4CallOptions): Planned {
  const { tools = [] } = options
  const promptTokens = 1 + random.below(5_000)
  const used = {
    promptTokens,
    cachedReadTokens: random.below(promptTokens),
    completionTokens: random.below(900),
  }
  const text = `#${treeOf(options)} ${'word '.repeat(1 + random.below(20))}`
  const end = tools.length === 0 ? 'whole' : endOf(tools.length > 1)
  ends[end] = (ends[end] ?? 0) + 1
  return { ...used, text, end, ...(end === 'whole' && { calls: callsOf(tools.length, treeOf(options)) }) }
}

/** Only a root is stopped by a person: a child is by its parent's end. */
function endOf(isRoot: boolean): Planned['end'] {
  const chance = random.below(100)
  if (chance < 8) return 'busy'
  if (chance < 12) return 'unknown'
  if (chance < 17) return 'cut'
  if (chance < 21) return 'broken'
  return chance < 24 && isRoot ? 'hang' : 'whole'
}

function callsOf(tools: number, tree: number): NonNullable<Planned['calls']> {
  calls += 1
  if (tools > 0 && random.chance(0.3)) return [{ id: `c${calls}`, name: 'note', input: { n: calls } }]
  if (tools < 2 || !random.chance(0.15)) return []
  const task = `#${tree} a part`
  return [{ id: `c${calls}`, name: 'spawn_child', input: { agent: 'helper', task } }]
}

async function differences(): Promise<string[]> {
  const found: string[] = []
  const compare = (what: string, told: string, billed: string) => {
    if (told !== billed) found.push(`${what}: told ${told}; billed ${billed}`)
  }
  for (const tree of sessions.keys())
    compare(
      `tree ${tree}`,
      words(await holdfast.usage.totals({ rootSessionId: `tree-${tree}` })),
      bill.sums(tree),
    )
  compare('the tenant', words(await holdfast.usage.totals()), bill.sums())
  return found
}
