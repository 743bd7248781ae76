/** A session in a list: what its head says, without the parts that a list would have to read one by one. */
import { type Session, toTime } from '@holdfast/protocol'
import { isLost, type Lease } from '../session/deciding.ts'
import { expiresAtMs, isLive, statusOf } from '../session/lifecycle.ts'
import type { Head } from '../session/state.ts'

type FromParts =
  | 'goalText'
  | 'openQuestion'
  | 'taskList'
  | 'metadata'
  | 'budget'
  | 'contextUsage'
  | 'summary'
  | 'compactions'
  | 'compressionInstructions'
  | 'promptSnapshot'
  | 'run'

interface Running {
  runId: string
  state: NonNullable<Session['run']>['state']
  owner?: string | undefined
  lost: boolean
}

export interface SessionSummary extends Omit<Session, FromParts> {
  openQuestionId?: string | undefined
  openChildren: number
  run?: Running | undefined
}

/** Every field by name: taking a head apart was the larger half of the time of a list. */
type Fields = { [K in keyof SessionSummary]-?: SessionSummary[K] | undefined }

/** Fields without a value are there as undefined, which JSON leaves out. */
export function sessionSummary(head: Head, lease: Lease, nowMs: number): SessionSummary {
  const expires = expiresAtMs(head)
  const fields: Fields = {
    id: head.id,
    tenantId: head.tenantId,
    conversationId: head.conversationId,
    threadId: head.threadId,
    agentId: head.agentId,
    agentName: head.agentName,
    ownerUserId: head.ownerUserId,
    userParticipantId: head.userParticipantId,
    agentParticipantId: head.agentParticipantId,
    purpose: head.purpose,
    channel: head.channel,
    title: head.title,
    pinned: head.pinned ?? false,
    held: head.held ?? false,
    lineage: head.lineage,
    parentSessionId: head.parentSessionId,
    rootSessionId: head.rootSessionId,
    spawnDepth: head.spawnDepth,
    forkedFrom: head.forkedFrom && { ...head.forkedFrom },
    providerId: head.providerId,
    model: head.model,
    modelPolicy: head.modelPolicy,
    reasoningEffort: head.reasoningEffort,
    personaId: head.personaId,
    seedId: head.seedId,
    status: statusOf(head, lease, nowMs),
    outcome: head.outcome,
    createdAt: head.createdAt,
    activatedAt: head.activatedAt,
    endedAt: head.endedAt,
    ttlSecs: head.ttlSecs,
    ttlSliding: head.ttlSliding ?? false,
    expiresAt: expires === undefined ? undefined : toTime(expires),
    updatedAt: head.updatedAt,
    lastActivityAt: head.lastActivityAt,
    seq: head.seq,
    version: head.version,
    counters: { ...head.counters },
    openChildren: head.openChildren,
    openQuestionId: head.question?.questionId,
    run: head.run && runSummary(head.run, lease, nowMs),
  }
  return fields as SessionSummary
}

function runSummary(
  run: NonNullable<Head['run']>,
  lease: Lease,
  nowMs: number,
): NonNullable<SessionSummary['run']> {
  const live = isLive(run)
  return {
    runId: run.runId,
    state: run.state,
    ...(live && lease.owner !== undefined && { owner: lease.owner }),
    lost: live && isLost(lease, nowMs),
  }
}
