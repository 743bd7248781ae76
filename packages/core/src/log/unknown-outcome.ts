/**
 * An error from a commit does not mean that it was not written. The log itself knows: the event after the base bears
 * the id of the commit that wrote it. So it is sent again as it is, and where that is refused the outcome is read back. Not
 * the other way round: what can be read may still be on one machine only, where a write is answered when a standby has it
 * and all before it.
 */
import { HoldfastError, isHoldfastError, limits } from '@holdfast/protocol'
import type { Commit, Store, Verdict } from '../store/store.ts'
import { backOff } from './back-off.ts'

/** Rejects when the store keeps failing: then the outcome stays unknown. */
export async function settleUnknown(store: Store, commit: Commit, random: () => number): Promise<Verdict> {
  let last: unknown
  for (let tries = 1; tries <= limits.commitTries; tries++) {
    try {
      return await sendAgain(store, commit)
    } catch (error) {
      if (isHoldfastError(error, 'store_closed')) throw error
      last = error
    }
    await backOff(tries, random)
  }
  throw last
}

async function sendAgain(store: Store, commit: Commit): Promise<Verdict> {
  const [outcome] = await store.commit([commit])
  if (!outcome) throw new HoldfastError('store_unavailable', 'the store gave no outcome')
  if (outcome.status === 'failed') throw outcome.error
  if (outcome.status === 'committed') return outcome
  return (await writtenBefore(store, commit)) ?? outcome
}

async function writtenBefore(store: Store, commit: Commit): Promise<Verdict | undefined> {
  const { tenantId, sessionId, baseSeq, commitId } = commit
  const range = { after: baseSeq, through: baseSeq + 1, limit: 1, maxBytes: 1, direction: 'forward' } as const
  const [row] = await store.readEvents(tenantId, sessionId, range)
  if (row?.commitId !== commitId) return undefined
  const head = await store.readHead(tenantId, sessionId)
  if (!head) return undefined
  return {
    status: 'committed',
    firstSeq: baseSeq + 1,
    lastSeq: baseSeq + commit.events.length,
    lease: head.lease,
  }
}
