/** Refs: from a chosen id to the events that carry it. */
import { crcOfRow, requireRow } from '../checksum.ts'
import type { RefRow } from '../store.ts'
import type { Connection } from './connection.ts'
import { stretchesOf } from './forks.ts'
import { getSession } from './sessions.ts'

const INSERT_REF =
  'INSERT INTO refs (session, kind, id, seq, crc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'

const SELECT_REFS = `
  SELECT seq, crc FROM refs WHERE session = ? AND kind = ? AND id = ? AND seq BETWEEN ? AND ? ORDER BY seq`

export function insertRefs(db: Connection, session: number, refs: readonly RefRow[]): void {
  for (const { kind, id, seq } of refs)
    db.run(INSERT_REF, session, kind, id, seq, crcOfRow(session, kind, id, seq))
}

export function readRefs(
  db: Connection,
  tenant: number,
  sessionId: string,
  kind: string,
  id: string,
): number[] {
  const row = getSession(db, tenant, sessionId)
  if (!row) return []
  return stretchesOf(db, row).flatMap(({ session, first, last }) =>
    db.all(SELECT_REFS, session, kind, id, first, last).map(([seq, crc]) => {
      requireRow(crc, `Ref ${kind} ${id}`, session, kind, id, seq)
      return seq as number
    }),
  )
}
