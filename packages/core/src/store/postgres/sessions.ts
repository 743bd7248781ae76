/** The session row: finding it, making it, moving it on. */

import type { TenantId } from '@holdfast/protocol'
import { crcOf, requireCrc } from '../checksum.ts'
import type { IndexColumns } from '../columns.ts'
import { lastSeqOf } from '../judge.ts'
import type { Commit, HeadRow, LeaseRow, RawSession, StoredHead } from '../store.ts'
import { int4Array, int8Array, textArray } from './arrays.ts'
import type { Row, SqlValue } from './driver.ts'
import type { Step } from './flush.ts'
import type { Transaction, Transactions } from './transactions.ts'

const SELECT_HEAD = `
  SELECT seq, epoch, lease_owner, lease_expires, head_crc, head FROM @sessions WHERE tenant = $1 AND session = $2`

/** In the order of their ids, as every statement that locks several does. */
const LOCK = `
  SELECT session, base, seq, erased, epoch, lease_owner, lease_expires FROM @sessions
  WHERE tenant = $1 AND session = ANY($2::text[]) ORDER BY session FOR UPDATE`

const INSERT_SESSION = `
  INSERT INTO @sessions (
    tenant, session, base, seq, indexed, epoch, lease_owner, lease_expires, head_crc, head
  ) VALUES ($1, $2, $3, $4, $3, $5, $6, $7, $8, $9)`

const INSERT_LISTING = `
  INSERT INTO @listings (
    tenant, session, agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires
  ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`

// The lists have indices on all of these, so only what differs is written. The place by activity moves later: see `places.ts`.
const SET_LISTINGS = `
  UPDATE @listings l SET agent = u.agent, owner = u.owner, conversation = u.conversation, thread = u.thread,
    root = u.root, created = u.created, question_asked = u.question_asked, question_expires = u.question_expires,
    expires = u.expires
  FROM unnest($2::text[], $3::int4[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::int8[], $10::int8[], $11::int8[], $12::int8[]
  ) AS u (session, seq, agent, owner, conversation, thread, root, created, question_asked, question_expires, expires)
  WHERE l.tenant = $1 AND l.session = ANY($2::text[]) AND l.session = u.session
    AND (l.agent, l.owner, l.conversation, l.thread, l.root, l.created, l.question_asked, l.question_expires,
      l.expires) IS DISTINCT FROM (u.agent, u.owner, u.conversation, u.thread, u.root, u.created,
      u.question_asked, u.question_expires, u.expires)
    AND (
      SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq
    ) = pg_current_xact_id()::xid`

/** The list's columns are absent where its row is. */
const SELECT_RAW = `
  SELECT s.seq, coalesce((SELECT max(e.seq) FROM @events e WHERE e.tenant = $1 AND e.session = $2), s.base),
    s.epoch, s.lease_owner, s.lease_expires, s.head_crc, s.head, l.agent, l.owner, l.conversation, l.thread, l.root,
    l.created, CASE WHEN s.ahead THEN s.activity ELSE l.activity END, l.question_asked, l.question_expires, l.expires
  FROM @sessions s LEFT JOIN @listings l ON l.tenant = s.tenant AND l.session = s.session
  WHERE s.tenant = $1 AND s.session = $2`

const SELECT_LAST_SEQ = 'SELECT max(seq) FROM @events WHERE tenant = $1 AND session = $2'

// What the search index claims to hold of events that are not there it does not hold.
const SET_SEQ = `
  UPDATE @sessions SET seq = $3, indexed = least(indexed, $3), unindexed = least(indexed, $3) < $3
  WHERE tenant = $1 AND session = $2 AND (seq <> $3 OR indexed > $3)`

const SET_HEAD =
  'UPDATE @sessions SET head_crc = $3, head = $4, ahead = false WHERE tenant = $1 AND session = $2'

const PUT_LISTING = `
  INSERT INTO @listings (
    tenant, session, agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires
  ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (tenant, session) DO UPDATE SET agent = excluded.agent, owner = excluded.owner,
    conversation = excluded.conversation, thread = excluded.thread, root = excluded.root, created = excluded.created,
    activity = excluded.activity, question_asked = excluded.question_asked,
    question_expires = excluded.question_expires, expires = excluded.expires`

const SET_LEASE = `
  UPDATE @sessions SET epoch = $3, lease_owner = $4, lease_expires = $5 WHERE tenant = $1 AND session = $2`

/** A row that this transaction has locked. */
export interface LockedSession {
  base: number
  seq: number
  erased: number
  lease: LeaseRow
}

export async function readHead(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
): Promise<StoredHead | undefined> {
  const [row] = await db.read(tenant, SELECT_HEAD, tenant, sessionId)
  if (!row) return undefined
  const [seq, epoch, owner, expires, crc, body] = row
  requireCrc(body, Number(crc), 'The head', sessionId)
  return { sessionId, seq: Number(seq), body, lease: leaseOf([epoch, owner, expires]) }
}

/** Whether or not its checksum holds. */
export async function readRawSession(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
): Promise<RawSession | undefined> {
  const [row] = await db.read(tenant, SELECT_RAW, tenant, sessionId)
  if (!row) return undefined
  const [seq, lastSeq, epoch, owner, expires, crc, body, ...columns] = row
  return {
    seq: Number(seq),
    lastSeq: Number(lastSeq),
    head: { body, ...columnsOf(columns) },
    ...(crcOf(body) !== Number(crc) && { damaged: true }),
    lease: leaseOf([epoch, owner, expires]),
  }
}

/** What the event rows say, and not the session's own. */
export async function lastEventSeq(
  tx: Transaction,
  tenant: TenantId,
  sessionId: string,
  { base }: LockedSession,
): Promise<number> {
  const [row] = await tx.all(SELECT_LAST_SEQ, tenant, sessionId)
  return Number(row?.[0] ?? base)
}

export function setSeqStep(tenant: TenantId, sessionId: string, seq: number): Step {
  return { sql: SET_SEQ, values: [tenant, sessionId, seq] }
}

export function setHeadSteps(tenant: TenantId, sessionId: string, head: HeadRow): Step[] {
  return [
    { sql: SET_HEAD, values: [tenant, sessionId, headCrcOf(head), head.body] },
    { sql: PUT_LISTING, values: [tenant, sessionId, ...valuesOfColumns(head)] },
  ]
}

export function setLeaseStep(tenant: TenantId, sessionId: string, lease: LeaseRow): Step {
  const { epoch, owner = null, expiresAtMs = null } = lease
  return { sql: SET_LEASE, values: [tenant, sessionId, epoch, owner, expiresAtMs] }
}

export function lockStep(tenant: TenantId, sessionIds: readonly string[]): Step {
  return { sql: LOCK, values: [tenant, textArray(sessionIds)] }
}

export function lockedOf(rows: readonly Row[]): Map<string, LockedSession> {
  return new Map(
    rows.map(([session, base, seq, erased, ...lease]) => {
      return [
        session,
        { base: Number(base), seq: Number(seq), erased: Number(erased), lease: leaseOf(lease) },
      ]
    }),
  )
}

export async function lockSession(
  tx: Transaction,
  tenant: TenantId,
  sessionId: string,
): Promise<LockedSession | undefined> {
  const { sql, values } = lockStep(tenant, [sessionId])
  return lockedOf(await tx.all(sql, ...values)).get(sessionId)
}

export function insertSession(
  tx: Transaction,
  tenant: TenantId,
  commit: Commit,
  { base, lease }: { base: number; lease: LeaseRow },
): void {
  const { sessionId, head } = commit
  const { epoch, owner, expiresAtMs } = lease
  const moved = [base, lastSeqOf(commit), epoch, owner, expiresAtMs, headCrcOf(head), head.body]
  tx.send({ sql: INSERT_SESSION, values: [tenant, sessionId, ...moved] })
  tx.send({ sql: INSERT_LISTING, values: [tenant, sessionId, ...valuesOfColumns(head)] })
}

/** Brings the lists up to date with commits that were written, but for the places by activity. */
export function listingStep(tenant: TenantId, commits: readonly Commit[]): Step {
  const heads = commits.map(({ head }) => head)
  const columns: SqlValue[] = [
    textArray(heads.map(({ agentId }) => agentId)),
    textArray(heads.map(({ ownerUserId }) => ownerUserId)),
    textArray(heads.map(({ conversationId }) => conversationId)),
    textArray(heads.map(({ threadId }) => threadId)),
    textArray(heads.map(({ rootSessionId }) => rootSessionId)),
    int8Array(heads.map(({ createdAtMs }) => createdAtMs)),
    int8Array(heads.map(({ questionAskedAtMs }) => questionAskedAtMs)),
    int8Array(heads.map(({ questionExpiresAtMs }) => questionExpiresAtMs)),
    int8Array(heads.map(({ expiresAtMs }) => expiresAtMs)),
  ]
  return { sql: SET_LISTINGS, values: [tenant, ...marksOf(commits), ...columns] }
}

/**
 * Session and last seq of each commit: it was written now if this transaction wrote the event of that seq. Statements
 * look by a scalar subquery: as a join the planner may read all events of the tenant, where most have few.
 */
export function marksOf(commits: readonly Commit[]): [Buffer, Buffer] {
  return [textArray(commits.map(({ sessionId }) => sessionId)), int4Array(commits.map(lastSeqOf))]
}

export function leaseOf([epoch, owner, expires]: Row): LeaseRow {
  return {
    epoch: Number(epoch),
    owner: owner ?? undefined,
    expiresAtMs: expires === null ? undefined : Number(expires),
  }
}

export function headCrcOf({ body }: HeadRow): number {
  return crcOf(body)
}

function columnsOf(row: Row): IndexColumns {
  const [agentId, owner, conversationId, threadId, rootSessionId, createdAt, activity, ...times] = row
  const [askedAt, questionExpiresAt, expiresAt] = times.map((time) =>
    time === null ? undefined : Number(time),
  )
  return {
    agentId: agentId ?? '',
    ownerUserId: owner ?? undefined,
    conversationId: conversationId ?? '',
    threadId: threadId ?? '',
    rootSessionId: rootSessionId ?? '',
    createdAtMs: Number(createdAt),
    activity: Number(activity),
    questionAskedAtMs: askedAt,
    questionExpiresAtMs: questionExpiresAt,
    expiresAtMs: expiresAt,
  }
}

function valuesOfColumns(head: IndexColumns): SqlValue[] {
  return [
    head.agentId,
    head.ownerUserId,
    head.conversationId,
    head.threadId,
    head.rootSessionId,
    head.createdAtMs,
    head.activity,
    head.questionAskedAtMs,
    head.questionExpiresAtMs,
    head.expiresAtMs,
  ]
}
