/** A run from where it stands to where it rests: ended, suspended, or no longer ours. */
import { isHoldfastError } from '@holdfast/protocol'
import { ModelFailed } from './ask-model.ts'
import { Halted } from './halt.ts'
import { runRound } from './round.ts'
import type { Turn } from './turn.ts'

export async function drive(turn: Turn): Promise<void> {
  try {
    await rounds(turn)
  } catch (error) {
    await rest(turn, error)
  }
}

async function rounds(turn: Turn): Promise<void> {
  for (;;) {
    turn.halting.check()
    if (turn.rounds >= turn.agent.maxRounds) {
      await turn.run.fail(
        `the turn had ${turn.rounds} rounds, the most that its agent may make`,
        'too_many_rounds',
      )
      return
    }
    if (await runRound(turn)) return
  }
}

/** The run's one end after work that did not come to it. What another worker holds is left alone. */
async function rest(turn: Turn, error: unknown): Promise<void> {
  if (isHoldfastError(error, 'stale_epoch')) return
  if (error instanceof Halted) return halted(turn, error)
  if (error instanceof ModelFailed) return fail(turn, error.message, error.failure.code)
  await fail(
    turn,
    error instanceof Error ? error.message : String(error),
    isHoldfastError(error) ? error.code : 'agent_error',
  )
  throw error
}

async function halted({ run }: Turn, { halt }: Halted): Promise<void> {
  if (halt.why === 'stop')
    await run.batch([{ type: 'cancelRun', ...(halt.reason !== undefined && { reason: halt.reason }) }])
  if (halt.why === 'shutdown')
    await run.batch([
      { type: 'closeCalls', reason: 'shutdown' },
      { type: 'suspendRun', reason: 'shutdown' },
    ])
}

async function fail({ run }: Turn, error: string, code: string): Promise<void> {
  await run.fail(error.slice(0, 8_000).toWellFormed(), code)
}
