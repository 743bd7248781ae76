/**
 * A run whose worker is gone, made ready to go on. Every step may be repeated: each looks at what the log says was done.
 * The text so far becomes an interrupted message; the lost model call is estimated into the ledger; a call that may have
 * run is closed as `interrupted, outcome unknown`, unless its tool may be run again, or it still waits for an approval.
 */
import type { HeldRun, UnseenSession } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import type { Agent } from '../define/agent.ts'
import { unknownCalls } from '../tools/unknown-calls.ts'
import { readStanding, type Standing } from '../turn/standing.ts'
import type { World } from '../turn/world.ts'

export interface Taken {
  run: HeldRun
  standing: Standing
}

/** A run that loses this many workers is what they die of. */
const mostLosses = 8

/** Undefined: another was first, the worker lives after all, or the run has ended. */
export async function takeOver(
  world: World,
  agent: Agent,
  session: UnseenSession,
): Promise<Taken | undefined> {
  const run = await taken(world, session)
  if (!run) return undefined
  const standing = await readStanding(session, run.runId)
  if (standing.losses > mostLosses) {
    await run.fail(`the run lost ${standing.losses} workers`, 'worker_lost')
    return undefined
  }
  if (standing.attemptLost) await run.recordUsage(await lostAttempt(world, agent, run, standing))
  await run.keepDraft()
  const callIds = await unknownCalls(agent.tools, standing.open, Math.ceil(world.leaseTtlMs / 3))
  if (callIds.length > 0) await run.batch([{ type: 'closeCalls', reason: 'recovery', callIds }])
  return {
    run,
    standing: {
      ...standing,
      attemptLost: false,
      open: standing.open.filter(({ callId }) => !callIds.includes(callId)),
    },
  }
}

const notOurs = ['lease_held', 'no_live_run', 'contention', 'session_expired', 'not_found']

async function taken(
  { owner, leaseTtlMs: ttlMs }: World,
  session: UnseenSession,
): Promise<HeldRun | undefined> {
  try {
    return await session.takeOverRun({ owner, ttlMs })
  } catch (error) {
    if (isHoldfastError(error) && notOurs.includes(error.code)) return undefined
    throw error
  }
}

/** Nobody knows what it used: at least what it was sent. Once for each epoch that was lost. */
async function lostAttempt({ holdfast }: World, { models }: Agent, run: HeldRun, { sentTokens }: Standing) {
  const [model] = models
  const named =
    typeof model === 'object'
      ? { providerId: model.provider, model: model.modelId }
      : { model: String(model) }
  const { roundId } = run as { roundId?: string }
  return holdfast.priceBooks.rate({
    ...named,
    attemptId: `${roundId}.${run.epoch - 1}.lost`,
    status: 'aborted',
    promptTokens: sentTokens,
    completionTokens: 0,
    estimated: true,
  })
}
