/** What must be true of a session whose worker was a zombie: compares what it was told with what the log says. */
import type { Store } from '@holdfast/core'
import { draftProblems, endProblems, resultProblems, viewProblems } from './settled.ts'
import { type RawEvent, readSession } from './stored.ts'
import { foldProblems, gapProblems } from './whole.ts'
import { zombieId } from './zombie-task.ts'

export interface Attempt {
  op: string
  /** Nanoseconds of the monotonic clock. */
  at: bigint
  /** Seq of the last event that it was told it wrote. */
  seq?: number
  /** Why it was refused. */
  code?: string
}

export interface Story {
  session: string
  attempts: readonly Attempt[]
  /** When the other worker was known to hold the run. */
  takenAt: bigint
}

export interface ZombieFindings {
  /** Operations that were refused because another had the run. */
  refused: number
  /** What a zombie did when it no longer might. */
  writes: string[]
  wrong: string[]
}

export async function zombieFindings(store: Store, story: Story): Promise<ZombieFindings> {
  const stored = await readSession(store, story.session)
  if (!stored) return { refused: 0, writes: [], wrong: [`${story.session} is gone`] }
  const late = story.attempts.filter(({ op, at }) => at > story.takenAt && !isAside(op))
  return {
    refused: late.filter(({ code }) => code === 'stale_epoch').length,
    writes: [
      ...late
        .filter(({ code }) => code !== 'stale_epoch')
        .map(({ op, code }) => `${op} was not refused: ${code ?? 'done'}`),
      ...eventsAfterTakeover(stored.events),
    ],
    wrong: [
      ...gapProblems(stored),
      ...foldProblems(stored),
      ...lostAcks(stored.events, story.attempts),
      ...endProblems(stored.events),
      ...resultProblems(stored.events),
      ...viewProblems(stored),
      ...(await draftProblems(store, story.session)),
    ],
  }
}

/** User input is open to all, whoever holds the run. */
function isAside(op: string): boolean {
  return op.includes('.aside.')
}

function eventsAfterTakeover(events: readonly RawEvent[]): string[] {
  const taken = events.find(({ type }) => type === 'lease.lost')?.seq ?? Number.POSITIVE_INFINITY
  return events
    .filter(({ seq, actor, runId }) => seq > taken && actor.id === zombieId && runId !== undefined)
    .map(({ seq, type }) => `${type} at ${seq} is the zombie's, and its run was taken over at ${taken}`)
}

function lostAcks(events: readonly RawEvent[], attempts: readonly Attempt[]): string[] {
  return attempts
    .filter(({ seq }) => seq !== undefined && !events.some((event) => event.seq === seq))
    .map(({ op, seq }) => `${op} was acked at ${seq} and is not there`)
}
