/** Bodies by their hash: attachments, and the channels of checkpoints. */
import { corrupt, crcOf, crcOfRow, isChecksum } from '../checksum.ts'
import type { AttachmentPiece, ByteRange } from '../store.ts'
import type { Connection } from './connection.ts'
import { stretchesOf } from './forks.ts'
import { getSession, type SessionRow } from './sessions.ts'

/** One that is there already stays, with the seq that it first came with. */
const INSERT_ATTACHMENT = `
  INSERT INTO attachments (session, hash, seq, is_file, crc, bytes, row_crc) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING`

const SELECT_SEQ = 'SELECT seq FROM attachments WHERE session = ? AND hash = ?'
const SET_IS_FILE = 'UPDATE attachments SET is_file = ?, row_crc = ? WHERE session = ? AND hash = ?'

// Forks that reach the erased seqs are not asked: their checkpoints go with their own erasure.
const SELECT_UNNAMED = `
  SELECT hash, seq, is_file, row_crc FROM attachments WHERE session = ? AND is_file = 0 AND hash NOT IN (
    SELECT pair.value ->> 1 FROM checkpoints, json_each(checkpoints.channels) AS pair
    WHERE checkpoints.session = ? OR checkpoints.session IN (
      SELECT session FROM segments WHERE source = ? AND last < ?
    )
  )`

const DELETE_ATTACHMENT = 'DELETE FROM attachments WHERE session = ? AND hash = ?'

const SELECT_ATTACHMENT =
  'SELECT crc, bytes, seq FROM attachments WHERE session = ? AND hash = ? AND seq <= ?'

// A part of no bytes is NULL where the whole has none.
const SELECT_PIECE = `
  SELECT coalesce(substr(bytes, ?, ?), x''), length(bytes) FROM attachments WHERE session = ? AND hash = ? AND seq <= ?`

const SELECT_COPIES = `
  SELECT session, seq, crc, bytes FROM attachments WHERE hash = ? AND session IN (
    SELECT ? UNION ALL SELECT source FROM segments WHERE session = ?
  )`

const HAS_ATTACHMENT = 'SELECT 1 FROM attachments WHERE session = ? AND hash = ? AND seq <= ?'

export function insertAttachment(
  db: Connection,
  session: number,
  { hash, bytes, seq, isFile }: { hash: string; bytes: Uint8Array; seq: number; isFile: boolean },
): void {
  const names = [session, hash, seq] as const
  const kind = isFile ? 1 : 0
  const crc = crcOf(bytes, crcOfRow(...names))
  const inserted = db.run(INSERT_ATTACHMENT, ...names, kind, crc, bytes, crcOfRow(...names, kind))
  if (inserted === 0 && isFile) setIsFile(db, session, hash, 1)
}

function setIsFile(db: Connection, session: number, hash: string, isFile: 0 | 1): void {
  const seq = db.get(SELECT_SEQ, session, hash)?.[0]
  if (seq !== undefined) db.run(SET_IS_FILE, isFile, crcOfRow(session, hash, seq, isFile), session, hash)
}

/**
 * Files that no event names any more go, unless a checkpoint has the same bytes, and so do bodies of no checkpoint. One
 * whose row fails its checksum stays: it may be a file.
 */
export function dropAttachments(
  db: Connection,
  session: number,
  { hashes, from }: { hashes: readonly string[]; from: number },
): void {
  for (const hash of hashes) setIsFile(db, session, hash, 0)
  for (const [hash, seq, isFile, crc] of db.all(SELECT_UNNAMED, session, session, session, from)) {
    const isWhole = isChecksum(crc, crcOfRow(session, hash, seq, isFile))
    if (isWhole) db.run(DELETE_ATTACHMENT, session, hash)
  }
}

/** `seq` of an attachment is the first of the commit that brought it: a fork from there on may read it. */
export function readAttachment(
  db: Connection,
  tenant: number,
  sessionId: string,
  hash: string,
): Uint8Array | undefined {
  const row = getSession(db, tenant, sessionId)
  if (!row) return undefined
  for (const { session, last } of stretchesOf(db, row)) {
    const found = db.get(SELECT_ATTACHMENT, session, hash, last)
    if (!found) continue
    const [crc, bytes, seq] = found
    if (!isWhole(crc, bytes, crcOfRow(session, hash, seq)))
      throw corrupt(`Attachment ${hash}`, sessionId, { hash })
    return plainBytes(bytes)
  }
  return undefined
}

/** SQLite reads the whole for it, in its own memory and no further. */
export function readAttachmentPiece(
  db: Connection,
  tenant: number,
  sessionId: string,
  { hash, offset, length }: ByteRange & { hash: string },
): AttachmentPiece | undefined {
  const row = getSession(db, tenant, sessionId)
  if (!row) return undefined
  for (const { session, last } of stretchesOf(db, row)) {
    const found = db.get(SELECT_PIECE, offset + 1, length, session, hash, last)
    if (found) return { bytes: plainBytes(found[0]), size: found[1] }
  }
  return undefined
}

/** In any of the sessions that this one reads, or read once. */
export function holdsWhole(db: Connection, session: number, hash: string): boolean {
  return db
    .all(SELECT_COPIES, hash, session, session)
    .some(([source, seq, crc, bytes]) => isWhole(crc, bytes, crcOfRow(source, hash, seq)))
}

export function holdsAttachment(db: Connection, row: SessionRow, hash: string): boolean {
  return stretchesOf(db, row).some(({ session, last }) => db.get(HAS_ATTACHMENT, session, hash, last))
}

/** Older rows have a checksum of the bytes alone. */
function isWhole(crc: number, bytes: Uint8Array, names: number): boolean {
  return crc === crcOf(bytes, names) || crc === crcOf(bytes)
}

/** Drivers differ: one gives a Buffer. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
