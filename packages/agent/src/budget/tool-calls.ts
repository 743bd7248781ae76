/** Tool calls are counted with the message that makes them, and reserved in the same commit: all of them, or none runs. */
import type { HostCommand } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import type { WantedCall } from '../model/reply.ts'
import type { Turn } from '../turn/turn.ts'
import { LimitReached } from './limit.ts'

/** Writes `said`, which makes the calls. Throws `LimitReached` when they are more than remain: then they are written as denied. */
export async function sayWithin(
  turn: Turn,
  calls: readonly WantedCall[],
  said: readonly HostCommand[],
): Promise<void> {
  const reservationId = turn.world.ids.next()
  const reserved: HostCommand = {
    type: 'reserveBudget',
    reservationId,
    tokens: 0,
    costMicrocents: 0,
    toolCalls: calls.length,
  }
  try {
    await turn.run.batch([reserved, ...said, { type: 'settleBudget', reservationId }])
  } catch (error) {
    if (!isHoldfastError(error, 'budget_exceeded') || error.details.amount !== 'toolCalls') throw error
    const left = Number(error.details.remaining)
    await turn.run.batch([...said, ...calls.map(denied)])
    throw new LimitReached(
      'toolCalls',
      `${calls.length} tool calls were wanted, ${Math.max(0, left)} are left.`,
    )
  }
}

/** The result of a call that a limit stopped before it ran. */
export function denied({ callId }: WantedCall): HostCommand {
  return {
    type: 'finishTool',
    callId,
    output: 'Not run: a limit was reached.',
    outcome: 'denied',
  }
}
