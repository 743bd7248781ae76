/** A token budget with its defaults worked out: how large a context may be, when it is compacted, and down to what. */
import { type TokenBudget, tokenBudget } from '@holdfast/protocol'
import { type ContextRoom, contextRoom } from '../session/context-room.ts'

export interface ResolvedBudget extends ContextRoom {
  /** A context of this size or more is compacted. */
  triggerTokens: number
  /** What a compaction aims at: always below the trigger, so that it never triggers itself. */
  targetTokens: number
}

const targetBounds = { least: 20, most: 50 }

export function resolveBudget(budget: TokenBudget = tokenBudget.parse({})): ResolvedBudget {
  const room = contextRoom(budget)
  const triggerTokens = triggerOf(budget, room)
  const percent = Math.min(targetBounds.most, Math.max(targetBounds.least, budget.targetPercent))
  const targetTokens = Math.min(percentOf(room.windowTokens, percent), triggerTokens - 1)
  return { ...room, triggerTokens, targetTokens }
}

/**
 * A reserve for work ahead suits a large window; a small one would trigger at once, so it goes by a percentage. Never above
 * the room: a context that no longer fits must not count as one that need not be compacted.
 */
function triggerOf(budget: TokenBudget, { windowTokens, roomTokens }: ContextRoom): number {
  const reserve = budget.workingReserveTokens
  if (reserve === 0) return Math.min(roomTokens, percentOf(windowTokens, budget.triggerPercent))
  if (windowTokens >= 2 * reserve) return Math.min(roomTokens, windowTokens - reserve)
  return Math.min(roomTokens, percentOf(windowTokens, budget.fallbackTriggerPercent))
}

function percentOf(tokens: number, percent: number): number {
  return Math.floor((tokens * percent) / 100)
}
