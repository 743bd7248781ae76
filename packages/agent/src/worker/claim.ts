/** Takes a session that somebody is wanted to work on: its lost run, its suspended run, or a new run for what waits. */
import type { SessionSummary } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import { endChild } from '../children/end.ts'
import type { Agent } from '../define/agent.ts'
import { readStanding } from '../turn/standing.ts'
import { Turn } from '../turn/turn.ts'
import type { World } from '../turn/world.ts'
import { takeOver } from './take-over.ts'

/** What a look at a session came to. */
export type Claimed =
  | { turn: Turn }
  /** It was a child that had ended: now its parent may go on. */
  | { parent: string }
  /** There is nothing to do, nobody here can do it, or another process does it. */
  | undefined

export async function claim(world: World, sessionId: string): Promise<Claimed> {
  const summary = await world.holdfast.sessions.getSummary(sessionId)
  if (!summary) return undefined
  const { parentSessionId, run } = summary
  if (parentSessionId !== undefined && run && ended.includes(run.state)) {
    await endChild(world.holdfast.sessions.at(sessionId))
    return { parent: parentSessionId }
  }
  const agent = world.agents.get(summary.agentId)
  const turn = agent && (await claimAs(world, agent, summary))
  if (!turn) return undefined
  turn.isChild = parentSessionId !== undefined
  return { turn }
}

const ended: readonly string[] = ['completed', 'failed', 'cancelled']

function claimAs(
  world: World,
  agent: Agent,
  { id, run, openQuestionId }: SessionSummary,
): Promise<Turn | undefined> {
  if (run?.lost) return lost(world, agent, id)
  if (run?.state !== 'suspended') return due(world, agent, id)
  return openQuestionId === undefined ? suspended(world, agent, id) : Promise.resolve(undefined)
}

async function lost(world: World, agent: Agent, sessionId: string): Promise<Turn | undefined> {
  const taken = await takeOver(world, agent, world.holdfast.sessions.at(sessionId))
  if (!taken) return undefined
  if (taken.run.state === 'finalizing') {
    await taken.run.complete()
    return undefined
  }
  return new Turn(world, agent, taken.run, taken.standing)
}

async function suspended(world: World, agent: Agent, sessionId: string): Promise<Turn | undefined> {
  const { owner, leaseTtlMs: ttlMs } = world
  const session = world.holdfast.sessions.at(sessionId)
  const run = await unlessOthers(() => session.resumeRun({ owner, ttlMs }))
  return run && new Turn(world, agent, run, await readStanding(session, run.runId))
}

/** Input that came during a run, or that somebody left without one. */
async function due(world: World, agent: Agent, sessionId: string): Promise<Turn | undefined> {
  const { owner, leaseTtlMs: ttlMs } = world
  const session = world.holdfast.sessions.at(sessionId)
  const begin = [{ type: 'startRun', owner, ttlMs, ifDue: true }, { type: 'startRound' }] as const
  const started = await unlessOthers(() => session.batchRun(begin))
  return started?.run && new Turn(world, agent, started.run, { seq: started.lastSeq ?? 0 })
}

/** What is refused when another process was first, or the session needs nobody any more. */
const done = [
  'illegal_transition',
  'no_live_run',
  'run_live',
  'stale_epoch',
  'lease_held',
  'question_open',
  'session_closed',
  'session_expired',
  'contention',
  'not_found',
]

async function unlessOthers<T>(take: () => Promise<T>): Promise<T | undefined> {
  try {
    return await take()
  } catch (error) {
    if (isHoldfastError(error) && done.includes(error.code)) return undefined
    throw error
  }
}
