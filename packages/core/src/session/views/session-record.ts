/** S3: the record of a session that is held by one provider and model, with its four states. */
import type { Json, JsonObject, Session } from '@holdfast/protocol'
import { hasExpired, isClosed } from './ended.ts'
import { required } from './required.ts'

export type SessionRecordState = 'Created' | 'Active' | 'Closed' | 'Expired'

export interface SessionRecord {
  sessionId: string
  tenantId: string
  providerId: string
  model: string
  createdAt: string
  activatedAt?: string
  /** For an expired session its expiry once it was swept, and nothing before. */
  closedAt?: string
  /** null: never expires. */
  ttlSecs: number | null
  roundCount: number
  initialTokenCount: number
  deltaTokenCount: number
  /** Any JSON value; null when there is none. */
  metadata: Json
  /** From the three times and the clock. */
  state: SessionRecordState
}

export function sessionRecordView(session: Session, { nowMs }: { nowMs: number }): SessionRecord {
  const { id, tenantId, createdAt, activatedAt, endedAt, ttlSecs, counters, metadata } = session
  return {
    sessionId: id,
    tenantId,
    providerId: required(session, 'providerId', 'session record'),
    model: required(session, 'model', 'session record'),
    createdAt,
    ...(activatedAt !== undefined && { activatedAt }),
    ...(endedAt !== undefined && { closedAt: endedAt }),
    ttlSecs: ttlSecs ?? null,
    roundCount: counters.roundCount,
    initialTokenCount: counters.initialTokenCount,
    deltaTokenCount: counters.deltaTokenCount,
    metadata: metadata === undefined ? null : metadataValue(metadata),
    state: stateOf(session, nowMs),
  }
}

function stateOf(session: Session, nowMs: number): SessionRecordState {
  if (isClosed(session)) return 'Closed'
  if (hasExpired(session, nowMs)) return 'Expired'
  return session.activatedAt === undefined ? 'Created' : 'Active'
}

/** Where a metadata value that is no object is kept. */
export const metadataValueKey = '$value'

/** Any JSON value as metadata, which is an object. */
export function metadataObject(value: Json): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value
    : { [metadataValueKey]: value }
}

/** The value that `metadataObject` was given. */
function metadataValue(metadata: JsonObject): Json {
  const value = metadata[metadataValueKey]
  return Object.keys(metadata).length === 1 && value !== undefined ? value : metadata
}
