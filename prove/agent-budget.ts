/**
 * A budget of money is never passed: sixteen children of one parent spend at once, answered in an order of chance, by a provider
 * that gives as much as it was allowed. What it bills is added up as it comes, and never more than the tree may spend.
 *
 * `npm run prove:agent-budget -- --trees 200 --seed 7`; `--planted` reserves nothing before a call and must fail.
 */
import { join } from 'node:path'
import type { LanguageModelV4, LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { defineAgent, defineTool, spawnChild, withAgents } from '@holdfast/agent'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { tokenBudget } from '@holdfast/protocol'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { z } from 'zod'
import { costOf, prices, treeOf } from './lib/agent/agent-bill.ts'
import { billingModel, type Planned } from './lib/agent/billing-model.ts'
import { unreserved } from './lib/agent/unreserved.ts'
import { knobs } from './lib/args.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { summarize } from './lib/summary.ts'

const { trees, seed, planted } = knobs({ trees: 24, planted: false })
console.log(`agent-budget: ${trees} trees, seed ${seed}${planted ? ', planted: nothing is reserved' : ''}`)

const children = 16
const random = new Random(seed)
const counted = { trees, attempts: 0, 'ended at the limit': 0 }
const faults = { passed: 0, 'not the bill': 0 }
const spent = new Map<number, { limit: number; bill: number }>()
let calls = 0

const note = defineTool({
  ...{ name: 'note', description: 'Notes it', input: z.object({ n: z.number() }) },
  execute: () => 'noted',
})
const opened = await openHoldfast({
  store: sqlite(join(temporaryFolder(), 'holdfast.db'), { durability: 'normal', search: false }),
})
await opened.priceBooks.put('book', { prices })
await opened.priceBooks.setCurrent('book')
const agents = withAgents(planted ? unreserved(opened) : opened, {
  agents: [
    defineAgent({
      ...{ id: 'main', model: modelOf('main', planOfRoot), onLimit: 'end' },
      tools: [spawnChild({ agents: { helper: 'helps' } })],
    }),
    defineAgent({ id: 'helper', model: modelOf('helper', planOfChild), tools: [note], onLimit: 'end' }),
  ],
  pollMs: 0,
})
for (let tree = 0; tree < trees; tree++) await prove(tree)
await agents.close()
await opened.close()
summarize({ seed, counted, faults })

async function prove(tree: number): Promise<void> {
  const id = `tree-${tree}`
  const limit = 2_000_000 + random.below(30_000_000)
  spent.set(tree, { limit, bill: 0 })
  const budget = tokenBudget.parse({ maxContextTokens: 8_000, spend: { costMicrocents: limit } })
  const session = await agents.create({ agentId: 'main', id, budget })
  await session.send(`#${tree} do it all`).result
  await agents.idle()
  const { costMicrocents } = await opened.usage.totals({ rootSessionId: id })
  if (costMicrocents !== spent.get(tree)?.bill) faults['not the bill'] += 1
  const tree_ = await opened.sessions.tree(id)
  const ends = [tree_.session, ...tree_.children.map((child) => child.session)]
  counted['ended at the limit'] += ends.filter(({ outcome }) => outcome === 'failed').length
}

function modelOf(modelId: string, plan: (options: LanguageModelV4CallOptions) => Planned): LanguageModelV4 {
  return billingModel({
    modelId,
    plan,
    serve(options, served) {
      const tree = spent.get(treeOf(options))
      if (!tree) throw new Error('a call of no tree')
      tree.bill += costOf(served)
      counted.attempts += 1
      if (tree.bill > tree.limit) faults.passed += 1
    },
    pause: async () => {
      for (let turns = random.below(40); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve))
    },
  })
}

function planOfRoot(options: LanguageModelV4CallOptions): Planned {
  const isFirst = options.prompt.at(-1)?.role === 'user'
  const task = `#${treeOf(options)} a part`
  const input = { agent: 'helper', task }
  const spawned = Array.from({ length: children }, (_, n) => ({ id: `s${n}`, name: 'spawn_child', input }))
  return { ...used(options), ...(isFirst && { calls: spawned }) }
}

function planOfChild(options: LanguageModelV4CallOptions): Planned {
  calls += 1
  const goesOn = random.chance(0.7)
  return {
    ...used(options),
    ...(goesOn && { calls: [{ id: `c${calls}`, name: 'note', input: { n: calls } }] }),
  }
}

/** Mostly all that the call was allowed. */
function used({ prompt, maxOutputTokens = 2_000 }: LanguageModelV4CallOptions) {
  const promptTokens = countTokens(JSON.stringify(prompt.map(({ content }) => content)))
  const completionTokens = random.chance(0.6) ? maxOutputTokens : 1 + random.below(maxOutputTokens)
  return { promptTokens, cachedReadTokens: 0, completionTokens, text: 'So be it.', end: 'whole' as const }
}
