/** Erasing events: their bodies change, and what was derived from the log from the lowest of them on goes. */

import { crcOfEvent } from '../checksum.ts'
import type { Commit } from '../store.ts'
import { dropAttachments } from './attachments.ts'
import { dropCheckpoints } from './checkpoints.ts'
import type { Connection } from './connection.ts'
import { dropAllDrafts } from './drafts.ts'
import { crcIn, eventOf, keepAside } from './events.ts'
import { dropFromIndex } from './search.ts'
import { noteErased } from './sessions.ts'
import { noteErasure } from './upkeep.ts'

const SELECT_EVENT = `
  SELECT seq, v, crc, type, at, commit_id, aside, body, event FROM events WHERE session = ? AND seq = ?`

// The row moves to the end of the table, where the search index finds it as something new.
const REPLACE_BODY = `
  UPDATE events SET event = (SELECT max(event) + 1 FROM events), crc = ?, aside = ?, body = ? WHERE event = ?`

const DROP_UNNAMED_BODY = `
  DELETE FROM bodies WHERE session = ? AND hash = ?
    AND NOT EXISTS (SELECT 1 FROM events WHERE events.session = bodies.session AND aside = bodies.hash)`

const DROP_PARTS = 'DELETE FROM parts WHERE session = ? AND seq >= ?'
const DROP_WAYPOINTS = 'DELETE FROM waypoints WHERE session = ? AND seq >= ?'
const DROP_REFS = 'DELETE FROM refs WHERE session = ? AND seq >= ?'

export function erase(
  db: Connection,
  session: number,
  { seqs, erasedBody, attachments = [] }: NonNullable<Commit['erase']>,
): void {
  if (seqs.length === 0) return
  for (const seq of seqs) eraseEvent(db, session, seq, erasedBody)
  const lowest = seqs.reduce((least, seq) => Math.min(least, seq))
  for (const sql of [DROP_PARTS, DROP_WAYPOINTS, DROP_REFS]) db.run(sql, session, lowest)
  noteErased(db, session)
  dropCheckpoints(db, session, lowest)
  dropAttachments(db, session, { hashes: attachments, from: lowest })
  dropAllDrafts(db, session)
  noteErasure(db)
}

/** Does not look at the checksum: what is damaged can be erased too. */
function eraseEvent(
  db: Connection,
  session: number,
  seq: number,
  erasedBody: NonNullable<Commit['erase']>['erasedBody'],
): void {
  const row = db.get(SELECT_EVENT, session, seq)
  if (!row) return
  const [, v, , type, at, commitId, aside, , event] = row
  const was = eventOf(db, session, row) ?? { seq, type, v, at, body: 'null', commitId }
  const body = erasedBody({ ...was })
  const beside = keepAside(db, session, body)
  const crc = crcIn(session, crcOfEvent(seq, commitId, { type, v, at, body }))
  dropFromIndex(db, event)
  db.run(REPLACE_BODY, crc, beside, beside ? null : body, event)
  if (aside !== null) db.run(DROP_UNNAMED_BODY, session, aside)
}
