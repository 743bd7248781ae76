/** A session as it is read: the fold of its log, its lease and the clock, put into the shape of the protocol. */
import {
  type CompactionRecord,
  type EventData,
  isErased,
  type Run,
  type Session,
  type Summary,
  toTime,
} from '@holdfast/protocol'
import { isLost, type Lease } from './deciding.ts'
import { expiresAtMs, isLive, statusOf } from './lifecycle.ts'
import { type FoldEvent, type Head, loadedPart, type Overlay, type RunHead, type State } from './state.ts'

/** What is read from the head as it stands there. */
const fromHead = [
  'id',
  'tenantId',
  'conversationId',
  'threadId',
  'agentId',
  'agentName',
  'ownerUserId',
  'userParticipantId',
  'agentParticipantId',
  'purpose',
  'channel',
  'title',
  'lineage',
  'parentSessionId',
  'rootSessionId',
  'spawnDepth',
  'forkedFrom',
  'providerId',
  'model',
  'modelPolicy',
  'reasoningEffort',
  'personaId',
  'seedId',
  'outcome',
  'createdAt',
  'activatedAt',
  'endedAt',
  'ttlSecs',
  'updatedAt',
  'lastActivityAt',
  'seq',
  'version',
  'counters',
] as const satisfies readonly (keyof Head & keyof Session)[]

/** Parts must be loaded. `summary` is the text of the newest overlay, which stands in the event that `summarySeq` names. */
export function sessionView({ head, parts }: State, lease: Lease, nowMs: number, summary?: Summary): Session {
  const expires = expiresAtMs(head)
  const rest = {
    pinned: head.pinned ?? false,
    held: head.held ?? false,
    ttlSliding: head.ttlSliding ?? false,
    status: statusOf(head, lease, nowMs),
    expiresAt: expires === undefined ? undefined : toTime(expires),
    run: head.run && runView(head.run, lease, nowMs),
    goalText: loadedPart(parts, 'goal'),
    openQuestion: loadedPart(parts, 'question'),
    taskList: loadedPart(parts, 'tasks'),
    metadata: loadedPart(parts, 'metadata'),
    budget: loadedPart(parts, 'budget')?.budget,
    contextUsage: loadedPart(parts, 'context')?.usage,
    compactions: loadedPart(parts, 'compaction')?.records ?? [],
    compressionInstructions: loadedPart(parts, 'instructions'),
    promptSnapshot: loadedPart(parts, 'prompt'),
    summary,
  }
  return present({ ...Object.fromEntries(fromHead.map((key) => [key, head[key]])), ...rest }) as Session
}

/** Seq of the event that holds the text of the summary in force; undefined when none is. */
export function summarySeq({ parts }: State): number | undefined {
  return newestOverlay(loadedPart(parts, 'compaction')?.overlays ?? [])?.seq
}

/** The summary that a `compaction.applied` event brought; undefined when its text was erased. */
export function summaryOf(event: FoldEvent): Summary | undefined {
  if (event.type !== 'compaction.applied' || isErased(event)) return undefined
  const {
    summary: text,
    summaryTokens: tokens,
    from,
    to,
    messagesCovered,
  } = event.data as EventData<'compaction.applied'>
  return { text, from, to, messagesCovered, tokens, seq: event.seq }
}

function newestOverlay(overlays: readonly Overlay[]): (CompactionRecord & { seq: number }) | undefined {
  return overlays.reduce<Overlay | undefined>(
    (newest, overlay) => (newest && newest.seq > overlay.seq ? newest : overlay),
    undefined,
  )
}

/** Owner and expiry belong to a run that holds the lease; a suspended or finished one has none. */
function runView(run: RunHead, lease: Lease, nowMs: number): Run {
  const live = isLive(run)
  const { runId, state, startedAt, endedAt, roundId, suspendReason, error } = run
  return present({
    runId,
    state,
    startedAt,
    endedAt,
    roundId,
    suspendReason,
    error,
    stopRequested: run.stopRequested ?? false,
    epoch: lease.epoch,
    owner: live ? lease.owner : undefined,
    leaseExpiresAt: live && lease.expiresAtMs !== undefined ? toTime(lease.expiresAtMs) : undefined,
    lost: live && isLost(lease, nowMs),
  }) as Run
}

/** Without the fields that have no value: absent means "has none". */
function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
