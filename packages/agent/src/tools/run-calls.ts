/**
 * The tool calls of a round. Those that need nobody run at once, all together, each result durable as soon as it is there;
 * children are begun. Then the run waits for those that need an answer, one question at a time, in the order of the calls;
 * and at last for the children.
 */
import type { HostCommand } from '@holdfast/core'
import { isHoldfastError, type QuestionInput } from '@holdfast/protocol'
import { childIdOf, spawn } from '../children/spawn.ts'
import { isOver, resultOfChild, type Waited } from '../children/wait.ts'
import type { OpenCall } from '../turn/standing.ts'
import { nextRound, type Turn } from '../turn/turn.ts'
import { execute } from './execute.ts'
import { type CallPlan, type CallResult, failed, planCall } from './plan-call.ts'
import { keepWaiting } from './unknown-calls.ts'

type Planned<K extends CallPlan['do'] = CallPlan['do']> = {
  call: OpenCall
  plan: Extract<CallPlan, { do: K }>
}

/** Whether the run waits for somebody now. */
export async function runCalls(turn: Turn): Promise<boolean> {
  const planned = await Promise.all(turn.open.map((call) => plan(turn, call)))
  const children = those(planned, 'spawn')
  await allOf([
    ...planned.map((one) => settle(turn, one)),
    ...children.map((one) => begin(turn, one, children.length)),
  ])
  turn.halting.check()
  const [asking] = those(planned, 'ask')
  if (asking) return ask(turn, asking)
  return waitForChildren(turn, children)
}

/** A rule that decides nothing leaves it to a person. */
async function plan({ agent, signal }: Turn, call: OpenCall): Promise<Planned> {
  keepWaiting(call, true)
  const plan = await planCall(agent.tools, call, { signal })
  if (plan.do === 'run') keepWaiting(call, false)
  return { call, plan }
}

function those<K extends CallPlan['do']>(planned: readonly Planned[], kind: K): Planned<K>[] {
  return planned.filter((one): one is Planned & Planned<K> => one.plan.do === kind)
}

/** A halt of one ends all of them; none is left running unseen. */
async function allOf(works: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(works)
  const failure = settled.find((result) => result.status === 'rejected')
  if (failure) throw failure.reason
}

async function settle(turn: Turn, { call, plan }: Planned): Promise<void> {
  if (plan.do === 'answer') await finish(turn, call.callId, plan.result)
  if (plan.do === 'run')
    await finish(turn, call.callId, await execute(turn, plan.tool, call.callId, plan.input))
}

/** The last result begins the next round in its own commit. */
async function finish(turn: Turn, callId: string, result: CallResult): Promise<void> {
  const finished: HostCommand = { type: 'finishTool', callId, ...warned(turn, result) }
  const isLast = turn.open.length === 1 && turn.rounds < turn.agent.maxRounds
  await turn.run.batch(isLast ? [finished, ...nextRound(turn)] : [finished])
  turn.open = turn.open.filter((call) => call.callId !== callId)
  if (isLast) turn.roundBegan()
}

/** What may not be spawned is a call that failed. */
async function begin(turn: Turn, { call, plan }: Planned<'spawn'>, together: number): Promise<void> {
  if (endedOf(turn, call.callId)) return
  try {
    await spawn(turn, { callId: call.callId, ...plan, together })
  } catch (error) {
    if (!isHoldfastError(error) || error.code === 'stale_epoch') throw error
    await finish(turn, call.callId, failed(error.message))
  }
}

function warned({ warning }: Turn, { output, outcome }: CallResult): CallResult {
  if (warning === undefined) return { output, outcome }
  const told = typeof output === 'string' ? output : JSON.stringify(output)
  return { output: `${told}\n\n[${warning}]`, outcome }
}

function endedOf(turn: Turn, callId: string): Waited['ended'] {
  return turn.standing?.children.get(childIdOf(turn, callId))
}

/** A question that cannot be asked is the fault of who wrote it. */
async function ask(turn: Turn, { call, plan }: Planned<'ask'>): Promise<boolean> {
  const question: QuestionInput = { ...plan.question, questionId: turn.world.ids.next() }
  try {
    await turn.ask(question)
    return true
  } catch (error) {
    if (!isHoldfastError(error, 'invalid_input') && !isHoldfastError(error, 'limit_exceeded')) throw error
    await finish(turn, call.callId, failed(error.message))
    return false
  }
}

async function waitForChildren(turn: Turn, children: readonly Planned<'spawn'>[]): Promise<boolean> {
  const open = children.filter(({ call }) => turn.open.some(({ callId }) => callId === call.callId))
  const [first] = open
  if (!first) return false
  const { waitFor = 'all' } = first.plan.rules
  const waited = open.map(({ call: { callId } }) => ({
    callId,
    childId: childIdOf(turn, callId),
    ended: endedOf(turn, callId),
  }))
  if (!isOver(waited, waitFor)) {
    await turn.waitForChildren(waitFor)
    return true
  }
  for (const child of waited) {
    if (!child.ended) await stop(turn, child.childId)
    await finish(turn, child.callId, resultOfChild(child))
  }
  return false
}

async function stop({ world }: Turn, childId: string): Promise<void> {
  try {
    await world.holdfast.sessions.at(childId).stopRun({ reason: 'its parent goes on' })
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    world.onError(error, childId)
  }
}
