/** Decisions about the context: measuring it, trimming tool outputs, clearing what was derived, laying a compaction over the path. */
import type { CompactionRecord, EventData, TokenBudget } from '@holdfast/protocol'
import { checkLimit } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import { contextRoom } from '../context-room.ts'
import {
  type Decide,
  type Deciding,
  decided,
  type Env,
  type NewEvent,
  nothing,
  readPart,
  readRefs,
  readState,
  refuse,
} from '../deciding.ts'
import { isLive } from '../lifecycle.ts'
import { isVisible } from '../path.ts'
import type { Head, Overlay } from '../state.ts'
import { inRun, runLane } from './guard.ts'
import { invalidateContext } from './provider-context.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>

/** Pressure is said once, when a threshold is newly passed; falling below it and passing again says it again. */
export const decideMeasureContext: Decide<Only<'measureContext'>> = function* (
  _head,
  { type: _type, usage, ...sent },
  env,
) {
  const lane = runLane(env)
  const budget = (yield* readPart('budget'))?.budget
  const before = (yield* readPart('context'))?.usage
  const measured: NewEvent = { type: 'context.measured', data: { ...usage, ...sent }, ...lane }
  const now = pressureOf(usage.totalTokens, budget)
  if (now.rank <= pressureOf(before?.totalTokens ?? 0, budget).rank) return decided(measured)
  return decided(measured, { type: 'context.pressure', data: now.event, ...lane })
}

const pressureLevels = [
  { percent: 70, level: 'elevated' },
  { percent: 90, level: 'high' },
  { percent: 98, level: 'critical' },
] as const

/** Rank 0 is below all thresholds. Compared in whole numbers: 98 % is reached exactly or not. */
function pressureOf(
  tokens: number,
  budget: TokenBudget | undefined,
): { rank: number; event: EventData<'context.pressure'> } {
  const { roomTokens: ofTokens } = contextRoom(budget)
  const rank = pressureLevels.filter(({ percent }) => tokens * 100 >= ofTokens * percent).length
  const level = pressureLevels[Math.max(0, rank - 1)]?.level ?? 'elevated'
  return { rank, event: { level, percent: Math.floor((tokens * 100) / ofTokens), tokens, ofTokens } }
}

/** Trimming only goes forward: what is shown shortened stays so until the context is cleared. */
export const decideTrimContext: Decide<Only<'trimContext'>> = function* (head, { trimmed, throughSeq }, env) {
  if (throughSeq > head.seq)
    refuse(
      'invalid_input',
      `session ${head.id} has no seq ${throughSeq} to trim through; it ends at ${head.seq}`,
    )
  const done = (yield* readPart('context'))?.trimmedThrough ?? 0
  if (throughSeq <= done) return nothing
  return decided({ type: 'context.trimmed', data: { trimmed, throughSeq }, ...runLane(env) })
}

/** Drops usage, summary, overlays and the provider context; nothing else, and `updatedAt` stays. */
export const decideClearContext: Decide<Only<'clearContext'>> = () => {
  return decided({ type: 'context.cleared', data: {} })
}

/** Applies only to the path that was summarised; appends after its range do not disturb it. */
export const decideApplyCompaction: Decide<Only<'applyCompaction'>> = function* (head, command, env) {
  requireCompactor(head, env)
  const { record, pathSeq, summary, summaryTokens } = command
  if (pathSeq !== head.pathSeq) {
    refuse(
      'path_changed',
      `the path of session ${head.id} changed at seq ${head.pathSeq}, after the summary was begun`,
      { pathSeq: head.pathSeq },
    )
  }
  checkSummary(head, command)
  const [seq] = yield* readRefs('compaction', record.compactionId)
  if (seq !== undefined)
    refuse('duplicate_id', `compaction ${record.compactionId} of session ${head.id} exists at seq ${seq}`, {
      seq,
    })
  const supersedes = yield* superseded(head, record)
  yield* checkBoundaries(head, record)
  const lane = runLane(env)
  const applied: NewEvent = {
    type: 'compaction.applied',
    data: { ...record, pathSeq, summary, summaryTokens, supersedes },
    ...lane,
  }
  return { events: [applied, ...invalidateContext(head, 'compacted', lane)] }
}

/** The worker of a live run compacts; nobody does it from beside. */
function requireCompactor(head: Head, env: Env): void {
  if (isLive(head.run) && !inRun(env)) {
    refuse(
      'run_elsewhere',
      `run ${head.run.runId} of session ${head.id} is live; only its own worker compacts`,
      { runId: head.run.runId },
    )
  }
}

function checkSummary(head: Head, { record, summary, summaryTokens }: Only<'applyCompaction'>): void {
  const { from, to, tokensBefore, tokensAfter } = record
  if (from > to || to > head.seq) invalid(head, record, `the range ${from}–${to} is not within 1–${head.seq}`)
  if (summary.trim() === '') invalid(head, record, 'the summary is blank')
  if (tokensAfter >= tokensBefore)
    invalid(head, record, `${tokensAfter} tokens are not fewer than the ${tokensBefore} before`)
  if (summaryTokens >= tokensBefore)
    invalid(head, record, `the summary has ${summaryTokens} tokens, the range had ${tokensBefore}`)
}

/** Ids of the overlays inside the new range. One that it would cut in two is a fault. */
function* superseded(head: Head, record: CompactionRecord): Deciding<string[]> {
  const overlays = (yield* readPart('compaction'))?.overlays ?? []
  const touched = overlays.filter((overlay) => overlay.to >= record.from && overlay.from <= record.to)
  const cut = touched.find((overlay) => overlay.from < record.from || overlay.to > record.to)
  if (cut)
    invalid(
      head,
      record,
      `it covers a part of compaction ${cut.compactionId} (${cut.from}–${cut.to}); take all of it or none`,
    )
  checkLimit('overlays', overlays.length - touched.length + 1, `compactions in force in session ${head.id}`)
  return touched.map((overlay: Overlay) => overlay.compactionId)
}

/** A range that begins a path range needs no look back: the path is never cut between a call and its result. */
function* checkBoundaries(head: Head, record: CompactionRecord): Deciding<void> {
  const { from, to } = record
  const ranges = (yield* readPart('path'))?.ranges ?? []
  const hidden = [from, to].find((seq) => !isVisible(ranges, seq))
  if (hidden !== undefined) invalid(head, record, `seq ${hidden} is not on the visible path`)
  const edges = [from - 1, to].filter((seq) => seq >= 1 && isVisible(ranges, seq))
  for (const seq of edges) {
    const { openCalls } = seq === head.seq ? head : (yield* readState(seq)).head
    if (openCalls.length > 0)
      invalid(head, record, `seq ${seq} parts a tool call from its result`, { openCalls })
  }
}

function invalid(
  head: Head,
  { compactionId }: CompactionRecord,
  why: string,
  details: Record<string, unknown> = {},
): never {
  return refuse('invalid_compaction', `compaction ${compactionId} of session ${head.id}: ${why}`, {
    compactionId,
    ...details,
  })
}

/** The one before stays in force. */
export const decideFailCompaction: Decide<Only<'failCompaction'>> = (
  _head,
  { type: _type, ...data },
  env,
) => {
  return decided({ type: 'compaction.failed', data, ...runLane(env) })
}
