/** What remains of a spend budget: the limit less what was spent, what is reserved, what is granted and what children spent. */
import type { SpendLimits } from '@holdfast/protocol'
import type { BudgetPart, Head } from './state.ts'

/** Amounts that can be reserved and granted. Wall time is the worker's to watch: it only runs while a worker does. */
export type Amount = 'tokens' | 'costMicrocents' | 'toolCalls'
export const amounts = ['tokens', 'costMicrocents', 'toolCalls'] as const satisfies readonly Amount[]

/** Absent: no limit. Less than zero after an overrun, which is recorded, never hidden. */
export type Remainder = { [A in Amount]?: number }

export function remainderOf(head: Head, part: BudgetPart | undefined): Remainder {
  const limits: SpendLimits = part?.budget?.spend ?? {}
  const used = usedBy(head)
  return Object.fromEntries(
    amounts.flatMap((amount) =>
      limits[amount] === undefined ? [] : [[amount, limits[amount] - used[amount]]],
    ),
  )
}

function usedBy({ counters, spend }: Head): Record<Amount, number> {
  return {
    tokens:
      counters.promptTokens +
      counters.completionTokens +
      spend.reservedTokens +
      spend.grantedTokens +
      spend.childTokens,
    costMicrocents:
      counters.costMicrocents + spend.reservedMicrocents + spend.grantedMicrocents + spend.childMicrocents,
    toolCalls: spend.toolCalls + spend.reservedToolCalls + spend.grantedToolCalls + spend.childToolCalls,
  }
}
