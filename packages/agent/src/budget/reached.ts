/** What becomes of a run at a limit, and of its answer: raised, gone on with, or stopped. */
import { type TokenBudget, tokenBudget } from '@holdfast/protocol'
import type { Standing } from '../turn/standing.ts'
import type { Turn } from '../turn/turn.ts'
import { CONTINUE, type Limit, type LimitReached, limitQuestion, RAISE } from './limit.ts'

/** A child's limits are its parent's: it ends, and its parent sees why. */
export async function limitReached(turn: Turn, reached: LimitReached): Promise<void> {
  const { parentSessionId } = await turn.session.view()
  const ends = turn.agent.onLimit === 'end' || parentSessionId !== undefined
  if (ends) await turn.run.fail(reached.message, codeOf(reached.limit))
  else await turn.ask(limitQuestion(reached, turn.world.ids.next()))
}

function codeOf(limit: Limit): string {
  if (limit === 'price') return 'price_unknown'
  return limit === 'loop' ? 'loop_detected' : 'budget_exceeded'
}

/** Does what was answered at the last limit. Whether the run goes on. */
export async function limitAnswered(turn: Turn, { limit }: Standing): Promise<boolean> {
  if (!limit) return true
  const answer = typeof limit.answered === 'object' ? limit.answered.answer : undefined
  if (answer === CONTINUE) return true
  if (answer !== RAISE) {
    await turn.run.fail(`The turn was stopped at its limit: ${limit.of}.`, codeOf(limit.of))
    return false
  }
  if (!limit.isRaised) await raise(turn, limit.of)
  return true
}

/** To twice what it was. Once: the budget's own event says that it was done. */
async function raise(turn: Turn, limit: Limit): Promise<void> {
  const { budget } = await turn.session.view()
  await turn.run.batch([{ type: 'setBudget', budget: raised(budget ?? tokenBudget.parse({}), limit) }])
}

function raised(budget: TokenBudget, limit: Limit): TokenBudget {
  const before = budget.spend[limit as keyof TokenBudget['spend']] ?? 0
  return { ...budget, spend: { ...budget.spend, [limit]: Math.max(before * 2, before + 1) } }
}
