/** Spending: reserved before a call, settled after. No call starts whose upper bound is more than what remains. */
import { checkLimit } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import { type Decide, decided, readPart, refuse } from '../deciding.ts'
import { isLive } from '../lifecycle.ts'
import { type Amount, amounts, type Remainder, remainderOf } from '../remainder.ts'
import type { Head } from '../state.ts'
import { requireOwnRun, runLane } from './guard.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>

export const decideSetBudget: Decide<Only<'setBudget'>> = (_head, { budget }) => {
  return decided({ type: 'budget.set', data: { budget } })
}

/** The worker of a live run reserves; while none is live anyone who may write may. What they leave open the next run's end settles. */
export const decideReserveBudget: Decide<Only<'reserveBudget'>> = function* (head, command, env) {
  if (isLive(head.run)) requireOwnRun(head, env)
  const { tokens, costMicrocents, toolCalls, reservationId = env.ids.next() } = command
  const part = yield* readPart('budget')
  const open = part?.reservations ?? []
  if (open.some((reservation) => reservation.reservationId === reservationId)) {
    refuse('duplicate_id', `reservation ${reservationId} of session ${head.id} is open`, { reservationId })
  }
  checkLimit('openReservations', open.length + 1, `open reservations of session ${head.id}`)
  const remaining = remainderOf(head, part)
  if (costMicrocents === undefined && remaining.costMicrocents !== undefined) {
    refuse('price_unknown', `session ${head.id} has a money budget and the price of this call is unknown`, {
      remaining: remaining.costMicrocents,
    })
  }
  const wanted = { tokens, costMicrocents: costMicrocents ?? 0, toolCalls }
  requireWithin(head, remaining, wanted)
  return decided({ type: 'budget.reserved', data: { reservationId, ...wanted }, ...runLane(env) })
}

/** An amount that is not named has no bound, and so is more than any remainder. */
export function requireWithin(head: Head, remaining: Remainder, wanted: { [A in Amount]?: number }): void {
  for (const amount of amounts) {
    const left = remaining[amount]
    const asked = wanted[amount]
    if (left === undefined || (asked !== undefined && asked <= left)) continue
    refuse(
      'budget_exceeded',
      `session ${head.id} has ${left} ${amount} left of its budget; ${asked ?? 'an unbounded amount'} is more`,
      {
        amount,
        remaining: left,
        ...(asked !== undefined && { wanted: asked }),
      },
    )
  }
}

/** The worker of a live run settles; after its end anyone who may write may. */
export const decideSettleBudget: Decide<Only<'settleBudget'>> = function* (head, { reservationId }, env) {
  if (isLive(head.run)) requireOwnRun(head, env)
  const open = (yield* readPart('budget'))?.reservations ?? []
  if (!open.some((reservation) => reservation.reservationId === reservationId)) {
    refuse('reservation_not_open', `session ${head.id} has no open reservation ${reservationId}`, {
      reservationId,
    })
  }
  return decided({ type: 'budget.settled', data: { reservationId }, ...runLane(env) })
}
