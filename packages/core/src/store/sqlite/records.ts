/** Records: one row per kind and id, changed only on the expected version. */
import { corruptRow, crcOfRow, requireRow } from '../checksum.ts'
import type { RecordOutcome, RecordRow } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'

export interface RecordQuery {
  key?: string
  after?: string
  limit: number
}

const SELECT_RECORD =
  'SELECT id, version, key, body, crc FROM records WHERE tenant = ? AND kind = ? AND id = ?'

const PUT_RECORD = `
  INSERT INTO records (tenant, kind, id, version, key, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (tenant, kind, id) DO UPDATE
  SET version = excluded.version, key = excluded.key, body = excluded.body, crc = excluded.crc`

const LIST_RECORDS = `
  SELECT id, version, key, body, crc FROM records WHERE tenant = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?`

const LIST_RECORDS_BY_KEY = `
  SELECT id, version, key, body, crc FROM records
  WHERE tenant = ? AND kind = ? AND key = ? AND id > ? ORDER BY id LIMIT ?`

export function putRecord(
  db: Connection,
  tenant: number,
  { kind, id, key, body }: Omit<RecordRow, 'version'>,
  expectedVersion: number,
): RecordOutcome {
  const version = readRecord(db, tenant, kind, id)?.version ?? 0
  if (version !== expectedVersion) return { status: 'conflict', version }
  const values = [tenant, kind, id, version + 1, key ?? null, body] as const
  db.run(PUT_RECORD, ...values, crcOfRow(...values))
  return { status: 'written', version: version + 1 }
}

export function readRecord(db: Connection, tenant: number, kind: string, id: string): RecordRow | undefined {
  const row = db.get(SELECT_RECORD, tenant, kind, id)
  return row && recordOf(tenant, kind, [id, ...row.slice(1)])
}

/** No id is the empty text, so a list begins after it. An index that leads to other rows is damaged. */
export function listRecords(db: Connection, tenant: number, kind: string, query: RecordQuery): RecordRow[] {
  const { key, after = '', limit } = query
  const rows =
    key === undefined
      ? db.all(LIST_RECORDS, tenant, kind, after, limit)
      : db.all(LIST_RECORDS_BY_KEY, tenant, kind, key, after, limit)
  return rows.map((row, index) => {
    const record = recordOf(tenant, kind, row)
    const isNext = record.id !== (rows[index - 1]?.[0] ?? after)
    if (!isNext || (key !== undefined && record.key !== key)) throw corruptRow(`The list of records ${kind}`)
    return record
  })
}

function recordOf(tenant: number, kind: string, [id, version, key, body, crc]: Row): RecordRow {
  requireRow(crc, `Record ${kind} ${id}`, tenant, kind, id, version, key, body)
  return { kind, id, version, key: key ?? undefined, body }
}
