/** Deleting a session, alone or with everything that is based on it. */
import type { DeleteOutcome } from '../store.ts'
import { type KeptTenant, seqOf } from './place.ts'
import { forksOf } from './reads.ts'

export function deleteSession(
  tenant: KeptTenant,
  sessionId: string,
  { cascade, seq }: { cascade: boolean; seq?: number },
): DeleteOutcome {
  const session = tenant.sessions.get(sessionId)
  if (!session) return { status: 'missing' }
  if (seq !== undefined && seqOf(session) !== seq) return { status: 'moved', seq: seqOf(session) }
  const forks = forksOf(tenant, sessionId)
  if (forks.length > 0 && !cascade) return { status: 'has_forks', forks }

  const sessions = [...withForks(tenant, sessionId)]
  let events = 0
  for (const id of sessions) events += remove(tenant, id)
  return { status: 'deleted', sessions, events }
}

function withForks(tenant: KeptTenant, sessionId: string): Set<string> {
  const found = new Set([sessionId])
  for (const id of found) for (const fork of forksOf(tenant, id)) found.add(fork)
  return found
}

/** Gives the number of events that went. */
function remove(tenant: KeptTenant, sessionId: string): number {
  const events = tenant.sessions.get(sessionId)?.events.length ?? 0
  tenant.sessions.delete(sessionId)
  tenant.tombstones.add(sessionId)
  tenant.checkpoints = tenant.checkpoints.filter((checkpoint) => checkpoint.sessionId !== sessionId)
  for (const row of tenant.usage.get(sessionId) ?? []) row.ownerUserId = undefined
  return events
}
