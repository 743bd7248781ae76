/** A round: one model call, its answer made durable, its tool calls run. */
import type { HostCommand } from '@holdfast/core'
import type { MessageInput, MessagePart } from '@holdfast/protocol'
import { LimitReached } from '../budget/limit.ts'
import { settlement } from '../budget/reserve.ts'
import { denied, sayWithin } from '../budget/tool-calls.ts'
import { type Check, type Evaluated, type Evaluation, evaluate, unmetText } from '../goals/evaluate.ts'
import { messageOf } from '../message-of.ts'
import type { Reply } from '../model/reply.ts'
import { runCalls } from '../tools/run-calls.ts'
import { type Answer, askModel } from './ask-model.ts'
import { type Prepared, prepare } from './prepare.ts'
import { nextRound, type Turn } from './turn.ts'

/** Whether the run rests after it: ended, or suspended. */
export async function runRound(turn: Turn): Promise<boolean> {
  if (turn.open.length > 0) return runCalls(turn)
  if (!turn.isRoundOpen) await beginRound(turn)
  const prepared = await prepare(turn)
  turn.wall.hold(prepared.budget.wallMs, (reached) => turn.halting.pull({ why: 'limit', reached }))
  const { newPrompt: prompt } = prepared
  const beside: HostCommand[] = prompt ? [{ type: 'setPrompt', prompt }] : []
  const answer = await askModel(turn, prepared, beside)
  if (answer.reply.calls.length === 0) return finish(turn, answer)
  await callTools(turn, prepared, answer)
  return false
}

async function callTools(turn: Turn, { budget }: Prepared, answer: Answer): Promise<void> {
  turn.isRoundOpen = false
  const { calls } = answer.reply
  try {
    turn.warning = turn.loop.saw(calls)
  } catch (error) {
    if (error instanceof LimitReached) await turn.run.batch([...said(answer), ...calls.map(denied)])
    throw error
  }
  if (budget.isSpend) await sayWithin(turn, calls, said(answer))
  else await turn.run.batch(said(answer))
  turn.open = [...calls]
}

/** Input that steers the run is taken in with it. */
async function beginRound(turn: Turn): Promise<void> {
  await turn.run.batch(nextRound(turn))
  turn.roundBegan()
}

/** Input that steers the run came meanwhile, or its goal is not reached: the answer stands, and the run goes on. */
async function finish(turn: Turn, answer: Answer): Promise<boolean> {
  const evaluated = await evaluatedAnswer(turn, answer)
  const isUnmet =
    evaluated !== undefined && evaluated.unmet.length > 0 && turn.goalSteps < mostGoalSteps(turn)
  const isLast = turn.steering === 0 && !isUnmet
  turn.isRoundOpen = false
  if (isLast) {
    await turn.run.batch([...said(answer, evaluated), { type: 'completeRound' }, { type: 'completeRun' }])
    return true
  }
  const told: HostCommand[] = isUnmet ? [unmet(evaluated)] : []
  await turn.run.batch([...said(answer, evaluated), ...told])
  return false
}

const defaultGoalSteps = 8

function mostGoalSteps({ agent }: Turn): number {
  return agent.goal?.maxSteps ?? defaultGoalSteps
}

/** Undefined: the session has no goal, or nobody said how it is told that one is reached. */
async function evaluatedAnswer(turn: Turn, { reply }: Answer): Promise<Evaluated | undefined> {
  const { goal } = turn.agent
  const { goalText, seedId } = turn.record ?? (await turn.session.view())
  if (!goal || (goalText === undefined && seedId === undefined)) return undefined
  turn.goalSteps += 1
  const checks = goal.checks.map((check) => unlessBroken(turn, check))
  const evaluated = await evaluate({ ...goal, checks }, reply.answer, turn.session, turn.signal)
  return { ...evaluated, ...(seedId !== undefined && { seedId }) }
}

/** A check that throws cannot tell: the answer was paid for, and is not lost with it. */
function unlessBroken({ world, session }: Turn, check: Check): Check {
  const { criterion } = check
  return {
    criterion,
    async passes(answer) {
      try {
        return await check.passes(answer)
      } catch (cause) {
        const message = `the check of "${criterion}" threw: ${messageOf(cause)}`
        world.onError(new Error(message, { cause }), session.id)
        return undefined
      }
    },
  }
}

function unmet(evaluated: Evaluated): HostCommand {
  const parts = [{ type: 'text' as const, text: unmetText(evaluated.unmet) }]
  return { type: 'append', message: { role: 'user', author: 'holdfast', parts } }
}

function said({ reply, draftId, usage, reserved, beside }: Answer, evaluated?: Evaluation): HostCommand[] {
  const message = {
    role: 'assistant' as const,
    parts: partsOf(reply),
    finish: finishOf(reply),
    ...(evaluated && goalFields(evaluated)),
  }
  return [
    ...beside,
    { type: 'append', message, draftId },
    { type: 'recordUsage', usage },
    ...settlement(reserved),
  ]
}

function goalFields({ seedId, phaseReached, evaluationPassed }: Evaluation): Evaluation {
  return {
    phaseReached,
    ...(seedId !== undefined && { seedId }),
    ...(evaluationPassed !== undefined && { evaluationPassed }),
  }
}

function partsOf(reply: Reply): MessagePart[] {
  const parts = reply.parts()
  return parts.length > 0 ? parts : [{ type: 'text', text: '' }]
}

function finishOf({ finish }: Reply): NonNullable<MessageInput['finish']> {
  switch (finish?.unified) {
    case 'length':
      return 'length'
    case 'content-filter':
      return 'filtered'
    case 'error':
      return 'error'
    default:
      return 'complete'
  }
}
