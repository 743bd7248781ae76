/** The budget of an agent, refused where it is given: else nobody would hear of it before a session is made. */
import {
  HoldfastError,
  parseInput,
  spendLimits,
  type TokenBudgetInput,
  tokenBudget,
} from '@holdfast/protocol'
import type { z } from 'zod'

/** As it was given: what it leaves open is the session's to fill in. */
export function budgetOf(budget: TokenBudgetInput | undefined, what: string): TokenBudgetInput | undefined {
  if (budget === undefined) return undefined
  refuseUnknown(tokenBudget, budget, what)
  refuseUnknown(spendLimits, budget.spend, `${what}.spend`)
  parseInput(tokenBudget, budget, what)
  return budget
}

function refuseUnknown({ shape }: z.ZodObject, given: unknown, what: string): void {
  if (typeof given !== 'object' || given === null) return
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(shape, key))
  if (unknown === undefined) return
  const known = Object.keys(shape).join(', ')
  throw new HoldfastError('invalid_input', `${what}: unknown key ${unknown}; known are ${known}.`)
}
