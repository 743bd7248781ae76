/** Idempotency keys: looking one up before a commit, sweeping them when their time is past. */
import type { Commit, KeyRow, Verdict } from '../store.ts'
import { compareIds } from './lists.ts'
import type { KeptKey, KeptSession } from './place.ts'

/** What the commit's key says, if it was used before: whether its time is past does not matter until it is swept. */
export function earlierUse(session: KeptSession | undefined, commit: Commit): Verdict | undefined {
  const used = commit.key && session?.keys.get(commit.key.key)
  if (!used) return undefined
  if (used.hash !== commit.key?.hash) return { status: 'key_conflict' }
  return { status: 'replayed', firstSeq: used.firstSeq, lastSeq: used.lastSeq }
}

export function listKeys(
  keys: ReadonlyMap<string, KeptKey>,
  { after, limit }: { after?: string; limit: number },
): KeyRow[] {
  return [...keys]
    .map(([key, used]) => ({ key, ...used }))
    .filter(({ key }) => after === undefined || compareIds(key, after) > 0)
    .sort((a, b) => compareIds(a.key, b.key))
    .slice(0, limit)
}

/** Gives how many went. */
export function sweepKeys(keys: Map<string, KeptKey>, atMs: number, limit: number): number {
  const expired = [...keys].filter(([, { expiresAtMs }]) => expiresAtMs <= atMs).slice(0, limit)
  for (const [key] of expired) keys.delete(key)
  return expired.length
}
