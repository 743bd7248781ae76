import type { TenantId } from '@holdfast/protocol'

/** What the store wrote in one transaction of its own, for whoever measures. */
export interface CommittedBatch {
  /** Milliseconds until it was on disk. */
  tookMs: number
  /** Of the events' bodies. */
  bytes: number
  commits: readonly CommittedWrite[]
}

export interface CommittedWrite {
  tenantId: TenantId
  sessionId: string
  /** How many. */
  events: number
  /** It made the session. */
  isNew: boolean
}

export type CommitListener = (batch: CommittedBatch) => void
