/** What a SQL store decides about a commit once it has the session's row: whether to refuse it, and the lease after it. */
import type { Commit, LeaseChange, LeaseRow, Verdict } from './store.ts'

export const freeLease: Readonly<LeaseRow> = { epoch: 0, owner: undefined, expiresAtMs: undefined }

/** The order of the checks is part of the contract: epoch, base, lease. */
export function refusalOf(
  { lease, seq }: { lease: LeaseRow; seq: number },
  commit: Commit,
  nowMs: number,
): Verdict | undefined {
  const { epoch, baseSeq, lease: change } = commit
  const needsEpoch = epoch !== undefined || change?.type === 'release'
  if (needsEpoch && (lease.owner === undefined || lease.epoch !== epoch)) {
    return { status: 'fenced', epoch: lease.epoch }
  }
  if (baseSeq !== seq) return { status: 'conflict', seq }
  if (!change || change.type === 'due' || (change.type === 'release' && !change.lost)) return undefined
  const isFree = lease.owner === undefined || (lease.expiresAtMs ?? 0) <= nowMs
  const isAllowed = isFree && (change.type === 'release' || lease.epoch === change.fromEpoch)
  return isAllowed ? undefined : { status: 'lease_held', lease: { ...lease } }
}

/** For a session that is to be made: it has no row yet, and so no seq that a conflict could name. */
export function creationRefusalOf(base: number, commit: Commit, nowMs: number): Verdict | undefined {
  const refusal = refusalOf({ lease: freeLease, seq: base }, commit, nowMs)
  return refusal?.status === 'conflict' ? { status: 'conflict', seq: 0 } : refusal
}

export function leaseAfter(lease: LeaseRow, change: LeaseChange | undefined, nowMs: number): LeaseRow {
  if (!change) return { ...lease }
  const { epoch } = lease
  if (change.type === 'release') return { epoch, owner: undefined, expiresAtMs: change.due && nowMs }
  if (change.type === 'due')
    return lease.owner === undefined ? freeLeaseOf(epoch, change.isDue, nowMs) : { ...lease }
  return { epoch: lease.epoch + 1, owner: change.owner, expiresAtMs: nowMs + change.ttlMs }
}

function freeLeaseOf(epoch: number, isDue: boolean, nowMs: number): LeaseRow {
  return { epoch, owner: undefined, expiresAtMs: isDue ? nowMs : undefined }
}

export function lastSeqOf({ baseSeq, events }: Commit): number {
  return baseSeq + events.length
}

/** What the commit's key says, if it was used before. */
export function repeatOf(
  used: { hash: string; firstSeq: number; lastSeq: number },
  key: { hash: string },
): Verdict {
  if (used.hash !== key.hash) return { status: 'key_conflict' }
  return { status: 'replayed', firstSeq: used.firstSeq, lastSeq: used.lastSeq }
}
