/** Bodies by their hash: attachments, and the channels of checkpoints. */
import { corrupt, crcOf } from './checksum.ts'
import type { Connection } from './connection.ts'
import { stretchesOf } from './forks.ts'
import { getSession, type SessionRow } from './sessions.ts'

/** One that is there already stays, with the seq that it first came with. */
const INSERT_ATTACHMENT = `
  INSERT INTO attachments (session, hash, seq, crc, bytes) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

const SELECT_ATTACHMENT = 'SELECT crc, bytes FROM attachments WHERE session = ? AND hash = ? AND seq <= ?'

const HAS_ATTACHMENT = 'SELECT 1 FROM attachments WHERE session = ? AND hash = ? AND seq <= ?'

export function insertAttachment(
  db: Connection,
  session: number,
  { hash, bytes, seq }: { hash: string; bytes: Uint8Array; seq: number },
): void {
  db.run(INSERT_ATTACHMENT, session, hash, seq, crcOf(bytes), bytes)
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
    const [crc, bytes] = found
    if (crcOf(bytes) !== crc) throw corrupt(`Attachment ${hash}`, sessionId, { hash })
    return plainBytes(bytes)
  }
  return undefined
}

export function holdsAttachment(db: Connection, row: SessionRow, hash: string): boolean {
  return stretchesOf(db, row).some(({ session, last }) => db.get(HAS_ATTACHMENT, session, hash, last))
}

/** Drivers differ: one gives a Buffer. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
