import type { EventData, JsonObject } from '@holdfast/protocol'
import {
  type BudgetPart,
  type FoldEvent,
  type Head,
  type LoadedParts,
  loadedPart,
  partNames,
  type Spend,
  type State,
} from '../state.ts'
import type { Draft, Folders } from './folder.ts'

type SessionEvent =
  | 'session.created'
  | 'session.forked'
  | 'session.activated'
  | 'session.renamed'
  | 'session.pinned'
  | 'session.held'
  | 'session.metadata_changed'
  | 'session.model_changed'
  | 'session.seed_set'
  | 'session.persona_set'
  | 'session.effort_changed'
  | 'session.instructions_set'
  | 'session.closed'
  | 'session.expired'
  | 'session.erased'
  | 'session.repaired'
  | 'prompt.snapshot_set'
  | 'checkpoint.saved'
  | 'note.added'

export const SOURCE_NOTE = 'import.position'

export const foldSession: Folders<SessionEvent> = {
  'session.created': { fold: () => {} },
  'session.forked': { fold: () => {} },
  'session.activated': {
    fold: ({ head }, data, event) => {
      head.activatedAt ??= event.at
      setModel(head, data)
    },
  },
  'session.renamed': {
    fold: ({ head }, data) => {
      assign(head, 'title', data.title ?? undefined)
      assign(head, 'titleAutomatic', data.automatic && data.title !== null ? true : undefined)
    },
  },
  'session.pinned': { fold: ({ head }, data) => assign(head, 'pinned', data.pinned ? true : undefined) },
  'session.held': { fold: ({ head }, data) => assign(head, 'held', data.held ? true : undefined) },
  'session.metadata_changed': {
    parts: ['metadata'],
    fold: ({ parts }, data) => {
      parts.metadata =
        data.mode === 'replace' ? data.values : patched(loadedPart(parts, 'metadata'), data.values)
    },
  },
  'session.model_changed': { fold: ({ head }, data) => setModel(head, data) },
  'session.seed_set': {
    parts: ['seed'],
    fold: ({ head, parts }, data) => {
      assign(head, 'seedId', data.seedId ?? undefined)
      parts.seed = data.seed ?? null
    },
  },
  'session.persona_set': {
    parts: ['persona'],
    fold: ({ head, parts }, data) => {
      assign(head, 'personaId', data.personaId ?? undefined)
      parts.persona = data.persona ?? null
    },
  },
  'session.effort_changed': {
    fold: ({ head }, data) => assign(head, 'reasoningEffort', data.reasoningEffort ?? undefined),
  },
  'session.instructions_set': {
    parts: ['instructions'],
    fold: ({ parts }, data) => {
      parts.instructions = data.instructions
    },
  },
  'session.closed': {
    fold: ({ head }, data, event) => {
      head.endedAt ??= event.at
      assign(head, 'outcome', head.outcome ?? data.outcome)
    },
  },
  'session.expired': {
    fold: ({ head }, data) => {
      head.endedAt ??= data.expiresAt
      head.expired = true
    },
  },
  'session.erased': { fold: () => {} },
  'session.repaired': { fold: () => {} },
  'prompt.snapshot_set': {
    parts: ['prompt'],
    fold: ({ parts }, data) => {
      parts.prompt = data
    },
  },
  'checkpoint.saved': { fold: () => {} },
  'note.added': {
    parts: ['source'],
    fold: ({ parts }, data) => {
      if (data.kind === SOURCE_NOTE) parts.source = data.data as JsonObject
    },
  },
}

/** A patch: null removes a key, other values set it. Keys are own properties of a fresh object. */
export function patched(old: JsonObject | undefined, patch: JsonObject): JsonObject {
  const entries = new Map(Object.entries(old ?? {}))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) entries.delete(key)
    else entries.set(key, value)
  }
  return Object.fromEntries(entries)
}

function setModel(head: Head, data: { providerId?: string | undefined; model?: string | undefined }): void {
  assign(head, 'providerId', data.providerId)
  assign(head, 'model', data.model)
}

/**
 * Sets an optional field, or empties it. An empty one takes no room in the stored head; to delete it would make every later
 * use of the head several times as slow.
 */
export function assign<K extends keyof Head>(head: Head, key: K, value: Head[K] | undefined): void {
  if (value !== undefined || head[key] !== undefined) head[key] = value as Head[K]
}

export const zeroSpend: Spend = {
  toolCalls: 0,
  reservedTokens: 0,
  reservedMicrocents: 0,
  reservedToolCalls: 0,
  reservationsOfNothing: 0,
  grantedTokens: 0,
  grantedMicrocents: 0,
  grantedToolCalls: 0,
  childTokens: 0,
  childMicrocents: 0,
  childToolCalls: 0,
}

export const zeroCounters = {
  messageCount: 0,
  exchangeCount: 0,
  turnCount: 0,
  roundCount: 0,
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cachedReadTokens: 0,
  cachedWriteTokens: 0,
  initialTokenCount: 0,
  deltaTokenCount: 0,
  costMicrocents: 0,
  costEstimated: false,
  costUnknown: 0,
}

const noParts = Object.fromEntries(partNames.map((name) => [name, null])) as LoadedParts

export function headFromCreated(event: FoldEvent): Draft {
  if (event.type !== 'session.created')
    throw new Error(`a log begins with session.created, not ${event.type}`)
  const data = event.data as EventData<'session.created'>
  const { sessionId, goalText, metadata, pinned, ttlSliding, ...identity } = data
  const head = {
    ...identity,
    ...(pinned && { pinned: true as const }),
    ...(ttlSliding && { ttlSliding: true as const }),
    id: sessionId,
    ...freshLife(event),
    pathSeq: 0,
    counters: { ...zeroCounters },
    openCalls: [],
    unanswered: [],
  } as Head
  return {
    head,
    parts: {
      ...noParts,
      goal: goalText ?? null,
      metadata: metadata ?? null,
      path: { ranges: [{ from: 1 }], undos: [] },
    },
  }
}

/** What a new session or a fork starts without: run, question, children, spending. */
function freshLife(event: FoldEvent) {
  return {
    createdAt: event.at,
    updatedAt: event.at,
    lastActivityAt: event.at,
    seq: event.seq,
    version: event.seq,
    waiting: [],
    spend: { ...zeroSpend },
    openChildren: 0,
  }
}

/** The ceilings go along; what the source had reserved does not. */
function keptBudget(part: BudgetPart | null | undefined): BudgetPart | null {
  return part?.budget ? { budget: part.budget, reservations: [] } : null
}

/** Messages, tasks and ceilings of the source stay; identity, lifecycle, run, question, children, provider context and spending are new. */
export function headFromForked(state: State | undefined, event: FoldEvent): Draft {
  if (state === undefined) throw new Error('a fork needs the state of its source')
  const data = event.data as EventData<'session.forked'>
  const { sessionId, origin, goalText, ttlSliding, ...identity } = data
  const { messageCount, exchangeCount } = state.head.counters
  const { reasoningEffort, personaId, seedId, unanswered, lastUser, pathSeq, waiting } = state.head
  const head = {
    ...identity,
    ...(ttlSliding && { ttlSliding: true as const }),
    ...(reasoningEffort && { reasoningEffort }),
    ...(personaId && { personaId }),
    ...(seedId && { seedId }),
    ...(lastUser && { lastUser }),
    id: sessionId,
    lineage: 'root',
    rootSessionId: sessionId,
    spawnDepth: 0,
    forkedFrom: origin,
    ...freshLife(event),
    // Delivered by the event that follows in the same commit.
    waiting,
    pathSeq,
    counters: { ...zeroCounters, messageCount, exchangeCount },
    openCalls: [],
    unanswered,
  } as Head
  return {
    head,
    parts: {
      ...state.parts,
      goal: goalText ?? null,
      question: null,
      children: null,
      budget: keptBudget(state.parts.budget),
      source: null,
      context: null,
    },
  }
}
