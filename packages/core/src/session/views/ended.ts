import { type Session, toMs } from '@holdfast/protocol'

/** Closed by somebody, in time. */
export function isClosed(session: Session): boolean {
  return session.endedAt !== undefined && session.status !== 'expired'
}

/** Past its expiry, swept or not, whatever its run still does. */
export function hasExpired(session: Session, nowMs: number): boolean {
  if (session.status === 'expired') return true
  return session.endedAt === undefined && session.expiresAt !== undefined && nowMs >= toMs(session.expiresAt)
}
