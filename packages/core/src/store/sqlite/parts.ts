/** What is read as of a seq: parts and waypoints. Own rows only, for a fork's first commit brings its own. */
import { crcOf, requireCrc } from '../checksum.ts'
import { lastSeqOf } from '../judge.ts'
import type { Commit, PartRow } from '../store.ts'
import type { Connection } from './connection.ts'
import { getSession } from './sessions.ts'

const PUT_PART = 'INSERT OR REPLACE INTO parts (session, part, seq, crc, body) VALUES (?, ?, ?, ?, ?)'
const PUT_WAYPOINT = 'INSERT OR REPLACE INTO waypoints (session, seq, crc, head) VALUES (?, ?, ?, ?)'

const SELECT_PART = `
  SELECT crc, body FROM parts WHERE session = ? AND part = ? AND seq <= ? ORDER BY seq DESC LIMIT 1`

const SELECT_WAYPOINT = `
  SELECT seq, crc, head FROM waypoints WHERE session = ? AND seq <= ? ORDER BY seq DESC LIMIT 1`

export function insertParts(db: Connection, session: number, commit: Commit): void {
  const lastSeq = lastSeqOf(commit)
  for (const { part, body } of commit.parts) putPart(db, session, { part, body, seq: lastSeq })
  if (commit.waypoint) putWaypoint(db, session, { seq: lastSeq, body: commit.head.body })
}

export function putPart(
  db: Connection,
  session: number,
  { part, body, seq }: PartRow & { seq: number },
): void {
  db.run(PUT_PART, session, part, seq, body === undefined ? null : crcOf(body), body ?? null)
}

export function putWaypoint(
  db: Connection,
  session: number,
  { seq, body }: { seq: number; body: string },
): void {
  db.run(PUT_WAYPOINT, session, seq, crcOf(body), body)
}

export function readParts(
  db: Connection,
  tenant: number,
  sessionId: string,
  parts: readonly string[],
  atSeq: number,
): Map<string, string> {
  const found = new Map<string, string>()
  const row = getSession(db, tenant, sessionId)
  if (!row) return found
  for (const part of parts) {
    const [crc, body] = db.get(SELECT_PART, row.session, part, atSeq) ?? [null, null]
    if (body === null) continue
    requireCrc(body, crc, `Part ${part}`, sessionId)
    found.set(part, body)
  }
  return found
}

export function readWaypoint(
  db: Connection,
  tenant: number,
  sessionId: string,
  atSeq: number,
): { seq: number; body: string } | undefined {
  const row = getSession(db, tenant, sessionId)
  const found = row && db.get(SELECT_WAYPOINT, row.session, atSeq)
  if (!found) return undefined
  const [seq, crc, body] = found
  requireCrc(body, crc, `The waypoint at ${seq}`, sessionId, { seq })
  return { seq, body }
}
