/** The two axes that the clock and the lease decide: how far a session's life has come, and whether its run lives. */
import { type SessionStatus, toMs } from '@holdfast/protocol'
import { isLost, type Lease } from './deciding.ts'
import type { Head, RunHead } from './state.ts'

export type Lifecycle = 'created' | 'active' | 'closed' | 'expired'

/** Milliseconds, or undefined for never. The anchor is the activation (else the creation), or the last activity when sliding. */
export function expiresAtMs(head: Head): number | undefined {
  if (head.ttlSecs === undefined) return undefined
  const anchor = head.ttlSliding ? head.lastActivityAt : (head.activatedAt ?? head.createdAt)
  return toMs(anchor) + head.ttlSecs * 1_000
}

/** Expired at the very instant of its expiry, swept or not. A session that was closed first stays closed. */
export function isExpired(head: Head, nowMs: number): boolean {
  if (head.expired) return true
  if (head.endedAt !== undefined) return false
  const end = expiresAtMs(head)
  return end !== undefined && nowMs >= end
}

export function lifecycleOf(head: Head, nowMs: number): Lifecycle {
  if (isExpired(head, nowMs)) return 'expired'
  if (head.endedAt !== undefined) return 'closed'
  return head.activatedAt === undefined ? 'created' : 'active'
}

export type LiveRun = RunHead & { state: 'initializing' | 'running' | 'finalizing' }
export type UnfinishedRun = RunHead & { state: LiveRun['state'] | 'suspended' }

/** Live runs hold a lease: initializing, running, finalizing. */
export function isLive(run: RunHead | undefined): run is LiveRun {
  return run?.state === 'initializing' || run?.state === 'running' || run?.state === 'finalizing'
}

/** Live or suspended: the run has not reached its one terminal event. */
export function isUnfinished(run: RunHead | undefined): run is UnfinishedRun {
  return isLive(run) || run?.state === 'suspended'
}

/** The one derived word; the first rule that matches. */
export function statusOf(head: Head, lease: Lease, nowMs: number): SessionStatus {
  if (head.endedAt !== undefined && !head.expired) return head.outcome ?? 'completed'
  if (isLive(head.run)) return isLost(lease, nowMs) ? 'unknown' : 'running'
  if (isExpired(head, nowMs)) return 'expired'
  if (head.run?.state === 'suspended') return 'suspended'
  return head.activatedAt === undefined ? 'created' : 'idle'
}
