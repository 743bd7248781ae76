/**
 * A batch of commits. The usual commit (an append, with or without a key or a lease change, and the only one of its
 * session in the batch) is judged by the statement that moves the session's row: version, epoch, lease and key are its
 * conditions, and one that meets them not is simply not there in its answer. What lies beside the events is written by
 * further statements of the same flush, for those commits whose last event is there. Everything else, and what was
 * refused, is judged here, in a transaction that holds the rows locked.
 */
import { isHoldfastError, type TenantId } from '@holdfast/protocol'
import { haveSameIndices, type IndexColumns } from '../columns.ts'
import { creationRefusalOf, freeLease, lastSeqOf, leaseAfter, refusalOf } from '../judge.ts'
import type { Commit, CommitOutcome, LeaseRow } from '../store.ts'
import { int4Array, int8Array, textArray } from './arrays.ts'
import { attachmentsStep } from './attachments.ts'
import type { Clock } from './clock.ts'
import { draftSteps } from './drafts.ts'
import type { Row, SqlValue } from './driver.ts'
import { erase } from './erase.ts'
import { bodiesStep, columnsOf, valuesOfEvents } from './events.ts'
import type { Answer, Step } from './flush.ts'
import { findSources, insertSegments } from './forks.ts'
import { keysOf, keysStep, usedKeysStep } from './keys.ts'
import type { Known } from './known.ts'
import { partsStep, waypointsStep } from './parts.ts'
import { refsStep } from './refs.ts'
import {
  activityStep,
  headCrcOf,
  insertSession,
  type LockedSession,
  leaseOf,
  listingStep,
  lockedOf,
  lockStep,
} from './sessions.ts'
import { insertTenant } from './tenants.ts'
import type { Transaction, Transactions } from './transactions.ts'
import { usageStep } from './usage.ts'

/** One commit: the statement of a caller who is alone. */
const COMMIT_ONE = `
  WITH moved AS (
    UPDATE @sessions SET seq = $4, head_crc = $5, head = $6, unindexed = true,
      epoch = CASE WHEN $9::text IS NULL THEN epoch ELSE epoch + 1 END,
      lease_owner = CASE WHEN $9::text IS NOT NULL THEN $9::text WHEN $11::bool THEN NULL ELSE lease_owner END,
      lease_expires = CASE
        WHEN $9::text IS NOT NULL THEN coalesce($13::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8) + $10::int8
        WHEN $11::bool THEN NULL ELSE lease_expires END
    WHERE tenant = $1 AND session = $2 AND seq = $3
      AND ($7::int4 IS NULL OR (epoch = $7 AND lease_owner IS NOT NULL))
      AND ($8::int4 IS NULL OR epoch = $8)
      AND (NOT $12::bool OR lease_owner IS NULL
        OR lease_expires <= coalesce($13::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8))
      AND ($14::text IS NULL OR NOT EXISTS (
        SELECT 1 FROM @keys k WHERE k.tenant = $1 AND k.session = $2 AND k.key = $14
      ))
    RETURNING session, epoch, lease_owner, lease_expires
  ), written AS (
    INSERT INTO @events (tenant, session, seq, v, crc, bytes, type, at, commit_id, aside, body)
    SELECT $1, $2, e.* FROM moved, unnest($15::int4[], $16::int4[], $17::int8[], $18::int4[], $19::text[], $20::text[],
      $21::text[], $22::bytea[], $23::text[]) AS e
  )
  SELECT session, epoch, lease_owner, lease_expires FROM moved`

/** Many commits of different sessions, in the order of their ids: two batches lock rows in the same order. */
const COMMIT_MANY = `
  WITH moved AS (
    UPDATE @sessions s SET seq = u.last, head_crc = u.crc, head = u.head, unindexed = true,
      epoch = CASE WHEN u.owner IS NULL THEN s.epoch ELSE s.epoch + 1 END,
      lease_owner = CASE WHEN u.owner IS NOT NULL THEN u.owner WHEN u.release = 1 THEN NULL ELSE s.lease_owner END,
      lease_expires = CASE
        WHEN u.owner IS NOT NULL THEN coalesce($13::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8) + u.ttl
        WHEN u.release = 1 THEN NULL ELSE s.lease_expires END
    FROM unnest($2::text[], $3::int4[], $4::int4[], $5::int8[], $6::text[], $7::int4[], $8::int4[], $9::text[],
      $10::int8[], $11::int4[], $12::int4[], $14::text[]
    ) WITH ORDINALITY AS u (session, base, last, crc, head, epoch, from_epoch, owner, ttl, release, needs_free, key, n)
    WHERE s.tenant = $1 AND s.session = u.session AND s.seq = u.base
      AND (u.epoch IS NULL OR (s.epoch = u.epoch AND s.lease_owner IS NOT NULL))
      AND (u.from_epoch IS NULL OR s.epoch = u.from_epoch)
      AND (u.needs_free = 0 OR s.lease_owner IS NULL
        OR s.lease_expires <= coalesce($13::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8))
      AND (u.key IS NULL OR NOT EXISTS (
        SELECT 1 FROM @keys k WHERE k.tenant = $1 AND k.session = u.session AND k.key = u.key
      ))
    RETURNING u.n, s.session, s.epoch, s.lease_owner, s.lease_expires
  ), written AS (
    INSERT INTO @events (tenant, session, seq, v, crc, bytes, type, at, commit_id, aside, body)
    SELECT $1, moved.session, e.seq, e.v, e.crc, e.bytes, e.type, e.at, e.commit_id, e.aside, e.body
    FROM unnest($24::int8[], $15::int4[], $16::int4[], $17::int8[], $18::int4[], $19::text[], $20::text[], $21::text[],
      $22::bytea[], $23::text[]) AS e (n, seq, v, crc, bytes, type, at, commit_id, aside, body)
    JOIN moved ON moved.n = e.n
  )
  SELECT session, epoch, lease_owner, lease_expires FROM moved`

const SELECT_NOW = 'SELECT coalesce($1::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8)'

const SELECT_TOMBSTONES = 'SELECT session FROM @tombstones WHERE tenant = $1 AND session = ANY($2::text[])'

/** Commits of one statement: what is more is another one, so that no batch locks many rows for long. */
const commitsAtOnce = 128

/** What a batch works with. */
export interface Desk {
  db: Transactions
  clock: Clock
  known: Known
}

/** Outcomes in the order of the commits. A failure is the outcome of those that it struck. */
export async function commitBatch(desk: Desk, commits: readonly Commit[]): Promise<CommitOutcome[]> {
  desk.db.requireOpen()
  const outcomes = new Map<Commit, CommitOutcome>()
  const ofTenants = Map.groupBy(commits, ({ tenantId }) => tenantId)
  await Promise.all(
    [...ofTenants].map(([tenant, ofTenant]) => commitOfTenant(desk, tenant, ofTenant, outcomes)),
  )
  const failures = [...outcomes.values()].filter((outcome) => outcome.status === 'failed')
  if (failures.length > 0 && failures.length === commits.length) throw failures[0]?.error
  return commits.map((commit) => outcomes.get(commit) as CommitOutcome)
}

type Outcomes = Map<Commit, CommitOutcome>

async function commitOfTenant(
  desk: Desk,
  tenant: TenantId,
  commits: readonly Commit[],
  outcomes: Outcomes,
): Promise<void> {
  const usual = usualOf(commits).toSorted(bySession)
  for (let start = 0; start < usual.length; start += commitsAtOnce) {
    const some = usual.slice(start, start + commitsAtOnce)
    await failing(some, outcomes, () => commitUsual(desk, tenant, some, outcomes))
  }
  const rest = commits.filter((commit) => !outcomes.has(commit))
  if (rest.length > 0) await failing(rest, outcomes, () => commitJudged(desk, tenant, rest, outcomes))
}

/** Those whose outcome a statement can find alone. */
function usualOf(commits: readonly Commit[]): Commit[] {
  const counts = new Map<string, number>()
  for (const { sessionId } of commits) counts.set(sessionId, (counts.get(sessionId) ?? 0) + 1)
  return commits.filter((commit) => counts.get(commit.sessionId) === 1 && isUsual(commit))
}

function isUsual({ create, erase: erasing, lease, epoch }: Commit): boolean {
  return !create && !erasing && (lease?.type !== 'release' || epoch !== undefined)
}

function bySession(a: Commit, b: Commit): number {
  return a.sessionId < b.sessionId ? -1 : 1
}

async function failing(
  commits: readonly Commit[],
  outcomes: Outcomes,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    for (const commit of commits) outcomes.set(commit, { status: 'failed', error })
  }
}

async function commitUsual(
  { db, clock, known }: Desk,
  tenant: TenantId,
  commits: readonly Commit[],
  outcomes: Outcomes,
): Promise<void> {
  const [answer] = await db.write(tenant, stepsOf({ nowMs: clock.forStatement(), known }, tenant, commits))
  const leases = leasesIn(answer as Answer)
  for (const commit of commits) {
    const lease = leases.get(commit.sessionId)
    if (lease) outcomes.set(commit, settle(known, tenant, commit, lease))
  }
}

function settle(known: Known, tenant: TenantId, commit: Commit, lease: LeaseRow): CommitOutcome {
  const { body: _, ...columns } = commit.head
  known.setSession(tenant, commit.sessionId, { seq: lastSeqOf(commit), columns })
  return { status: 'committed', firstSeq: commit.baseSeq + 1, lastSeq: lastSeqOf(commit), lease }
}

function leasesIn({ rows }: Answer): Map<string, LeaseRow> {
  return new Map(rows.map(([session, ...lease]) => [session as string, leaseOf(lease)]))
}

/** What the statements of a batch rest on. */
interface Ground {
  /** Null for the time of the server. */
  nowMs: number | null
  known: Known
}

/** The statement that moves the rows and writes the events, then those for what lies beside, where there is any. */
function stepsOf({ nowMs, known }: Ground, tenant: TenantId, commits: readonly Commit[]): Step[] {
  const steps = [
    commits.length === 1
      ? stepOfOne(nowMs, tenant, commits[0] as Commit)
      : stepOfMany(nowMs, tenant, commits),
    bodiesStep(tenant, commits),
    keysStep(tenant, commits),
    partsStep(tenant, commits),
    waypointsStep(tenant, commits),
    refsStep(tenant, commits),
    usageStep(tenant, commits),
    attachmentsStep(tenant, commits),
    ...draftSteps(tenant, commits),
    ...listingSteps(known, tenant, commits),
  ]
  return steps.filter((step) => step !== undefined)
}

function listingSteps(known: Known, tenant: TenantId, commits: readonly Commit[]): Step[] {
  const active: Commit[] = []
  const changed: Commit[] = []
  for (const commit of commits) {
    const columns = columnsBefore(known, tenant, commit)
    if (!columns || !haveSameIndices(columns, commit.head)) changed.push(commit)
    else if (columns.activity !== commit.head.activity) active.push(commit)
  }
  const steps: Step[] = []
  if (active.length > 0) steps.push(activityStep(tenant, active))
  if (changed.length > 0) steps.push(listingStep(tenant, changed))
  return steps
}

function columnsBefore(known: Known, tenant: TenantId, commit: Commit): IndexColumns | undefined {
  const session = known.session(tenant, commit.sessionId)
  return session?.seq === commit.baseSeq ? session.columns : undefined
}

function stepOfOne(nowMs: number | null, tenant: TenantId, commit: Commit): Step {
  const { sessionId, baseSeq, head, epoch, lease, key } = commit
  const { fromEpoch, owner, ttlMs, isRelease, needsFree } = movesOf(lease)
  const values: SqlValue[] = [
    tenant,
    sessionId,
    baseSeq,
    lastSeqOf(commit),
    headCrcOf(head),
    head.body,
    epoch,
  ]
  values.push(fromEpoch, owner, ttlMs, isRelease, needsFree, nowMs, key?.key)
  return { sql: COMMIT_ONE, values: [...values, ...valuesOfEvents(columnsOf(commit))] }
}

function stepOfMany(nowMs: number | null, tenant: TenantId, commits: readonly Commit[]): Step {
  const moves = commits.map(({ lease }) => movesOf(lease))
  const events = commits.flatMap((commit, index) =>
    columnsOf(commit).map((event) => ({ event, n: index + 1 })),
  )
  const values: SqlValue[] = [
    tenant,
    textArray(commits.map(({ sessionId }) => sessionId)),
    int4Array(commits.map(({ baseSeq }) => baseSeq)),
    int4Array(commits.map(lastSeqOf)),
    int8Array(commits.map(({ head }) => headCrcOf(head))),
    textArray(commits.map(({ head }) => head.body)),
    int4Array(commits.map(({ epoch }) => epoch)),
    int4Array(moves.map(({ fromEpoch }) => fromEpoch)),
    textArray(moves.map(({ owner }) => owner)),
    int8Array(moves.map(({ ttlMs }) => ttlMs)),
    int4Array(moves.map(({ isRelease }) => Number(isRelease))),
    int4Array(moves.map(({ needsFree }) => Number(needsFree))),
    nowMs,
    textArray(commits.map(({ key }) => key?.key)),
    ...valuesOfEvents(events.map(({ event }) => event)),
    int8Array(events.map(({ n }) => n)),
  ]
  return { sql: COMMIT_MANY, values }
}

interface LeaseMove {
  fromEpoch?: number
  owner?: string
  ttlMs?: number
  isRelease: boolean
  /** Whether the lease must be free, or past its end. */
  needsFree: boolean
}

function movesOf(lease: Commit['lease']): LeaseMove {
  if (!lease) return { isRelease: false, needsFree: false }
  if (lease.type === 'release') return { isRelease: true, needsFree: lease.lost === true }
  const { fromEpoch, owner, ttlMs } = lease
  return { fromEpoch, owner, ttlMs, isRelease: false, needsFree: true }
}

/** What the rows say while they are locked, and what the commits before have made of it. */
interface Judged {
  tx: Transaction
  nowMs: number
  sessions: Map<string, LockedSession>
  keys: ReturnType<typeof keysOf>
  tombstones: Set<string>
}

async function commitJudged(
  desk: Desk,
  tenant: TenantId,
  commits: readonly Commit[],
  outcomes: Outcomes,
): Promise<void> {
  const judged = await desk.db.transact(tenant, async (tx) => {
    const state = await lockAll(tx, desk.clock, tenant, commits)
    const found: [Commit, CommitOutcome][] = []
    for (const commit of commits) found.push([commit, await judge(desk, state, tenant, commit)])
    return found
  })
  for (const [commit, outcome] of judged) {
    outcomes.set(
      commit,
      outcome.status === 'committed' ? settle(desk.known, tenant, commit, outcome.lease) : outcome,
    )
  }
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
  }
}

async function judge(desk: Desk, state: Judged, tenant: TenantId, commit: Commit): Promise<CommitOutcome> {
  const session = state.sessions.get(commit.sessionId)
  const repeat = session && state.keys.earlierUse(commit)
  if (repeat) return repeat
  if (commit.create) return session ? { status: 'id_taken' } : create(desk, state, tenant, commit)
  if (!session) return { status: 'conflict', seq: 0 }
  return refusalOf(session, commit, state.nowMs) ?? append(desk, state, tenant, commit, session)
}

async function create(desk: Desk, state: Judged, tenant: TenantId, commit: Commit): Promise<CommitOutcome> {
  const { tx, sessions, tombstones, nowMs } = state
  if (tombstones.has(commit.sessionId)) return { status: 'id_taken' }
  const sources = findSources(sessions, commit)
  if (!sources) return { status: 'source_missing' }
  const base = sources.at(-1)?.to ?? 0
  const refusal = creationRefusalOf(base, commit, nowMs)
  if (refusal) return refusal
  insertTenant(tx, tenant)
  insertSession(tx, tenant, commit, base)
  insertSegments(tx, tenant, commit.sessionId, sources)
  return append(desk, state, tenant, commit, { base, seq: base, erased: 0, lease: freeLease })
}

/** Writes what was judged: the statements find what was found here, for nobody else can change it. */
async function append(
  desk: Desk,
  { tx, sessions, keys, nowMs }: Judged,
  tenant: TenantId,
  commit: Commit,
  session: LockedSession,
): Promise<CommitOutcome> {
  if (commit.erase) await erase(tx, tenant, commit, commit.erase)
  const [move, ...rest] = stepsOf({ nowMs, known: desk.known }, tenant, [commit])
  tx.send(move as Step, ({ rows }) => requireMoved(rows, commit))
  for (const step of rest) tx.send(step)
  const lease = leaseAfter(session.lease, commit.lease, nowMs)
  const erased = commit.erase ? lastSeqOf(commit) : session.erased
  sessions.set(commit.sessionId, { ...session, seq: lastSeqOf(commit), erased, lease })
  keys.note(commit)
  return { status: 'committed', firstSeq: commit.baseSeq + 1, lastSeq: lastSeqOf(commit), lease }
}

function requireMoved(rows: readonly Row[], { sessionId }: Commit): void {
  if (rows.length === 1) return
  throw new Error(`the row of session ${sessionId} changed inside a transaction that had locked it`)
}
