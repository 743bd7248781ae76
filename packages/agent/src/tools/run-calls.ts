/**
 * The tool calls of a round. Those that need nobody run at once, all together, each result durable as soon as it is there;
 * then the run waits for those that need an approval, one question at a time, in the order of the calls.
 */
import type { HostCommand, SuspendedRun } from '@holdfast/core'
import type { OpenCall } from '../turn/standing.ts'
import { nextRound, type Turn } from '../turn/turn.ts'
import { approvalOf } from './approval.ts'
import { execute } from './execute.ts'
import { type CallPlan, type CallResult, planCall } from './plan-call.ts'

/** The suspended run when somebody is to be waited for. */
export async function runCalls(turn: Turn): Promise<SuspendedRun | undefined> {
  const planned = await Promise.all(
    turn.open.map(async (call) => ({ call, plan: await planCall(turn.agent.tools, call) })),
  )
  await settleAll(turn, planned)
  const asking = planned.find(({ plan }) => plan.do === 'ask')
  if (!asking) return undefined
  turn.halting.check()
  return turn.ask(approvalOf(asking.call, turn.world.ids.next()))
}

/** A halt of one ends all of them; none is left running unseen. */
async function settleAll(turn: Turn, planned: readonly { call: OpenCall; plan: CallPlan }[]): Promise<void> {
  const settled = await Promise.allSettled(planned.map(({ call, plan }) => settle(turn, call, plan)))
  const failure = settled.find((result) => result.status === 'rejected')
  if (failure) throw failure.reason
}

async function settle(turn: Turn, call: OpenCall, plan: CallPlan): Promise<void> {
  if (plan.do === 'ask') return
  const finished: HostCommand = {
    type: 'finishTool',
    callId: call.callId,
    ...(await resultOf(turn, call, plan)),
  }
  // The last result begins the next round in its own commit.
  const isLast = turn.open.length === 1 && turn.rounds < turn.agent.maxRounds
  await turn.run.batch(isLast ? [finished, ...nextRound(turn)] : [finished])
  turn.open = turn.open.filter(({ callId }) => callId !== call.callId)
  if (isLast) turn.roundBegan()
}

async function resultOf(
  turn: Turn,
  call: OpenCall,
  plan: Exclude<CallPlan, { do: 'ask' }>,
): Promise<CallResult> {
  return plan.do === 'answer' ? plan.result : execute(turn, plan.tool, call.callId, plan.input)
}
