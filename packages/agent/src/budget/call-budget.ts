/** What a session's budget says about one model call. */
import { type ResolvedBudget, resolveBudget } from '@holdfast/core'
import type { TokenBudget } from '@holdfast/protocol'

export interface CallBudget extends ResolvedBudget {
  /** What an answer may have, where somebody said so. */
  maxOutputTokens?: number
  /** There is a limit to what may be spent. */
  isSpend: boolean
  /** Milliseconds that workers may spend on one turn. */
  wallMs?: number
}

export function callBudget(budget: TokenBudget | undefined): CallBudget {
  const { tokens, costMicrocents, toolCalls, wallMs } = budget?.spend ?? {}
  const isSpend = [tokens, costMicrocents, toolCalls].some((limit) => limit !== undefined)
  const chosen = budget?.maxOutputTokens
  return {
    ...resolveBudget(budget),
    isSpend,
    ...(chosen !== undefined && { maxOutputTokens: chosen }),
    ...(wallMs !== undefined && { wallMs }),
  }
}
