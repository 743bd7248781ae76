import type { EventData } from '@holdfast/protocol'
import { type ChildrenPart, type FoldEvent, type Head, loadedPart, type RunHead } from '../state.ts'
import type { Folders } from './folder.ts'

type RunEvent =
  | 'run.started'
  | 'run.suspended'
  | 'run.resumed'
  | 'run.finalizing'
  | 'run.stop_requested'
  | 'run.completed'
  | 'run.failed'
  | 'run.cancelled'
  | 'round.started'
  | 'round.completed'
  | 'usage.recorded'
  | 'lease.taken'
  | 'lease.lost'
  | 'child.spawned'
  | 'child.finished'

export const foldRuns: Folders<RunEvent> = {
  'run.started': {
    fold: ({ head }, data, event) => {
      head.run = {
        runId: data.runId,
        state: 'initializing',
        startedAt: event.at,
        ...(data.answers && { answers: data.answers }),
      }
    },
  },
  'run.suspended': {
    fold: ({ head }, data) =>
      changeRun(head, (run) => ({
        ...run,
        state: 'suspended',
        suspendReason: data.reason,
        ...(data.waitFor && { waitFor: data.waitFor }),
      })),
  },
  'run.resumed': {
    parts: ['children'],
    fold: ({ head, parts }) => {
      const children = loadedPart(parts, 'children')
      if (children) parts.children = { ...noChildren, open: children.open }
      changeRun(head, ({ suspendReason: _reason, waitFor: _waitFor, ...run }) => ({
        ...run,
        state: run.roundId ? 'running' : 'initializing',
      }))
    },
  },
  'run.finalizing': { fold: ({ head }) => changeRun(head, (run) => ({ ...run, state: 'finalizing' })) },
  'run.stop_requested': { fold: ({ head }) => changeRun(head, (run) => ({ ...run, stopRequested: true })) },
  'run.completed': {
    fold: ({ head }, _data, event) => {
      head.counters.turnCount += 1
      endRun(head, event, { state: 'completed' })
    },
  },
  'run.failed': {
    fold: ({ head }, data, event) =>
      endRun(head, event, { state: 'failed', error: data.error.slice(0, errorKept).toWellFormed() }),
  },
  'run.cancelled': { fold: ({ head }, _data, event) => endRun(head, event, { state: 'cancelled' }) },
  'round.started': {
    fold: ({ head }, data) => changeRun(head, (run) => ({ ...run, state: 'running', roundId: data.roundId })),
  },
  'round.completed': {
    fold: ({ head }) => {
      head.counters.roundCount += 1
      changeRun(head, ({ roundId: _roundId, ...run }) => run)
    },
  },
  'usage.recorded': { fold: ({ head }, data) => addUsage(head, data) },
  'lease.taken': { fold: () => {} },
  'lease.lost': { fold: () => {} },
  'child.spawned': {
    parts: ['children'],
    fold: ({ head, parts }, data) => {
      const before = loadedPart(parts, 'children')
      const part = before && before.open.length > 0 ? before : noChildren
      parts.children = { ...part, open: [...part.open, data] as ChildrenPart['open'] }
      head.openChildren += 1
      addGrant(head, data.grant, 1)
    },
  },
  'child.finished': {
    parts: ['children'],
    fold: ({ head, parts }, data) => {
      const part = loadedPart(parts, 'children') ?? noChildren
      const child = part.open.find((open) => open.childId === data.childId)
      parts.children = {
        open: part.open.filter((open) => open.childId !== data.childId),
        finished: part.finished + 1,
        failed: part.failed + (data.outcome === 'completed' ? 0 : 1),
      }
      head.openChildren -= 1
      addGrant(head, child?.grant ?? {}, -1)
      head.spend.childTokens += data.spent.tokens
      head.spend.childMicrocents += data.spent.costMicrocents
      head.spend.childToolCalls += data.spent.toolCalls
    },
  },
}

/** The event has the whole text; the head stays small. */
const errorKept = 512

const noChildren: ChildrenPart = { open: [], finished: 0, failed: 0 }

function changeRun(head: Head, change: (run: RunHead) => RunHead): void {
  if (head.run) head.run = change(head.run)
}

function endRun(head: Head, event: FoldEvent, end: Pick<RunHead, 'state' | 'error'>): void {
  head.lastActivityAt = event.at
  changeRun(head, ({ roundId: _r, suspendReason: _s, waitFor: _w, stopRequested: _q, ...run }) => ({
    ...run,
    ...end,
    endedAt: event.at,
  }))
}

function addGrant(head: Head, grant: EventData<'child.spawned'>['grant'], sign: 1 | -1): void {
  head.spend.grantedTokens += sign * (grant.tokens ?? 0)
  head.spend.grantedMicrocents += sign * (grant.costMicrocents ?? 0)
  head.spend.grantedToolCalls += sign * (grant.toolCalls ?? 0)
}

/** Reasoning is inside completion and cached is inside prompt: each sum stands alone, none is added to another. */
function addUsage(head: Head, data: EventData<'usage.recorded'>): void {
  const counters = head.counters
  counters.promptTokens += data.promptTokens
  counters.completionTokens += data.completionTokens
  counters.reasoningTokens += data.reasoningTokens
  counters.cachedReadTokens += data.cachedReadTokens
  counters.cachedWriteTokens += data.cachedWriteTokens
  if (data.costMicrocents === undefined) counters.costUnknown += 1
  else counters.costMicrocents += data.costMicrocents
  if (data.estimated) counters.costEstimated = true
  if (data.context) addDelta(head, data.context, data.roundId)
}

/** What a later request added to the provider context; a retry within its round adds nothing. */
function addDelta(
  head: Head,
  context: { contextId: string; tokens: number },
  roundId: string | undefined,
): void {
  const open = head.providerContext
  if (open?.contextId !== context.contextId) return
  if (roundId !== undefined && open.countedRoundId === roundId) return
  head.counters.deltaTokenCount += context.tokens
  head.providerContext = {
    ...open,
    deltaTokens: open.deltaTokens + context.tokens,
    ...(roundId && { countedRoundId: roundId }),
  }
}
