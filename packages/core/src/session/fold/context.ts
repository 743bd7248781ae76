import type { EventData } from '@holdfast/protocol'
import {
  type BudgetPart,
  compactionRecordsKept,
  type FoldEvent,
  type Head,
  loadedPart,
  type Overlay,
  type Reservation,
} from '../state.ts'
import type { Draft, Folders } from './folder.ts'
import { assign } from './session.ts'

type ContextEvent =
  | 'context.measured'
  | 'context.pressure'
  | 'context.trimmed'
  | 'context.cleared'
  | 'compaction.applied'
  | 'compaction.failed'
  | 'provider_context.opened'
  | 'provider_context.invalidated'
  | 'budget.set'
  | 'budget.reserved'
  | 'budget.settled'

export const foldContext: Folders<ContextEvent> = {
  'context.measured': {
    parts: ['context'],
    fold: ({ parts }, data, event) => {
      const { manifest, cacheBreak: _broken, ...usage } = data
      const { manifest: _before, ...kept } = loadedPart(parts, 'context') ?? {}
      parts.context = { ...kept, usage: { ...usage, measuredAt: event.at }, ...(manifest && { manifest }) }
    },
  },
  'context.pressure': { fold: () => {} },
  'context.trimmed': {
    parts: ['context'],
    fold: ({ parts }, data) => {
      parts.context = { ...loadedPart(parts, 'context'), trimmedThrough: data.throughSeq }
    },
  },
  'context.cleared': {
    parts: ['context', 'compaction'],
    fold: ({ head, parts }, _data, event) => {
      const manifest = loadedPart(parts, 'context')?.manifest
      parts.context = manifest ? { manifest } : null
      parts.compaction = null
      assign(head, 'providerContext', undefined)
      head.pathSeq = event.seq
    },
  },
  'compaction.applied': { parts: ['compaction'], fold: applyCompaction },
  'compaction.failed': { fold: () => {} },
  'provider_context.opened': {
    fold: ({ head }, data, event) => {
      if (head.counters.initialTokenCount === 0) head.counters.initialTokenCount = data.initialTokens
      const counted = event.roundId === undefined ? {} : { countedRoundId: event.roundId }
      head.providerContext = { ...data, deltaTokens: 0, ...counted } as NonNullable<Head['providerContext']>
    },
  },
  'provider_context.invalidated': {
    fold: ({ head }) => {
      assign(head, 'providerContext', undefined)
    },
  },
  'budget.set': {
    parts: ['budget'],
    fold: ({ parts }, data) => {
      const reservations = loadedPart(parts, 'budget')?.reservations ?? []
      parts.budget = { ...(data.budget && { budget: data.budget }), reservations }
    },
  },
  'budget.reserved': {
    parts: ['budget'],
    fold: ({ head, parts }, data) => {
      const part = budgetOf(loadedPart(parts, 'budget'))
      parts.budget = { ...part, reservations: [...part.reservations, data] }
      addReserved(head, data, 1)
    },
  },
  'budget.settled': {
    parts: ['budget'],
    fold: ({ head, parts }, data) => {
      const part = budgetOf(loadedPart(parts, 'budget'))
      const settled = part.reservations.find((r) => r.reservationId === data.reservationId)
      if (!settled) return
      parts.budget = { ...part, reservations: part.reservations.filter((r) => r !== settled) }
      addReserved(head, settled, -1)
    },
  },
}

function budgetOf(part: BudgetPart | undefined): BudgetPart {
  return part ?? { reservations: [] }
}

function addReserved({ spend }: Head, reservation: Reservation, sign: 1 | -1): void {
  const { tokens, costMicrocents, toolCalls } = reservation
  spend.reservedTokens += sign * tokens
  spend.reservedMicrocents += sign * costMicrocents
  spend.reservedToolCalls += sign * toolCalls
  // A head that was stored before these were counted does not know of those open then.
  if (tokens + costMicrocents + toolCalls === 0)
    spend.reservationsOfNothing = Math.max(0, spend.reservationsOfNothing + sign)
}

/** The text stays in the event: the overlay names it by seq. Overlays inside the new range are superseded. */
function applyCompaction(
  { head, parts }: Draft,
  data: EventData<'compaction.applied'>,
  event: FoldEvent,
): void {
  const { summary: _text, summaryTokens: _tokens, supersedes: _ids, pathSeq: _pathSeq, ...record } = data
  const before = loadedPart(parts, 'compaction') ?? { overlays: [], records: [] }
  const kept = before.overlays.filter((overlay) => overlay.to < data.from || overlay.from > data.to)
  const overlay = { ...record, seq: event.seq } as Overlay
  parts.compaction = {
    ...before,
    overlays: [...kept, overlay].sort((a, b) => a.from - b.from),
    records: [...before.records, record as Overlay].slice(-compactionRecordsKept),
  }
  head.pathSeq = event.seq
}
