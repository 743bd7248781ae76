/** The bill of a provider, by the tree of sessions that a prompt names, and the ledger's sums in the same words. */
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import type { Holdfast } from '@holdfast/core'
import { provider, type Served } from './billing-model.ts'

/** Micro-cents per token. */
export const rates: Record<string, { prompt: number; cachedRead: number; completion: number }> = {
  main: { prompt: 300, cachedRead: 30, completion: 1_500 },
  second: { prompt: 250, cachedRead: 125, completion: 1_000 },
  helper: { prompt: 80, cachedRead: 8, completion: 400 },
}

/** The same as a price book: per million tokens. */
export const prices = Object.fromEntries(
  Object.entries(rates).map(([model, { prompt, cachedRead, completion }]) => [
    `${provider}/${model}`,
    { prompt: prompt * 1e6, cachedRead: cachedRead * 1e6, completion: completion * 1e6 },
  ]),
)

export function costOf({ model, promptTokens, cachedReadTokens, completionTokens }: Served): number {
  const rate = rates[model]
  if (!rate) throw new Error(`no rate for ${model}`)
  const fresh = promptTokens - cachedReadTokens
  return fresh * rate.prompt + cachedReadTokens * rate.cachedRead + completionTokens * rate.completion
}

/** `#7` anywhere in what is sent: everything that a tree of sessions is told begins with it. */
export function treeOf({ prompt }: LanguageModelV4CallOptions): number {
  const found = /#(\d+)/.exec(JSON.stringify(prompt))
  if (!found) throw new Error('the prompt names no tree')
  return Number(found[1])
}

export class AgentBill {
  readonly lines: (Served & { tree: number })[] = []

  add(tree: number, served: Served): void {
    this.lines.push({ ...served, tree })
  }

  /** Of one tree, or of all. */
  sums(tree?: number): string {
    const lines = this.lines.filter((line) => tree === undefined || line.tree === tree)
    const sum = (of: (line: Served) => number) => lines.reduce((total, line) => total + of(line), 0)
    return words({
      rows: lines.length,
      promptTokens: sum((line) => line.promptTokens),
      cachedReadTokens: sum((line) => line.cachedReadTokens),
      completionTokens: sum((line) => line.completionTokens),
      costMicrocents: sum(costOf),
    })
  }
}

type Sums = Pick<
  Awaited<ReturnType<Holdfast['usage']['totals']>>,
  'rows' | 'promptTokens' | 'cachedReadTokens' | 'completionTokens' | 'costMicrocents'
>

export function words({
  rows,
  promptTokens,
  cachedReadTokens,
  completionTokens,
  costMicrocents,
}: Sums): string {
  return `${rows} attempts, ${promptTokens} + ${completionTokens} tokens, ${cachedReadTokens} cached, ${costMicrocents} micro-cents`
}
