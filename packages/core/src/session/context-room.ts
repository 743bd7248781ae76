/** How much of a model's window is left for the context, once the output and a margin for miscounting are set aside. */
import { type TokenBudget, tokenBudget } from '@holdfast/protocol'

export interface ContextRoom {
  windowTokens: number
  outputTokens: number
  marginTokens: number
  /** What pressure is measured against. */
  roomTokens: number
}

const mostOutputTokens = 16_384
const marginBounds = { least: 100, most: 2_000 }

export function contextRoom(budget: TokenBudget = tokenBudget.parse({})): ContextRoom {
  const windowTokens = budget.maxContextTokens
  const outputTokens = budget.maxOutputTokens ?? Math.min(Math.floor(windowTokens / 4), mostOutputTokens)
  const marginTokens = budget.safetyMarginTokens ?? held(Math.floor(windowTokens / 100), marginBounds)
  return {
    windowTokens,
    outputTokens,
    marginTokens,
    roomTokens: Math.max(1, windowTokens - outputTokens - marginTokens),
  }
}

function held(value: number, { least, most }: { least: number; most: number }): number {
  return Math.min(most, Math.max(least, value))
}
