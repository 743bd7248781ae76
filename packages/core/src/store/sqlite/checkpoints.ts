/** Checkpoints: rows of hashes, newest last; the bodies lie with the session's attachments. */
import { HoldfastError } from '@holdfast/protocol'
import { crcOfRow, requireRow } from '../checksum.ts'
import type { CheckpointRow, CheckpointWrite } from '../store.ts'
import { holdsAttachment, insertAttachment } from './attachments.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'
import { getSession, type SessionRow } from './sessions.ts'

/** Replacing gives the row a new number, and so makes it the newest. */
const PUT_CHECKPOINT = `
  INSERT OR REPLACE INTO checkpoints (tenant, session, thread, namespace, id, parent, seq, channels, crc)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const IS_THERE = `
  SELECT 1 FROM checkpoints
  WHERE tenant = ? AND thread = ? AND namespace = ? AND id = ? AND session = ? AND seq >= ?`

const SELECT_LATER = `
  SELECT checkpoint FROM checkpoints
  WHERE tenant = ? AND thread = ? AND namespace = ? AND id <> ? AND checkpoint >= (
    SELECT min(checkpoint) FROM checkpoints
    WHERE tenant = ? AND thread = ? AND namespace = ? AND session = ? AND seq > ?
  )
  ORDER BY checkpoint`

const MAKE_NEWEST = `
  UPDATE checkpoints SET checkpoint = (SELECT max(checkpoint) + 1 FROM checkpoints) WHERE checkpoint = ?`

const DROP_CHECKPOINTS = 'DELETE FROM checkpoints WHERE session = ? AND seq >= ?'

// Joined, because the checkpoints of a deleted session stay until they are swept.
const SELECT_BY_ID = `
  SELECT checkpoints.id, checkpoints.parent, checkpoints.channels, sessions.id,
    checkpoints.session, checkpoints.seq, checkpoints.crc
  FROM checkpoints JOIN sessions ON sessions.session = checkpoints.session
  WHERE checkpoints.tenant = ? AND checkpoints.thread = ? AND checkpoints.namespace = ? AND checkpoints.id = ?`

const SELECT_NEWEST = `
  SELECT checkpoints.id, checkpoints.parent, checkpoints.channels, sessions.id,
    checkpoints.session, checkpoints.seq, checkpoints.crc
  FROM checkpoints JOIN sessions ON sessions.session = checkpoints.session
  WHERE checkpoints.tenant = ? AND checkpoints.thread = ? AND checkpoints.namespace = ?
  ORDER BY checkpoints.checkpoint DESC LIMIT 1`

/** Throws before anything is written when the session is missing or a channel has no body. */
export function putCheckpoint(db: Connection, tenant: number, write: CheckpointWrite): void {
  const { sessionId, threadId, namespace, checkpointId, parentId, channels } = write
  const row = getSession(db, tenant, sessionId)
  if (!row) throw new HoldfastError('not_found', `There is no session ${sessionId}.`)
  requireBodies(db, row, write)
  const { seq = row.seq } = write
  const line = [tenant, threadId, namespace] as const
  if (write.replayed && db.get(IS_THERE, ...line, checkpointId, row.session, seq)) return
  for (const { hash, body } of write.bodies) {
    insertAttachment(db, row.session, { hash, bytes: Buffer.from(body), seq: row.seq, isFile: false })
  }
  const pairs = JSON.stringify(Object.entries(channels))
  const named = [threadId, namespace, checkpointId, parentId ?? null] as const
  const values = [tenant, row.session, ...named, seq, pairs] as const
  db.run(PUT_CHECKPOINT, ...values, crcOfRow(...values))
  if (!write.replayed) return
  const later = db.all(SELECT_LATER, ...line, checkpointId, ...line, row.session, seq)
  for (const [checkpoint] of later) db.run(MAKE_NEWEST, checkpoint)
}

/** Those of events from `from` on, or written when the session had come as far. */
export function dropCheckpoints(db: Connection, session: number, from: number): void {
  db.run(DROP_CHECKPOINTS, session, from)
}

function requireBodies(db: Connection, row: SessionRow, write: CheckpointWrite): void {
  const brought = new Set(write.bodies.map(({ hash }) => hash))
  for (const [channel, hash] of Object.entries(write.channels)) {
    if (brought.has(hash) || holdsAttachment(db, row, hash)) continue
    const message = `Channel ${channel} names the body ${hash}, which session ${write.sessionId} does not hold.`
    throw new HoldfastError('invalid_input', message, { details: { channel, hash } })
  }
}

export function readCheckpoint(
  db: Connection,
  tenant: number,
  {
    threadId,
    namespace,
    checkpointId,
  }: { threadId: string; namespace: string; checkpointId?: string | undefined },
): (CheckpointRow & { sessionId: string }) | undefined {
  const row =
    checkpointId === undefined
      ? db.get(SELECT_NEWEST, tenant, threadId, namespace)
      : db.get(SELECT_BY_ID, tenant, threadId, namespace, checkpointId)
  if (!row) return undefined
  const [newest, parent, channels, , session, seq, crc] = row
  const id = checkpointId ?? newest
  requireRow(crc, `Checkpoint ${id}`, tenant, session, threadId, namespace, id, parent, seq, channels)
  return { threadId, namespace, ...checkpointOf(row) }
}

/** Channels are kept as pairs: a channel may be named `__proto__`, and an object would lose it. */
function checkpointOf([checkpointId, parent, channels, sessionId]: Row): Omit<
  CheckpointRow & { sessionId: string },
  'threadId' | 'namespace'
> {
  const pairs = JSON.parse(channels) as [string, string][]
  return { checkpointId, parentId: parent ?? undefined, channels: Object.fromEntries(pairs), sessionId }
}
