/**
 * A child is a session of its own. Its parent commits the grant first, then the child is created: after a crash between
 * the two, doing it again with the same id finishes what was begun.
 */
import {
  type Actor,
  type CreateInput,
  isHoldfastError,
  type Outcome,
  type SpendLimits,
} from '@holdfast/protocol'
import type { Commands } from '../session/command.ts'
import { createSession, type Lineage } from './create-session.ts'
import type { TenantLog } from './tenant-log.ts'
import { type Writer, writeCommands } from './write-command.ts'
import type { WriteOptions } from './write-options.ts'

export interface ChildInput extends Omit<CreateInput, 'budget' | 'id'> {
  childId?: string
  /** The tool call that asked for it. */
  callId?: string
  /** What it may spend, out of what its parent has left. */
  grant?: Pick<SpendLimits, 'tokens' | 'costMicrocents' | 'toolCalls'>
}

/** Who spawns, and the time to write on both events. A repeat is told by `childId`, so there is no key. */
export type SpawnOptions = Pick<WriteOptions, 'actor' | 'at' | 'traceId'>

export interface SpawnedChild {
  childId: string
  /** Seq of the parent's `child.spawned`. */
  seq: number
}

export async function spawnChild(
  parent: Writer,
  input: ChildInput,
  options: SpawnOptions = {},
): Promise<SpawnedChild> {
  const { log, sessionId } = parent
  const { childId: chosen, callId, grant = {}, ...create } = input
  const childId = chosen ?? log.engine.ids.next()
  const { head } = (await log.reads.requireHead(sessionId)).state
  const command = {
    childId,
    agentId: create.agentId,
    grant: given(grant),
    ...(callId !== undefined && { callId }),
  }
  const seq = await spawned(parent, command, options)
  const lineage = {
    parentSessionId: sessionId,
    rootSessionId: head.rootSessionId,
    spawnDepth: head.spawnDepth + 1,
  }
  const limited = Object.keys(given(grant)).length > 0
  const child: CreateInput & { id: string } = {
    ...(head.ownerUserId !== undefined && { ownerUserId: head.ownerUserId }),
    ...create,
    id: childId,
    ...(limited && { budget: { spend: given(grant) } }),
  }
  await created(parent, child, options, lineage)
  return { childId, seq }
}

/** A child of this parent that stands already is the answer, also long after the key of its creation is gone. */
async function created(
  { log, sessionId, actor }: Writer,
  child: CreateInput & { id: string },
  options: SpawnOptions,
  lineage: Lineage,
): Promise<void> {
  try {
    await createSession(log, child, options, actor, lineage)
  } catch (error) {
    if (!isHoldfastError(error, 'id_taken')) throw error
    const standing = await log.reads.getHead(child.id)
    if (standing?.state.head.parentSessionId !== sessionId) throw error
  }
}

/** Seq of the parent's event; a child that was spawned before is found, and created if it was not. */
async function spawned(
  parent: Writer,
  command: Commands['spawnChild'],
  options: SpawnOptions,
): Promise<number> {
  try {
    const written = await writeCommands(parent, [{ type: 'spawnChild', ...command }], options)
    return written.events[0]?.seq ?? 0
  } catch (error) {
    if (isHoldfastError(error, 'duplicate_id') && typeof error.details.seq === 'number')
      return error.details.seq
    throw error
  }
}

/**
 * Tells the parent of a child whose run has ended what came of it and what it spent, then closes the child. Doing it again
 * changes nothing. False: the session is no child, or its run has not ended.
 */
export async function endChild(
  log: TenantLog,
  actor: Actor,
  childId: string,
  result: string | undefined,
): Promise<boolean> {
  const { head } = (await log.reads.requireHead(childId)).state
  const outcome = head.run?.state
  if (head.parentSessionId === undefined || !isOutcome(outcome)) return false
  const { counters, spend } = head
  const spent = {
    tokens: counters.promptTokens + counters.completionTokens + spend.childTokens,
    costMicrocents: counters.costMicrocents + spend.childMicrocents,
    toolCalls: spend.toolCalls + spend.childToolCalls,
  }
  const told = { childId, outcome, spent, ...(result !== undefined && { result }) }
  await writeCommands({ log, sessionId: head.parentSessionId, actor }, [{ type: 'finishChild', ...told }])
  if (head.endedAt === undefined)
    await writeCommands({ log, sessionId: childId, actor }, [{ type: 'close', outcome, cancel: false }])
  return true
}

function isOutcome(state: string | undefined): state is Outcome {
  return state === 'completed' || state === 'failed' || state === 'cancelled'
}

type Grant = { tokens?: number; costMicrocents?: number; toolCalls?: number }

function given(grant: NonNullable<ChildInput['grant']>): Grant {
  return Object.fromEntries(Object.entries(grant).filter(([, value]) => value !== undefined))
}
