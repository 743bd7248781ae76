/**
 * A batch of commits. The usual commit (an append, with or without a key or a lease change, and the only one of its
 * session in the batch) is judged by the statement that moves the session's row: base, epoch, lease and key are its
 * conditions, and a commit that does not meet them is missing in its answer. Everything else, and what was refused, is
 * judged in a transaction that holds the rows locked.
 */
import { isHoldfastError, type TenantId } from '@holdfast/protocol'
import { lastSeqOf } from '../judge.ts'
import type { Commit, CommitOutcome } from '../store.ts'
import { judgeCommits } from './commit-judged.ts'
import type { Desk } from './commit-way.ts'
import { leaseOf } from './sessions.ts'

/** Commits of one statement: what is more is another one, so that no batch locks many rows for long. */
const commitsAtOnce = 128

interface Item {
  commit: Commit
  outcome?: CommitOutcome
}

/** Outcomes in the order of the commits. A failure is the outcome of those that it struck. */
export async function commitBatch(desk: Desk, commits: readonly Commit[]): Promise<CommitOutcome[]> {
  desk.db.requireOpen()
  const items = commits.map((commit): Item => ({ commit }))
  const ofTenants = Map.groupBy(items, ({ commit }) => commit.tenantId)
  await Promise.all([...ofTenants].map(([tenant, some]) => commitOfTenant(desk, tenant, some)))
  const outcomes = items.map(({ outcome }) => outcome as CommitOutcome)
  const [first] = outcomes
  // Another's error may say that nothing was written, where this one's outcome is not known.
  const isCommon = (outcome: CommitOutcome) => outcome.status === 'failed' && outcome === first
  if (first?.status === 'failed' && outcomes.every(isCommon)) throw first.error
  return outcomes
}

async function commitOfTenant(desk: Desk, tenant: TenantId, items: readonly Item[]): Promise<void> {
  const usual = usualOf(items).toSorted(bySession)
  for (let start = 0; start < usual.length; start += commitsAtOnce) {
    const some = usual.slice(start, start + commitsAtOnce)
    await failing(some, () => commitUsual(desk, tenant, some))
  }
  const rest = items.filter(({ outcome }) => !outcome)
  if (rest.length > 0) await failing(rest, () => commitRest(desk, tenant, rest))
}

/** Those whose outcome a statement can find alone. A session that is forked in the same batch waits for its turn. */
function usualOf(items: readonly Item[]): Item[] {
  // A lone caller's has no others to be looked for.
  if (items.length === 1) return items.filter(({ commit }) => isUsual(commit))
  const ofSessions = Map.groupBy(items, ({ commit }) => commit.sessionId)
  const sources = new Set(
    items.flatMap(({ commit }) => commit.segments?.map(({ sessionId }) => sessionId) ?? []),
  )
  return items.filter(({ commit }) => {
    const isAlone = ofSessions.get(commit.sessionId)?.length === 1 && !sources.has(commit.sessionId)
    return isAlone && isUsual(commit)
  })
}

function isUsual({ create, erase, lease, epoch }: Commit): boolean {
  if (create || erase || lease?.type === 'due') return false
  return lease?.type !== 'release' || epoch !== undefined
}

/** Two batches lock the rows of their sessions in the same order. */
function bySession(a: Item, b: Item): number {
  return a.commit.sessionId < b.commit.sessionId ? -1 : 1
}

async function failing(items: readonly Item[], work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const outcome: CommitOutcome = { status: 'failed', error }
    for (const item of items) item.outcome = outcome
  }
}

async function commitUsual(desk: Desk, tenant: TenantId, items: readonly Item[]): Promise<void> {
  const commits = items.map(({ commit }) => commit)
  const moved = await desk.way.commit(desk, tenant, commits)
  const leases = new Map(moved.map(([session, ...lease]) => [session, leaseOf(lease)]))
  for (const item of items) {
    const lease = leases.get(item.commit.sessionId)
    if (!lease) continue
    const { baseSeq } = item.commit
    item.outcome = { status: 'committed', firstSeq: baseSeq + 1, lastSeq: lastSeqOf(item.commit), lease }
    noteWritten(desk, item.commit)
  }
}

async function commitRest(desk: Desk, tenant: TenantId, items: readonly Item[]): Promise<void> {
  const commits = items.map(({ commit }) => commit)
  const verdicts = await judgeCommits(desk, tenant, commits)
  for (const [index, item] of items.entries()) {
    item.outcome = verdicts[index] as CommitOutcome
    if (item.outcome.status === 'committed') noteWritten(desk, item.commit)
  }
}

function noteWritten({ known, places }: Desk, commit: Commit): void {
  known.learn(commit)
  if (!commit.create) places.noteMove(commit.tenantId, commit.sessionId)
}
