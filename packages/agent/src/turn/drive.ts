/** A run from where it stands to where it rests: ended, suspended, or no longer ours. */
import { isHoldfastError } from '@holdfast/protocol'
import { LimitReached } from '../budget/limit.ts'
import { limitAnswered, limitReached } from '../budget/reached.ts'
import { messageOf } from '../message-of.ts'
import { unknownCalls } from '../tools/unknown-calls.ts'
import { ModelFailed } from './ask-model.ts'
import { Halted } from './halt.ts'
import { runRound } from './round.ts'
import type { Turn } from './turn.ts'

export async function drive(turn: Turn): Promise<void> {
  try {
    await rounds(turn)
  } catch (error) {
    await rest(turn, error)
  } finally {
    turn.wall.end()
  }
}

async function rounds(turn: Turn): Promise<void> {
  if (turn.standing && !(await limitAnswered(turn, turn.standing))) return
  for (;;) {
    turn.halting.check()
    if (isSpent(turn)) {
      await turn.run.fail(
        `the turn had ${turn.rounds} rounds, the most that its agent may make`,
        'too_many_rounds',
      )
      return
    }
    if (await runRound(turn)) return
  }
}

/** The next thing to do would be one round too many. */
function isSpent({ open, isRoundOpen, rounds, agent }: Turn): boolean {
  return open.length === 0 && !isRoundOpen && rounds >= agent.maxRounds
}

/** The run's one end after work that did not come to it. What another worker holds is left alone. */
async function rest(turn: Turn, error: unknown): Promise<void> {
  if (isHoldfastError(error, 'stale_epoch')) return
  if (error instanceof Halted) return halted(turn, error)
  if (error instanceof LimitReached) return limitReached(turn, error)
  if (error instanceof ModelFailed) return fail(turn, error.message, error.failure.code)
  await fail(turn, messageOf(error), isHoldfastError(error) ? error.code : 'agent_error')
  if (!isHoldfastError(error)) throw error
}

async function halted(turn: Turn, { halt }: Halted): Promise<void> {
  if (halt.why === 'stop') await stop(turn, halt.reason)
  if (halt.why === 'shutdown') await leave(turn)
  if (halt.why !== 'limit') return
  await putDown(turn)
  await limitReached(turn, halt.reached)
}

/** What was said so far stays, as the run's end keeps it. */
async function stop({ run }: Turn, reason: string | undefined): Promise<void> {
  await run.batch([{ type: 'cancelRun', ...(reason !== undefined && { reason }) }])
}

/** As after a loss, but nothing of it is unknown to the ledger. */
async function leave(turn: Turn): Promise<void> {
  await putDown(turn)
  await turn.run.batch([{ type: 'suspendRun', reason: 'shutdown' }])
}

async function putDown({ run, agent, open }: Turn): Promise<void> {
  await run.keepDraft()
  const callIds = await unknownCalls(agent.tools, open)
  if (callIds.length > 0) await run.batch([{ type: 'closeCalls', reason: 'halted', callIds }])
}

async function fail({ run }: Turn, error: string, code: string): Promise<void> {
  await run.fail(error.slice(0, 8_000).toWellFormed(), code)
}
