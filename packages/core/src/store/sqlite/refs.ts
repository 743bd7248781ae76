/** Refs: from a chosen id to the events that carry it. */
import { crcOfRow, isChecksum, requireRow } from '../checksum.ts'
import type { RawRef, RefRow } from '../store.ts'
import type { Connection } from './connection.ts'
import { stretchesOf } from './forks.ts'
import { getSession } from './sessions.ts'

const INSERT_REF =
  'INSERT INTO refs (session, kind, id, seq, crc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'

const SELECT_REFS = `
  SELECT seq, crc FROM refs WHERE session = ? AND kind = ? AND id = ? AND seq BETWEEN ? AND ? ORDER BY seq`

const SELECT_BETWEEN = `
  SELECT kind, id, seq, crc FROM refs WHERE session = ? AND kind <> 'draft' AND seq BETWEEN ? AND ?`

const DELETE_REF = 'DELETE FROM refs WHERE session = ? AND kind = ? AND id = ? AND seq = ?'

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

/** All own refs are looked at, whatever the range: no index is by seq. */
export function listRefs(
  db: Connection,
  tenant: number,
  sessionId: string,
  from: number,
  through: number,
): RawRef[] {
  const row = getSession(db, tenant, sessionId)
  if (!row) return []
  return db.all(SELECT_BETWEEN, row.session, from, through).map(([kind, id, seq, crc]) => {
    const isWhole = isChecksum(crc, crcOfRow(row.session, kind, id, seq))
    return { kind, id, seq, ...(!isWhole && { damaged: true as const }) }
  })
}

export function deleteRef(db: Connection, session: number, { kind, id, seq }: RefRow): void {
  db.run(DELETE_REF, session, kind, id, seq)
}
