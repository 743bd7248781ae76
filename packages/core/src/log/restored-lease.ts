/** The lease of a session whose log came from elsewhere. Leases are no part of a log, but it tells of each that was taken. */
import { HoldfastError, limits } from '@holdfast/protocol'
import { isLive } from '../session/lifecycle.ts'
import type { FoldEvent } from '../session/state.ts'
import type { LeaseRow } from '../store/store.ts'
import type { TenantLog } from './tenant-log.ts'

/**
 * Nobody here holds it: its epoch is the last one that was taken, and a run that lived there is lost here, for recovery or
 * for a worker that takes it over. `isNew`: some of the events were not here before. To be done again when it is not known
 * whether it was done.
 */
export async function settleLease(
  log: TenantLog,
  sessionId: string,
  { events, isNew }: { events: readonly FoldEvent[]; isNew: boolean },
): Promise<void> {
  for (let tries = 1; tries <= limits.commitTries; tries++) {
    const { state, lease } = await log.reads.requireHead(sessionId)
    const before = isNew && !isLive(state.head.run) ? undefined : lease.expiresAtMs
    const settled: LeaseRow = {
      epoch: events.reduce((epoch, event) => Math.max(epoch, epochTaken(event)), lease.epoch),
      owner: undefined,
      expiresAtMs: isLive(state.head.run) ? (before ?? log.nowMs) : before,
    }
    if (lease.owner !== undefined || isSame(lease, settled)) return
    if (await replaced(log, sessionId, state.head.seq, settled)) return
  }
  throw new HoldfastError(
    'contention',
    `session ${sessionId} is written to without a pause; restore it again`,
  )
}

function epochTaken({ type, data }: FoldEvent): number {
  return type === 'lease.taken' ? (data as { epoch: number }).epoch : 0
}

function isSame(a: LeaseRow, b: LeaseRow): boolean {
  return a.epoch === b.epoch && a.expiresAtMs === b.expiresAtMs
}

/** False: the log went on meanwhile. */
async function replaced(
  log: TenantLog,
  sessionId: string,
  lastSeq: number,
  lease: LeaseRow,
): Promise<boolean> {
  const { store, tenantId } = log
  const nothing = { parts: [], waypoints: [], refs: [], strayRefs: [], usage: [], usageSeqs: [] }
  const isDone = await store.rebuild({ tenantId, sessionId, lastSeq, lease, ...nothing })
  log.forget(sessionId, false)
  return isDone
}
