/**
 * A child is a session of its own. Its parent commits the grant first, then the child is created with it: after a crash
 * between the two, doing it again with the same id finishes what was begun.
 */
import {
  type Actor,
  type CreateInput,
  HoldfastError,
  isHoldfastError,
  isKnown,
  type Outcome,
  type SpendLimits,
} from '@holdfast/protocol'
import type { Commands } from '../session/command.ts'
import type { Head } from '../session/state.ts'
import { readyToCreate } from './create-session.ts'
import type { Written } from './request.ts'
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
  const ready = (granted: Grant) => readyToBegin(parent, head, { ...create, id: childId }, granted, options)
  const asked = {
    childId,
    agentId: create.agentId,
    grant: given(grant),
    ...(callId !== undefined && { callId }),
  }
  const begin = await ready(asked.grant)
  await requireNoStranger(parent, childId)
  const { seq, granted } = await spawned(parent, asked, options)
  await created(parent, childId, granted ? await ready(granted) : begin)
  return { childId, seq }
}

/** Rejects for what cannot be a child: nothing is granted then. */
function readyToBegin(
  { log, actor }: Writer,
  parent: Head,
  create: CreateInput,
  granted: Grant,
  options: SpawnOptions,
): ReturnType<typeof readyToCreate> {
  const lineage = {
    parentSessionId: parent.id,
    rootSessionId: parent.rootSessionId,
    spawnDepth: parent.spawnDepth + 1,
  }
  const child: CreateInput = {
    ...(parent.ownerUserId !== undefined && { ownerUserId: parent.ownerUserId }),
    ...create,
    ...(Object.keys(granted).length > 0 && { budget: { spend: granted } }),
  }
  return readyToCreate(log, child, options, actor, lineage)
}

async function requireNoStranger({ log, sessionId }: Writer, childId: string): Promise<void> {
  const standing = await log.reads.getHead(childId)
  if (standing && standing.state.head.parentSessionId !== sessionId)
    throw new HoldfastError('id_taken', `session ${childId} is there, and no child of session ${sessionId}`)
}

/** A child of this parent that stands already is the answer, also long after the key of its creation is gone. */
async function created(parent: Writer, childId: string, begin: () => Promise<Written>): Promise<void> {
  try {
    if (!(await begin()).replayed) return
    await requireNoStranger(parent, childId)
  } catch (error) {
    if (!isHoldfastError(error, 'id_taken')) throw error
    const standing = await parent.log.reads.getHead(childId)
    if (standing?.state.head.parentSessionId !== parent.sessionId) await notBegun(parent, childId, error)
  }
}

/** Somebody else was first with the id: the parent has its grant back. */
async function notBegun(parent: Writer, childId: string, why: unknown): Promise<never> {
  const spent = { tokens: 0, costMicrocents: 0, toolCalls: 0 }
  await writeCommands(parent, [{ type: 'finishChild', childId, outcome: 'failed', spent }])
  throw why
}

interface Spawned {
  /** Seq of the parent's event. */
  seq: number
  /** It was spawned before, with this. */
  granted?: Grant
}

/** What was granted first holds: who asks again may not know of it. */
async function spawned(
  parent: Writer,
  command: Commands['spawnChild'],
  options: SpawnOptions,
): Promise<Spawned> {
  try {
    const written = await writeCommands(parent, [{ type: 'spawnChild', ...command }], options)
    return { seq: written.events[0]?.seq ?? 0 }
  } catch (error) {
    const seq = isHoldfastError(error, 'duplicate_id') ? Number(error.details.seq) : undefined
    const event = seq === undefined ? undefined : await parent.log.reads.getEvent(parent.sessionId, seq)
    if (seq === undefined || !event || !isKnown(event, 'child.spawned')) throw error
    if (event.data.agentId !== command.agentId) throw error
    return { seq, granted: given(event.data.grant) }
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
