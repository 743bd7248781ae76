/** A session's own events as they were committed: each answer holds the rows of one commit. */
import { HoldfastError, limits } from '@holdfast/protocol'
import type { StoredEvent } from '../../store/store.ts'
import type { LogReads } from '../log-reads.ts'

/** `after`: an end of a commit, or where the prefix of a fork ends. Throws `store_corrupt` at a gap. */
export async function* commitsOf(
  reads: LogReads,
  sessionId: string,
  after: number,
  through: number,
): AsyncGenerator<StoredEvent[]> {
  let commit: StoredEvent[] = []
  for await (const row of rowsOf(reads, sessionId, after, through)) {
    if (commit[0] && commit[0].commitId !== row.commitId) {
      yield commit
      commit = []
    }
    commit.push(row)
  }
  if (commit.length > 0) yield commit
}

/** Every row after `after` through `through`, page by page. */
export async function* rowsOf(
  reads: LogReads,
  sessionId: string,
  after: number,
  through: number,
): AsyncGenerator<StoredEvent> {
  let last = after
  while (last < through) {
    // A store may read without ever letting others come to their turn.
    await new Promise((resolve) => setImmediate(resolve))
    const rows = await reads.readRows(sessionId, { after: last, through, limit: limits.pageItems })
    for (const row of rows) {
      if (row.seq !== last + 1) throw missing(sessionId, last + 1)
      yield row
      last = row.seq
    }
    if (rows.length === 0) throw missing(sessionId, last + 1)
  }
}

function missing(sessionId: string, seq: number): HoldfastError {
  return new HoldfastError('store_corrupt', `session ${sessionId} has no event ${seq}`, {
    details: { sessionId, seq },
  })
}
