/** What of the writes of a session was taken although another worker had its run by then. */
import type { StoredSession } from '../stored.ts'
import type { HeldWrite } from './task.ts'

/** Commits are compared by their place in the log; text of a draft has none, and is by the time. */
export function staleWrites({ sessionId, events }: StoredSession, told: readonly HeldWrite[]): string[] {
  const writes = told.filter(({ session, isRefused }) => session === sessionId && !isRefused)
  const taken = events.filter(({ type }) => type === 'lease.taken')
  const isStale = ({ epoch, seq, begun }: HeldWrite): boolean => {
    if (seq !== undefined) return taken.some((take) => Number(take.data.epoch) > epoch && take.seq < seq)
    return writes.some((other) => other.epoch > epoch && BigInt(other.answered) < BigInt(begun))
  }
  return writes.filter(isStale).map((write) => `a write of another time: ${JSON.stringify(write)}`)
}
