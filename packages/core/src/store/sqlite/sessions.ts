/** The session row: finding it, making it, moving it on. */
import { corrupt, crcFrom, crcOf, crcOfRow, isChecksum } from '../checksum.ts'
import type { IndexColumns } from '../columns.ts'
import { lastSeqOf } from '../judge.ts'
import type { Commit, HeadRow, LeaseRow, RawSession, StoredHead } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'
import type { KnownSession } from './known.ts'

export interface SessionRow {
  session: number
  /** Last seq of the prefix that a fork reads elsewhere; 0 for a session of its own. */
  base: number
  seq: number
  /** Seq of the last erasure; 0 before one. */
  erased: number
}

export interface LeasedRow extends SessionRow {
  lease: LeaseRow
}

export interface FullSessionRow extends LeasedRow {
  columns: IndexColumns
}

const SELECT_SESSION = `
  SELECT session, base, seq, erased, seq_check, crc
  FROM sessions WHERE tenant = ? AND id = ?`

const SELECT_LEASED = `
  SELECT session, base, seq, erased, seq_check, crc, epoch, lease_owner, lease_expires, lease_crc
  FROM sessions WHERE tenant = ? AND id = ?`

/** What a row is checked by, and what it says. */
const headColumns = `session, base, seq, erased, seq_check, crc, epoch, lease_owner, lease_expires, lease_crc,
    agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires, columns_crc,
    head_crc, head`

/** What a list says of a session. Each column costs a list as much as three lines of code do, so it takes no other. */
export const listedColumns = 'seq, seq_check, epoch, lease_owner, lease_expires, lease_crc, head_crc, head'

const SELECT_FULL = `
  SELECT session, base, seq, erased, seq_check, crc, epoch, lease_owner, lease_expires, lease_crc,
    agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires
  FROM sessions WHERE tenant = ? AND id = ?`

const SELECT_HEAD = `
  SELECT ${headColumns} FROM sessions WHERE tenant = ? AND id = ?`

const INSERT_SESSION = `
  INSERT INTO sessions (
    tenant, id, base, seq, epoch, lease_owner, lease_expires,
    agent, owner, conversation, thread, root, created, activity, question_asked, question_expires, expires,
    head_crc, head, seq_check, lease_crc, columns_crc, crc
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING session`

// SQLite writes an index entry anew for every column that SET names, changed or not: so the usual commit names none.
const ADVANCE = `
  UPDATE sessions SET seq = ?, seq_check = ?, head_crc = ?, head = ?
  WHERE session = ? AND tenant = ? AND seq = ? AND (? IS NULL OR (epoch = ? AND lease_owner IS NOT NULL))
  RETURNING epoch, lease_owner, lease_expires`

const ADVANCE_ACTIVE = `
  UPDATE sessions SET seq = ?, seq_check = ?, head_crc = ?, head = ?, activity = ?, columns_crc = ?
  WHERE session = ? AND tenant = ? AND seq = ? AND (? IS NULL OR (epoch = ? AND lease_owner IS NOT NULL))
  RETURNING epoch, lease_owner, lease_expires`

const MOVE = `
  UPDATE sessions SET seq = ?, seq_check = ?, head_crc = ?, head = ?,
    epoch = ?, lease_owner = ?, lease_expires = ?, lease_crc = ?,
    agent = ?, owner = ?, conversation = ?, thread = ?, root = ?, created = ?, activity = ?,
    question_asked = ?, question_expires = ?, expires = ?, columns_crc = ?
  WHERE session = ? AND tenant = ? AND seq = ? AND epoch = ?`

const SELECT_LAST_SEQ = 'SELECT max(seq) FROM events WHERE session = ?'

const SELECT_NAMES = 'SELECT tenant, id, base, seq FROM sessions WHERE session = ?'
const NOTE_ERASED = 'UPDATE sessions SET erased = ?, crc = ? WHERE session = ?'

const SET_SEQ = 'UPDATE sessions SET seq = ?, seq_check = ? WHERE session = ?'

const SELECT_PREFIX_END = 'SELECT coalesce(max(last), 0) FROM segments WHERE session = ?'
const SET_BASE = 'UPDATE sessions SET base = ?, erased = ?, crc = ? WHERE session = ?'

const SET_HEAD = `
  UPDATE sessions SET head_crc = ?, head = ?, agent = ?, owner = ?, conversation = ?, thread = ?, root = ?,
    created = ?, activity = ?, question_asked = ?, question_expires = ?, expires = ?, columns_crc = ?
  WHERE session = ?`

const SET_LEASE = `
  UPDATE sessions SET epoch = ?, lease_owner = ?, lease_expires = ?, lease_crc = ? WHERE session = ?`

export function getSession(db: Connection, tenant: number, sessionId: string): SessionRow | undefined {
  const row = findSession(db, tenant, sessionId)
  return row && wholeRow(row, tenant, sessionId)
}

/** With its lease. */
export function getLeased(db: Connection, tenant: number, sessionId: string): LeasedRow | undefined {
  const row = db.get(SELECT_LEASED, tenant, sessionId)
  return row && { ...wholeRow(row, tenant, sessionId), lease: wholeLease(row, tenant, sessionId) }
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
  const lease = wholeLease(row, tenant, sessionId)
  return { ...wholeRow(row, tenant, sessionId), lease, columns: columnsOf(row.slice(firstColumn)) }
}

const leaseColumn = 6
const firstColumn = 10
const columnsEnd = 20
const headCrcColumn = 21

/** Throws unless what names the session and its events is as it was written. */
function wholeRow(row: Row, tenant: number, sessionId: string): SessionRow {
  if (!isRowWhole(row, crcOfNames(tenant, sessionId))) throw corrupt('The row', sessionId)
  const [session, base, seq, erased] = row
  return { session, base, seq, erased }
}

function wholeLease(row: Row, tenant: number, sessionId: string): LeaseRow {
  if (!isLeaseWhole(row, crcOfNames(tenant, sessionId))) throw corrupt('The lease', sessionId)
  return leaseAt(row, leaseColumn)
}

/** Every checksum of a session's row begins with its names. */
function crcOfNames(tenant: number, sessionId: string): number {
  return crcOfRow(tenant, sessionId)
}

function isRowWhole([, base, seq, erased, seqCheck, crc]: Row, names: number): boolean {
  return isSeqWhole(seq, seqCheck) && isChecksum(crc, crcOfBase(names, base, erased))
}

function isSeqWhole(seq: number, check: number | null): boolean {
  return isChecksum(check, checkOfSeq(seq))
}

/** The columns of a lease stand together, their checksum behind them. */
function isLeaseWhole(row: Row, names: number, at = leaseColumn): boolean {
  return isChecksum(row[at + 3], crcFrom(names, row, at, at + 3))
}

function areColumnsWhole(row: Row, names: number): boolean {
  return isChecksum(row[columnsEnd], crcFrom(names, row, firstColumn, columnsEnd))
}

/** Heads of older schemas have a checksum of the body alone. */
function isHeadWhole(row: Row, names: number, at = headCrcColumn): boolean {
  const crc = row[at]
  const body = row[at + 1]
  return crc === crcOf(body, names) || crc === crcOf(body)
}

/** Differs by many bits for seqs that differ by one. It moves with every commit, so it costs less than a checksum. */
function checkOfSeq(seq: number): number {
  return Math.imul(seq, 0x9e3779b1) >>> 0
}

function crcOfBase(names: number, base: number, erased: number): number {
  return crcFrom(names, [base, erased])
}

/** Apart from the rest, so that a damaged lease hides no event. */
function crcOfLease(names: number, lease: LeaseRow): number {
  return crcFrom(names, valuesOfLease(lease))
}

/** Apart from the head, which moves with every commit. */
function crcOfColumns(names: number, columns: IndexColumns): number {
  return crcFrom(names, valuesOfColumns(columns))
}

/** From a row of `headColumns`; undefined when it is damaged. */
function headOf(row: Row, tenant: number, sessionId: string): StoredHead | undefined {
  const names = crcOfNames(tenant, sessionId)
  const isWhole =
    isRowWhole(row, names) &&
    isLeaseWhole(row, names) &&
    areColumnsWhole(row, names) &&
    isHeadWhole(row, names)
  if (!isWhole) return undefined
  return { sessionId, seq: row[2], body: row[headCrcColumn + 1], lease: leaseAt(row, leaseColumn) }
}

/** From a row of `listedColumns`; undefined when it is damaged. */
export function listedOf(row: Row, tenant: number, sessionId: string): StoredHead | undefined {
  const names = crcOfNames(tenant, sessionId)
  const [seq, seqCheck] = row
  const isWhole = isSeqWhole(seq, seqCheck) && isLeaseWhole(row, names, 2) && isHeadWhole(row, names, 6)
  return isWhole ? { sessionId, seq, body: row[7], lease: leaseAt(row, 2) } : undefined
}

export function readHead(db: Connection, tenant: number, sessionId: string): StoredHead | undefined {
  const row = db.get(SELECT_HEAD, tenant, sessionId)
  if (!row) return undefined
  const head = headOf(row, tenant, sessionId)
  if (!head) throw corrupt('The head', sessionId)
  return head
}

/** Whether or not its checksums hold. */
export function readRawSession(db: Connection, tenant: number, sessionId: string): RawSession | undefined {
  const row = db.get(SELECT_HEAD, tenant, sessionId)
  if (!row) return undefined
  const [session, base, seq] = row
  const names = crcOfNames(tenant, sessionId)
  const suspect = suspectOf(row, names)
  return {
    seq,
    lastSeq: lastEventSeq(db, { session, base }),
    head: { body: row[headCrcColumn + 1], ...columnsOf(row.slice(firstColumn)) },
    ...(!isHeadWhole(row, names) && { damaged: true }),
    ...(suspect.length > 0 && { suspect }),
    lease: leaseAt(row, leaseColumn),
  }
}

function suspectOf(row: Row, names: number): NonNullable<RawSession['suspect']> {
  return [
    ...(isRowWhole(row, names) ? [] : (['row'] as const)),
    ...(isLeaseWhole(row, names) ? [] : (['lease'] as const)),
    ...(areColumnsWhole(row, names) ? [] : (['columns'] as const)),
  ]
}

/** What the event rows say, and not the session's own. */
export function lastEventSeq(
  db: Connection,
  { session, base }: Pick<SessionRow, 'session' | 'base'>,
): number {
  return db.get(SELECT_LAST_SEQ, session)?.[0] ?? base
}

/** After an erasure; the row's seq has moved already. */
export function noteErased(db: Connection, session: number): void {
  const [tenant, sessionId, base, seq] = db.get(SELECT_NAMES, session) as [number, string, number, number]
  db.run(NOTE_ERASED, seq, crcOfBase(crcOfNames(tenant, sessionId), base, seq), session)
}

/** The session's number, damaged or not, when its last event is `lastSeq`; undefined otherwise. */
export function findEndingAt(
  db: Connection,
  tenant: number,
  sessionId: string,
  lastSeq: number,
): number | undefined {
  const row = findSession(db, tenant, sessionId)
  if (!row) return undefined
  const [session, base] = row
  return lastEventSeq(db, { session, base }) === lastSeq ? session : undefined
}

/**
 * Makes the row say where its log ends. When it fails its checksum its prefix ends where its segments do, and it counts
 * as erased just now, so that no fork that was begun before is made of what may be gone.
 */
export function mendRow(db: Connection, tenant: number, sessionId: string, seq: number): void {
  const row = findSession(db, tenant, sessionId) as Row
  const [session] = row
  const names = crcOfNames(tenant, sessionId)
  const isWhole = isRowWhole(row, names)
  db.run(SET_SEQ, seq, checkOfSeq(seq), session)
  if (isWhole) return
  const base = db.get(SELECT_PREFIX_END, session)?.[0] as number
  db.run(SET_BASE, base, seq, crcOfBase(names, base, seq), session)
}

export function setHead(
  db: Connection,
  tenant: number,
  sessionId: string,
  session: number,
  head: HeadRow,
): void {
  const { body } = head
  const names = crcOfNames(tenant, sessionId)
  db.run(SET_HEAD, crcOf(body, names), body, ...valuesOfColumns(head), crcOfColumns(names, head), session)
}

export function setLease(
  db: Connection,
  tenant: number,
  sessionId: string,
  session: number,
  lease: LeaseRow,
): void {
  db.run(SET_LEASE, ...valuesOfLease(lease), crcOfLease(crcOfNames(tenant, sessionId), lease), session)
}

export function insertSession(db: Connection, tenant: number, commit: Commit, lease: LeaseRow): number {
  const { sessionId, baseSeq, head } = commit
  const seq = lastSeqOf(commit)
  const names = crcOfNames(tenant, sessionId)
  const row = db.get(
    INSERT_SESSION,
    tenant,
    sessionId,
    baseSeq,
    seq,
    ...valuesOfLease(lease),
    ...valuesOfColumns(head),
    crcOf(head.body, names),
    head.body,
    checkOfSeq(seq),
    crcOfLease(names, lease),
    crcOfColumns(names, head),
    crcOfBase(names, baseSeq, 0),
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
  const names = crcOfNames(tenant, sessionId)
  const moved = [seq, checkOfSeq(seq), crcOf(head.body, names), head.body] as const
  const guards = [session, tenant, baseSeq, epoch, epoch] as const
  const row =
    columns.activity === head.activity
      ? db.get(ADVANCE, ...moved, ...guards)
      : db.get(ADVANCE_ACTIVE, ...moved, head.activity, crcOfColumns(names, head), ...guards)
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
  const { sessionId, head, baseSeq } = commit
  const seq = lastSeqOf(commit)
  const names = crcOfNames(tenant, sessionId)
  const changes = db.run(
    MOVE,
    seq,
    checkOfSeq(seq),
    crcOf(head.body, names),
    head.body,
    ...valuesOfLease(lease),
    crcOfLease(names, lease),
    ...valuesOfColumns(head),
    crcOfColumns(names, head),
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

function leaseAt(row: Row, at: number): LeaseRow {
  return leaseOf([row[at], row[at + 1], row[at + 2]])
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
