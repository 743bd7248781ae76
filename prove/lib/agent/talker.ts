/** An agent that talks for ever, with a tool whose outputs are long, and is asked now and then for a summary of it all. */
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { type Agent, defineAgent, defineTool } from '@holdfast/agent'
import { z } from 'zod'
import type { Random } from '../random.ts'
import { billingModel, type Planned } from './billing-model.ts'

/** What comes when a summary is asked for. `growing`: more than it stands for. `failing`: nothing. */
export const summaries = ['good', 'blank', 'growing', 'failing'] as const
export type Summary = (typeof summaries)[number]

export interface TalkerTerms {
  agentId: string
  summary: Summary
  random: Random
  /** Told of every prompt but those that ask for a summary. */
  onPrompt(prompt: LanguageModelV4CallOptions['prompt']): void
}

const roundsOfTurn = 8

export function talker({ agentId, summary, random, onPrompt }: TalkerTerms): Agent {
  let calls = 0
  const used = { promptTokens: 1, cachedReadTokens: 0, completionTokens: 1 }
  const plan = ({ prompt, tools = [] }: LanguageModelV4CallOptions): Planned => {
    if (tools.length === 0) return { ...used, ...summaryOf(summary) }
    onPrompt(prompt)
    calls += 1
    const text = words(random, 60)
    if (calls % roundsOfTurn === 0) return { ...used, text, end: 'whole' }
    const read = { id: `c${calls}`, name: 'read', input: { words: random.below(500) } }
    return { ...used, text, calls: [read], end: 'whole' }
  }
  const read = defineTool({
    ...{ name: 'read', description: 'Reads something long', input: z.object({ words: z.number() }) },
    execute: ({ words: count }) => words(random, count),
  })
  const model = billingModel({ modelId: 'talker', plan, serve: () => undefined })
  return defineAgent({ id: agentId, model, tools: [read], maxRounds: 10 * roundsOfTurn, maxAttempts: 1 })
}

function summaryOf(summary: Summary): Pick<Planned, 'text' | 'end'> {
  switch (summary) {
    case 'good':
      return { text: 'They read one thing after another.', end: 'whole' }
    case 'blank':
      return { text: ' ', end: 'whole' }
    case 'growing':
      return { text: 'and another thing was read, '.repeat(20_000), end: 'whole' }
    case 'failing':
      return { text: '', end: 'unknown' }
  }
}

const vocabulary = [
  'warehouse',
  'ledger',
  'Thursday',
  'harbour',
  'quietly',
  'seven',
  'blue',
  'engine',
  'of',
  'the',
]

export function words(random: Random, most: number): string {
  return Array.from({ length: 1 + random.below(Math.max(1, most)) }, () => random.pick(vocabulary)).join(' ')
}
