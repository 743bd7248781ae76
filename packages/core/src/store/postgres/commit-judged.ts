/**
 * Commits that a statement cannot judge alone, or has refused: a transaction locks the rows of their sessions, finds out
 * what is to be said, and writes the accepted ones, each on what the ones before have made of the rows.
 */
import type { TenantId } from '@holdfast/protocol'
import { creationRefusalOf, freeLease, lastSeqOf, leaseAfter, refusalOf } from '../judge.ts'
import type { Commit, Verdict } from '../store.ts'
import { textArray } from './arrays.ts'
import type { Clock } from './clock.ts'
import type { Desk } from './commit-way.ts'
import type { Row } from './driver.ts'
import { erase } from './erase.ts'
import type { Answer, Step } from './flush.ts'
import { findSources, insertSegments } from './forks.ts'
import { keysOf, type UsedKeys, usedKeysStep } from './keys.ts'
import { insertSession, type LockedSession, lockedOf, lockStep } from './sessions.ts'
import { insertTenant } from './tenants.ts'
import type { Transaction } from './transactions.ts'

const SELECT_NOW = 'SELECT coalesce($1::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8)'

const SELECT_TOMBSTONES = 'SELECT session FROM @tombstones WHERE tenant = $1 AND session = ANY($2::text[])'

/** What the rows say while they are locked, and what the commits before have made of it. */
interface Judged {
  tx: Transaction
  nowMs: number
  sessions: Map<string, LockedSession>
  keys: UsedKeys
  tombstones: Set<string>
  /** Whether the tenant may be missing in the registry. */
  isNewTenant: boolean
}

/** Verdicts in the order of the commits. */
export function judgeCommits(desk: Desk, tenant: TenantId, commits: readonly Commit[]): Promise<Verdict[]> {
  return desk.db.transact(tenant, async (tx) => {
    const state = await lockAll(tx, desk.clock, tenant, commits)
    const verdicts: Verdict[] = []
    for (const commit of commits) verdicts.push(await judge(desk, state, tenant, commit))
    return verdicts
  })
}

async function lockAll(
  tx: Transaction,
  clock: Clock,
  tenant: TenantId,
  commits: readonly Commit[],
): Promise<Judged> {
  const created = commits.filter(({ create }) => create).map(({ sessionId }) => sessionId)
  const sources = commits.flatMap(({ segments = [] }) => segments.map(({ sessionId }) => sessionId))
  const named = new Set([...commits.map(({ sessionId }) => sessionId), ...sources])
  const [locked, used, dead, now] = (await tx.ask([
    lockStep(tenant, [...named]),
    usedKeysStep(tenant, commits),
    { sql: SELECT_TOMBSTONES, values: [tenant, textArray(created)] },
    { sql: SELECT_NOW, values: [clock.forStatement()] },
  ])) as [Answer, Answer, Answer, Answer]
  return {
    tx,
    nowMs: Number(now.rows[0]?.[0]),
    sessions: lockedOf(locked.rows),
    keys: keysOf(used.rows),
    tombstones: new Set(dead.rows.map(([session]) => session as string)),
    isNewTenant: true,
  }
}

async function judge(desk: Desk, state: Judged, tenant: TenantId, commit: Commit): Promise<Verdict> {
  const session = state.sessions.get(commit.sessionId)
  const repeat = session && state.keys.earlierUse(commit)
  if (repeat) return repeat
  if (commit.create) return session ? { status: 'id_taken' } : create(desk, state, tenant, commit)
  if (!session) return { status: 'conflict', seq: 0 }
  return refusalOf(session, commit, state.nowMs) ?? append(desk, state, tenant, commit, session)
}

function create({ way }: Desk, state: Judged, tenant: TenantId, commit: Commit): Verdict {
  const { tx, sessions, tombstones, nowMs } = state
  if (tombstones.has(commit.sessionId)) return { status: 'id_taken' }
  const sources = findSources(sessions, commit)
  if (!sources) return { status: 'source_missing' }
  const base = sources.at(-1)?.to ?? 0
  const refusal = creationRefusalOf(base, commit, nowMs)
  if (refusal) return refusal
  const lease = leaseAfter(freeLease, commit.lease, nowMs)
  if (state.isNewTenant) insertTenant(tx, tenant)
  state.isNewTenant = false
  insertSession(tx, tenant, commit, { base, lease })
  insertSegments(tx, tenant, commit.sessionId, sources)
  for (const step of way.stepsOfCreation(tenant, commit)) tx.send(step)
  return note(state, commit, { base, seq: base, erased: 0, lease })
}

/** Writes what was judged: the statements find what was found here, for nobody else can change it. */
async function append(
  desk: Desk,
  state: Judged,
  tenant: TenantId,
  commit: Commit,
  session: LockedSession,
): Promise<Verdict> {
  const { tx, nowMs } = state
  if (commit.erase) await erase(tx, tenant, commit, commit.erase)
  const ground = { nowMs, known: desk.known }
  const [move, ...rest] = desk.way.stepsOf(ground, tenant, withLeaseOf(session, commit))
  tx.send(move as Step, ({ rows }) => requireMoved(rows, commit))
  for (const step of rest) tx.send(step)
  const lease = leaseAfter(session.lease, commit.lease, nowMs)
  const erased = commit.erase ? lastSeqOf(commit) : session.erased
  return note(state, commit, { ...session, erased, lease })
}

/** Whether it is due is said of a session that nobody holds. */
function withLeaseOf({ lease }: LockedSession, commit: Commit): Commit {
  if (commit.lease?.type !== 'due' || lease.owner === undefined) return commit
  const { lease: _held, ...rest } = commit
  return rest
}

/** Later commits of the batch are judged on what this one leaves. */
function note({ sessions, keys }: Judged, commit: Commit, session: LockedSession): Verdict {
  const { lease } = session
  sessions.set(commit.sessionId, { ...session, seq: lastSeqOf(commit) })
  keys.note(commit)
  return { status: 'committed', firstSeq: commit.baseSeq + 1, lastSeq: lastSeqOf(commit), lease }
}

function requireMoved(rows: readonly Row[], { sessionId }: Commit): void {
  if (rows.length === 1) return
  throw new Error(`the row of session ${sessionId} changed inside a transaction that had locked it`)
}
