/**
 * A call that is a session of its own. Everything has an id that follows from the call, so that doing it again after a
 * crash finds what was begun: the child, and its task.
 */
import { createHash } from 'node:crypto'
import type { ChildInput } from '@holdfast/core'
import { HoldfastError, isHoldfastError, toTime } from '@holdfast/protocol'
import type { ChildRules } from '../define/tool.ts'
import type { Task } from '../tools/builtin/spawn-child.ts'
import type { Turn } from '../turn/turn.ts'

export interface Spawning {
  callId: string
  rules: ChildRules
  task: Task
  /** Children that the same round wants: each gets its part of what is left. */
  together: number
}

export function childIdOf(turn: Turn, callId: string): string {
  return `${turn.roundId}-${createHash('sha256').update(callId).digest('hex').slice(0, 16)}`
}

/** Throws a `HoldfastError` for what may not be: too deep, too many, more than is left. */
export async function spawn(turn: Turn, { callId, rules, task, together }: Spawning): Promise<void> {
  const agent = turn.world.agents.get(task.agent)
  if (!agent) throw new HoldfastError('not_found', `no agent ${task.agent} is defined here`)
  const { spawnDepth } = await turn.session.view()
  const { maxDepth = 2, timeoutMs } = rules
  if (spawnDepth >= maxDepth)
    throw new HoldfastError('limit_exceeded', `children may be ${maxDepth} generations deep`, {
      details: { maxDepth },
    })
  const deadline = timeoutMs === undefined ? {} : { [DEADLINE]: toTime(turn.world.now() + timeoutMs) }
  const child: ChildInput = {
    childId: childIdOf(turn, callId),
    callId,
    agentId: agent.id,
    agentName: agent.name,
    metadata: deadline,
    ...(agent.personaId !== undefined && { personaId: agent.personaId }),
  }
  await spawnGranted(turn, child, withoutAbsent(task.budget ?? {}), together)
  await begin(turn, agent.id, child.childId as string, task.task)
}

/** Key of the metadata that says until when a child may work. */
export const DEADLINE = 'holdfast_deadline'

type Grant = NonNullable<ChildInput['grant']>

/** What the model does not say of a limited budget is an equal part of what is left, with one part for the parent. */
async function spawnGranted(turn: Turn, child: ChildInput, asked: Grant, together: number): Promise<void> {
  const grant: Grant = { ...asked }
  for (;;) {
    try {
      await turn.run.spawnChild({ ...child, grant })
      return
    } catch (error) {
      if (!isHoldfastError(error, 'budget_exceeded')) throw error
      const { amount, remaining } = error.details as { amount: keyof Grant; remaining: number }
      const part = Math.floor(remaining / (together + 1))
      if (grant[amount] !== undefined || part <= 0) throw error
      grant[amount] = part
    }
  }
}

function withoutAbsent(grant: object): Grant {
  return Object.fromEntries(Object.entries(grant).filter(([, value]) => value !== undefined))
}

/** Whoever began it before has it. */
const begunBefore = ['run_live', 'duplicate_id', 'session_closed', 'session_expired', 'lease_held']

async function begin({ world }: Turn, agentId: string, childId: string, task: string): Promise<void> {
  const { owner, leaseTtlMs: ttlMs } = world
  const message = { id: 'task', role: 'user' as const, parts: [{ type: 'text' as const, text: task }] }
  try {
    const begun = await world.holdfast.sessions
      .at(childId)
      .batchRun([{ type: 'append', message }, { type: 'startRun', owner, ttlMs }, { type: 'startRound' }])
    if (begun.run) world.begin(agentId, begun.run, begun.lastSeq ?? 0)
  } catch (error) {
    if (!isHoldfastError(error) || !begunBefore.includes(error.code)) throw error
  }
}
