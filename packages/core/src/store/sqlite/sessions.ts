/** The session row: finding it, making it, moving it on. */
import { corrupt, crcOf, crcOfRow } from '../checksum.ts'
import type { IndexColumns } from '../columns.ts'
import { lastSeqOf } from '../judge.ts'
import type { Commit, HeadRow, LeaseRow, StoredHead } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'
import type { KnownSession } from './known.ts'

export interface SessionRow {
  session: number
  /** Last seq of the prefix that a fork reads elsewhere; 0 for a session of its own. */
  base: number
  seq: number
}

export interface LeasedRow extends SessionRow {
  lease: LeaseRow
}

export interface FullSessionRow extends LeasedRow {
  columns: IndexColumns
}

const SELECT_SESSION = `
  SELECT session, base, seq, epoch, lease_owner, lease_expires, seq_check, crc
  FROM sessions WHERE tenant = ? AND id = ?`

const SELECT_FULL = `
  SELECT session, base, seq, epoch, lease_owner, lease_expires, seq_check, crc,
    agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires
  FROM sessions WHERE tenant = ? AND id = ?`

/** What a row is checked by, and what it says. */
export const headColumns = `session, base, seq, epoch, lease_owner, lease_expires, seq_check, crc,
    agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires,
    head_crc, head`

const SELECT_HEAD = `
  SELECT ${headColumns} FROM sessions WHERE tenant = ? AND id = ?`

const INSERT_SESSION = `
  INSERT INTO sessions (
    tenant, id, base, seq, epoch, lease_owner, lease_expires,
    agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires,
    head_crc, head, seq_check, crc
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING session`

// SQLite writes an index entry anew for every column that SET names, changed or not: so the usual commit names none.
const ADVANCE = `
  UPDATE sessions SET seq = ?, seq_check = ?, head_crc = ?, head = ?
  WHERE session = ? AND tenant = ? AND seq = ? AND (? IS NULL OR (epoch = ? AND lease_owner IS NOT NULL))
  RETURNING epoch, lease_owner, lease_expires`

const ADVANCE_ACTIVE = `
  UPDATE sessions SET seq = ?, seq_check = ?, head_crc = ?, head = ?, activity = ?
  WHERE session = ? AND tenant = ? AND seq = ? AND (? IS NULL OR (epoch = ? AND lease_owner IS NOT NULL))
  RETURNING epoch, lease_owner, lease_expires`

const MOVE = `
  UPDATE sessions SET seq = ?, seq_check = ?, head_crc = ?, head = ?,
    epoch = ?, lease_owner = ?, lease_expires = ?, crc = ?,
    agent = ?, owner = ?, conversation = ?, thread = ?, root = ?, created = ?, activity = ?,
    question_asked = ?, question_expires = ?, expires = ?
  WHERE session = ? AND tenant = ? AND seq = ? AND epoch = ?`

export function getSession(db: Connection, tenant: number, sessionId: string): SessionRow | undefined {
  const row = findSession(db, tenant, sessionId)
  return row && wholeRow(row, tenant, sessionId)
}

/** With its lease. */
export function getLeased(db: Connection, tenant: number, sessionId: string): LeasedRow | undefined {
  const row = findSession(db, tenant, sessionId)
  return row && { ...wholeRow(row, tenant, sessionId), lease: leaseOf(row.slice(3)) }
}

/** For deleting it, which a damaged row does not hinder. */
export function getSessionNumber(db: Connection, tenant: number, sessionId: string): number | undefined {
  return findSession(db, tenant, sessionId)?.[0]
}

function findSession(db: Connection, tenant: number, sessionId: string): Row | undefined {
  return db.get(SELECT_SESSION, tenant, sessionId)
}

export function getFullSession(
  db: Connection,
  tenant: number,
  sessionId: string,
): FullSessionRow | undefined {
  const row = db.get(SELECT_FULL, tenant, sessionId)
  if (!row) return undefined
  const lease = leaseOf(row.slice(3))
  return { ...wholeRow(row, tenant, sessionId), lease, columns: columnsOf(row.slice(firstColumn)) }
}

const firstColumn = 8
const lastColumn = 18

/** Throws unless all but the head and its columns is as it was written. */
function wholeRow(row: Row, tenant: number, sessionId: string): SessionRow {
  if (!isRowWhole(row, tenant, sessionId)) throw corrupt('The row', sessionId)
  const [session, base, seq] = row
  return { session, base, seq }
}

/** Rows of the first schema have neither. */
function isRowWhole(row: Row, tenant: number, sessionId: string): boolean {
  const [, base, seq, , , , seqCheck, crc] = row
  if (seqCheck !== null && seqCheck !== checkOfSeq(seq)) return false
  return crc === null || crc === crcOfSession({ tenant, sessionId, base, lease: leaseOf(row.slice(3)) })
}

/** Differs by many bits for seqs that differ by one. It moves with every commit, so it costs less than a checksum. */
function checkOfSeq(seq: number): number {
  return Math.imul(seq, 0x9e3779b1) >>> 0
}

/** Of what the usual commit leaves as it is. */
export function crcOfSession(of: {
  tenant: number
  sessionId: string
  base: number
  lease: LeaseRow
}): number {
  return crcOfRow(of.tenant, of.sessionId, of.base, ...valuesOfLease(of.lease))
}

/** Of the head with its seq and the columns that lists are made of. */
function crcOfHead(sessionId: string, seq: number, { body, ...columns }: HeadRow): number {
  return crcOf(body, crcOfRow(sessionId, seq, ...valuesOfColumns(columns)))
}

/** From a row of `headColumns`; undefined when it is damaged. Heads of the first schema have a checksum of the body alone. */
export function headOf(row: Row, tenant: number, sessionId: string): StoredHead | undefined {
  const [crc, body] = row.slice(lastColumn)
  const [, , seq] = row
  const head = { body, ...columnsOf(row.slice(firstColumn, lastColumn)) }
  const isWhole = crc === crcOfHead(sessionId, seq, head) || crc === crcOf(body)
  if (!isWhole || !isRowWhole(row, tenant, sessionId)) return undefined
  return { sessionId, seq, body, lease: leaseOf(row.slice(3)) }
}

export function readHead(db: Connection, tenant: number, sessionId: string): StoredHead | undefined {
  const row = db.get(SELECT_HEAD, tenant, sessionId)
  if (!row) return undefined
  const head = headOf(row, tenant, sessionId)
  if (!head) throw corrupt('The head', sessionId)
  return head
}

export function insertSession(db: Connection, tenant: number, commit: Commit, lease: LeaseRow): number {
  const { sessionId, baseSeq, head } = commit
  const seq = lastSeqOf(commit)
  const row = db.get(
    INSERT_SESSION,
    tenant,
    sessionId,
    baseSeq,
    seq,
    ...valuesOfLease(lease),
    ...valuesOfColumns(head),
    crcOfHead(sessionId, seq, head),
    head.body,
    checkOfSeq(seq),
    crcOfSession({ tenant, sessionId, base: baseSeq, lease }),
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
  const { sessionId, head, baseSeq, epoch = null } = commit
  const seq = lastSeqOf(commit)
  const moved = [seq, checkOfSeq(seq), crcOfHead(sessionId, seq, head), head.body] as const
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
  { session, base, lease: { epoch } }: FullSessionRow,
  commit: Commit,
  lease: LeaseRow,
): void {
  const { sessionId, head, baseSeq } = commit
  const seq = lastSeqOf(commit)
  const changes = db.run(
    MOVE,
    seq,
    checkOfSeq(seq),
    crcOfHead(sessionId, seq, head),
    head.body,
    ...valuesOfLease(lease),
    crcOfSession({ tenant, sessionId, base, lease }),
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

function valuesOfLease({ epoch, owner, expiresAtMs }: LeaseRow): (string | number | null)[] {
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

function valuesOfColumns(head: IndexColumns): (string | number | null)[] {
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
