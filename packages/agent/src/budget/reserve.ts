/**
 * What a model call may use at most is reserved before it starts, in the commit that says how large its context is, and
 * settled with its usage. A call that would pass what remains is made with a shorter answer, or not at all.
 */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { HostCommand } from '@holdfast/core'
import { isHoldfastError, type PriceBook, toTime } from '@holdfast/protocol'
import type { World } from '../turn/world.ts'
import { boundOf, type Call, outputWithin } from './bound.ts'
import type { CallBudget } from './call-budget.ts'
import { LimitReached } from './limit.ts'

/** As much of a prepared call as its bound depends on. */
type Sized = { tokens: { total: number }; budget: CallBudget }

/** Who reserves: the worker of a run, or somebody while none is live. */
export interface Spender {
  readonly world: World
  /** Somebody said to go on although the price is not known. */
  readonly mayBeUnpriced: boolean
  /** A call of its own had a cost that nobody knows, though its model has a price. */
  readonly wasUnpriced?: boolean
  write(commands: readonly HostCommand[]): Promise<unknown>
}

export interface Reserved {
  reservationId?: string
  /** Absent: the model's own limit holds. */
  maxOutputTokens?: number
}

/** An answer that is cut shorter than this is none. */
const leastOutputTokens = 64
/** Our count of a prompt may be this far below the provider's. */
const marginPercent = 10

/** `beside` is written in the same commit, if there is one. Throws `LimitReached`; then it is not written. */
export async function reserve(
  spender: Spender,
  prepared: Sized,
  { provider, modelId }: LanguageModelV4,
  beside: readonly HostCommand[],
): Promise<Reserved> {
  const { budget } = prepared
  const chosen = budget.maxOutputTokens === undefined ? {} : { maxOutputTokens: budget.maxOutputTokens }
  if (!budget.isSpend) return chosen
  const book = (await spender.world.holdfast.priceBooks.inForce())?.body
  const call = {
    providerId: provider,
    model: modelId,
    promptTokens: withMargin(prepared),
    maxOutputTokens: budget.outputTokens,
  }
  return reserveCall(spender, call, book, beside)
}

function withMargin({ tokens, budget }: Sized): number {
  return Math.ceil(tokens.total * (1 + marginPercent / 100)) + budget.marginTokens
}

async function reserveCall(
  spender: Spender,
  call: Call,
  book: PriceBook | undefined,
  beside: readonly HostCommand[],
): Promise<Reserved> {
  const at = toTime(spender.world.now())
  const remaining: { tokens?: number; costMicrocents?: number } = {}
  let { maxOutputTokens } = call
  for (;;) {
    const refused = await tryReserve(spender, { ...call, maxOutputTokens }, book, beside)
    if ('reservationId' in refused) return { ...refused, maxOutputTokens }
    const { amount, left } = refused
    remaining[amount] = left
    const shorter = outputWithin({ ...call, maxOutputTokens }, remaining, book, at)
    if (shorter === undefined || shorter < leastOutputTokens || shorter === maxOutputTokens)
      throw new LimitReached(
        amount,
        `The next model call may take more than the ${left} ${amount} that are left.`,
      )
    maxOutputTokens = shorter
  }
}

type Refused = { amount: 'tokens' | 'costMicrocents'; left: number }

async function tryReserve(
  spender: Spender,
  call: Call,
  book: PriceBook | undefined,
  beside: readonly HostCommand[],
): Promise<{ reservationId: string } | Refused> {
  const reservationId = spender.world.ids.next()
  const { tokens, ...cost } = boundOf(call, book, toTime(spender.world.now()))
  const bound = spender.wasUnpriced ? { tokens } : { tokens, ...cost }
  const priced = spender.mayBeUnpriced ? { costMicrocents: 0, ...bound } : bound
  try {
    await spender.write([...beside, { type: 'reserveBudget', reservationId, toolCalls: 0, ...priced }])
    return { reservationId }
  } catch (error) {
    if (isHoldfastError(error, 'price_unknown'))
      throw new LimitReached('price', unpriced(call, spender.wasUnpriced ?? false))
    if (!isHoldfastError(error, 'budget_exceeded')) throw error
    const { amount, remaining } = error.details as {
      amount: Refused['amount'] | 'toolCalls'
      remaining: number
    }
    if (amount === 'toolCalls') throw new LimitReached(amount, 'No tool calls are left.')
    return { amount, left: remaining }
  }
}

function unpriced({ model }: Call, wasUnpriced: boolean): string {
  return wasUnpriced
    ? `The budget is in money, and nobody knows what the last call of ${model} cost.`
    : `The budget is in money, and the price of ${model} is not known.`
}

export function settlement({ reservationId }: Reserved): HostCommand[] {
  return reservationId === undefined ? [] : [{ type: 'settleBudget', reservationId }]
}
