/** The session row: finding it, making it, moving it on. */
import { crcOf, requireCrc } from '../checksum.ts'
import type { IndexColumns } from '../columns.ts'
import { lastSeqOf } from '../judge.ts'
import type { Commit, HeadRow, LeaseRow, RawSession, StoredHead } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Row, SqlValue } from './driver.ts'
import type { KnownSession } from './known.ts'

export interface SessionRow {
  session: number
  /** Last seq of the prefix that a fork reads elsewhere; 0 for a session of its own. */
  base: number
  seq: number
}

export interface FullSessionRow extends SessionRow {
  lease: LeaseRow
  columns: IndexColumns
}

const SELECT_SESSION = 'SELECT session, base, seq FROM sessions WHERE tenant = ? AND id = ?'

const SELECT_FULL = `
  SELECT session, base, seq, epoch, lease_owner, lease_expires,
    agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires
  FROM sessions WHERE tenant = ? AND id = ?`

const SELECT_HEAD = `
  SELECT seq, epoch, lease_owner, lease_expires, head_crc, head FROM sessions WHERE tenant = ? AND id = ?`

const INSERT_SESSION = `
  INSERT INTO sessions (
    tenant, id, base, seq, epoch, lease_owner, lease_expires,
    agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires,
    head_crc, head
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING session`

// SQLite writes an index entry anew for every column that SET names, changed or not: so the usual commit names none.
const ADVANCE = `
  UPDATE sessions SET seq = ?, head_crc = ?, head = ?
  WHERE session = ? AND tenant = ? AND seq = ? AND (? IS NULL OR (epoch = ? AND lease_owner IS NOT NULL))
  RETURNING epoch, lease_owner, lease_expires`

const ADVANCE_ACTIVE = `
  UPDATE sessions SET seq = ?, head_crc = ?, head = ?, activity = ?
  WHERE session = ? AND tenant = ? AND seq = ? AND (? IS NULL OR (epoch = ? AND lease_owner IS NOT NULL))
  RETURNING epoch, lease_owner, lease_expires`

const MOVE = `
  UPDATE sessions SET seq = ?, head_crc = ?, head = ?, epoch = ?, lease_owner = ?, lease_expires = ?,
    agent = ?, owner = ?, conversation = ?, thread = ?, root = ?, created = ?, activity = ?,
    question_asked = ?, question_expires = ?, expires = ?
  WHERE session = ? AND tenant = ? AND seq = ? AND epoch = ?`

const SELECT_RAW = `
  SELECT session, base, seq, epoch, lease_owner, lease_expires, head_crc, head,
    agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires
  FROM sessions WHERE tenant = ? AND id = ?`

const SELECT_LAST_SEQ = 'SELECT max(seq) FROM events WHERE session = ?'

const SET_SEQ = 'UPDATE sessions SET seq = ? WHERE session = ? AND seq <> ?'

const SET_HEAD = `
  UPDATE sessions SET head_crc = ?, head = ?, agent = ?, owner = ?, conversation = ?, thread = ?, root = ?,
    created = ?, activity = ?, question_asked = ?, question_expires = ?, expires = ?
  WHERE session = ?`

const FREE_LEASE = 'UPDATE sessions SET epoch = ?, lease_owner = NULL, lease_expires = NULL WHERE session = ?'

export function getSession(db: Connection, tenant: number, sessionId: string): SessionRow | undefined {
  const row = db.get(SELECT_SESSION, tenant, sessionId)
  if (!row) return undefined
  const [session, base, seq] = row
  return { session, base, seq }
}

export function getFullSession(
  db: Connection,
  tenant: number,
  sessionId: string,
): FullSessionRow | undefined {
  const row = db.get(SELECT_FULL, tenant, sessionId)
  if (!row) return undefined
  const [session, base, seq, epoch, owner, expires] = row
  return { session, base, seq, lease: leaseOf([epoch, owner, expires]), columns: columnsOf(row.slice(6)) }
}

export function readHead(db: Connection, tenant: number, sessionId: string): StoredHead | undefined {
  const row = db.get(SELECT_HEAD, tenant, sessionId)
  if (!row) return undefined
  const [seq, epoch, owner, expires, crc, body] = row
  requireCrc(body, crc, 'The head', sessionId)
  return { sessionId, seq, body, lease: leaseOf([epoch, owner, expires]) }
}

/** Whether or not its checksum holds. */
export function readRawSession(db: Connection, tenant: number, sessionId: string): RawSession | undefined {
  const row = db.get(SELECT_RAW, tenant, sessionId)
  if (!row) return undefined
  const [session, base, seq, epoch, owner, expires, crc, body, ...columns] = row
  return {
    seq,
    lastSeq: lastEventSeq(db, { session, base }),
    head: { body, ...columnsOf(columns) },
    ...(crcOf(body) !== crc && { damaged: true }),
    lease: leaseOf([epoch, owner, expires]),
  }
}

/** What the event rows say, and not the session's own. */
export function lastEventSeq(
  db: Connection,
  { session, base }: Pick<SessionRow, 'session' | 'base'>,
): number {
  return db.get(SELECT_LAST_SEQ, session)?.[0] ?? base
}

export function setSeq(db: Connection, session: number, seq: number): void {
  db.run(SET_SEQ, seq, session, seq)
}

export function setHead(db: Connection, session: number, head: HeadRow): void {
  db.run(SET_HEAD, crcOf(head.body), head.body, ...valuesOfColumns(head), session)
}

export function freeLease(db: Connection, session: number, epoch: number): void {
  db.run(FREE_LEASE, epoch, session)
}

export function insertSession(db: Connection, tenant: number, commit: Commit, lease: LeaseRow): number {
  const { sessionId, baseSeq, head } = commit
  const row = db.get(
    INSERT_SESSION,
    tenant,
    sessionId,
    baseSeq,
    lastSeqOf(commit),
    ...valuesOfLease(lease),
    ...valuesOfColumns(head),
    crcOf(head.body),
    head.body,
  )
  const [session] = row as [number]
  return session
}

/** The usual commit: seq and head move, and perhaps the activity. Nothing for a base or an epoch that is not the row's. */
export function advance(
  db: Connection,
  tenant: number,
  { session, columns }: Pick<KnownSession, 'session' | 'columns'>,
  commit: Commit,
): LeaseRow | undefined {
  const { head, baseSeq, epoch = null } = commit
  const moved = [lastSeqOf(commit), crcOf(head.body), head.body] as const
  const guards = [session, tenant, baseSeq, epoch, epoch] as const
  const row =
    columns.activity === head.activity
      ? db.get(ADVANCE, ...moved, ...guards)
      : db.get(ADVANCE_ACTIVE, ...moved, head.activity, ...guards)
  return row && leaseOf(row)
}

/** Everything that a commit may change in the row. The caller has judged the commit in the same transaction. */
export function move(
  db: Connection,
  tenant: number,
  { session, lease: { epoch } }: FullSessionRow,
  commit: Commit,
  lease: LeaseRow,
): void {
  const { head, baseSeq } = commit
  const changes = db.run(
    MOVE,
    lastSeqOf(commit),
    crcOf(head.body),
    head.body,
    ...valuesOfLease(lease),
    ...valuesOfColumns(head),
    session,
    tenant,
    baseSeq,
    epoch,
  )
  if (changes !== 1) throw new Error(`session row ${session} changed inside a transaction that had locked it`)
}

export function leaseOf([epoch, owner, expires]: Row): LeaseRow {
  return { epoch, owner: owner ?? undefined, expiresAtMs: expires ?? undefined }
}

function valuesOfLease({ epoch, owner, expiresAtMs }: LeaseRow): SqlValue[] {
  return [epoch, owner ?? null, expiresAtMs ?? null]
}

/** Remembers what the commit made of the row. */
export function learn(db: Connection, tenant: number, commit: Commit, session: number): void {
  const { body: _, ...columns } = commit.head
  db.known.setSession(tenant, commit.sessionId, { session, seq: lastSeqOf(commit), columns })
}

/** The same for a row that was known and has advanced. */
export function learnAdvance(known: KnownSession, commit: Commit): void {
  known.seq = lastSeqOf(commit)
  known.columns.activity = commit.head.activity
}

function columnsOf(row: Row): IndexColumns {
  const [agentId, owner, conversationId, threadId, rootSessionId, createdAtMs, activity, ...times] = row
  const [asked, questionExpires, expires] = times
  return {
    agentId,
    ownerUserId: owner ?? undefined,
    conversationId,
    threadId,
    rootSessionId,
    createdAtMs,
    activity,
    questionAskedAtMs: asked ?? undefined,
    questionExpiresAtMs: questionExpires ?? undefined,
    expiresAtMs: expires ?? undefined,
  }
}

function valuesOfColumns(head: HeadRow): SqlValue[] {
  return [
    head.agentId,
    head.ownerUserId ?? null,
    head.conversationId,
    head.threadId,
    head.rootSessionId,
    head.createdAtMs,
    head.activity,
    head.questionAskedAtMs ?? null,
    head.questionExpiresAtMs ?? null,
    head.expiresAtMs ?? null,
  ]
}
