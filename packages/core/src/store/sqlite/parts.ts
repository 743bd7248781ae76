/** What is read as of a seq: parts and waypoints. Own rows only, for a fork's first commit brings its own. */
import { corrupt, crcOf, crcOfRow, isChecksum } from '../checksum.ts'
import { lastSeqOf } from '../judge.ts'
import type { Commit, PartRow } from '../store.ts'
import type { Connection } from './connection.ts'
import { getSession } from './sessions.ts'

const PUT_PART = 'INSERT OR REPLACE INTO parts (session, part, seq, crc, body) VALUES (?, ?, ?, ?, ?)'
const PUT_WAYPOINT = 'INSERT OR REPLACE INTO waypoints (session, seq, crc, head) VALUES (?, ?, ?, ?)'

const SELECT_PART = `
  SELECT crc, body, seq FROM parts WHERE session = ? AND part = ? AND seq <= ? ORDER BY seq DESC LIMIT 1`

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
  const names = crcOfRow(session, part, seq)
  db.run(PUT_PART, session, part, seq, body === undefined ? names : crcOf(body, names), body ?? null)
}

export function putWaypoint(
  db: Connection,
  session: number,
  { seq, body }: { seq: number; body: string },
): void {
  db.run(PUT_WAYPOINT, session, seq, crcOf(body, crcOfRow(session, seq)), body)
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
    const kept = db.get(SELECT_PART, row.session, part, atSeq)
    if (!kept) continue
    const [crc, body, seq] = kept
    if (!isWhole(body, crc, crcOfRow(row.session, part, seq))) throw corrupt(`Part ${part}`, sessionId)
    if (body !== null) found.set(part, body)
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
  if (!isWhole(body, crc, crcOfRow(row.session, seq)))
    throw corrupt(`The waypoint at ${seq}`, sessionId, { seq })
  return { seq, body }
}

/** By the checksum of the body and its names, or as older rows have it: of the body alone, and none for no body. */
function isWhole(body: string | null, crc: number | null, names: number): boolean {
  if (body === null) return isChecksum(crc, names)
  return crc === crcOf(body, names) || crc === crcOf(body)
}
