/** Records: one row per kind and id, changed only on the expected version. */
import type { TenantId } from '@holdfast/protocol'
import type { RecordOutcome, RecordRow } from '../store.ts'
import type { Row } from './driver.ts'
import { most } from './events.ts'
import type { Answer } from './flush.ts'
import type { Transactions } from './transactions.ts'

export interface RecordQuery {
  key?: string
  after?: string
  limit: number
}

const SELECT_RECORD =
  'SELECT id, version, key, body FROM @records WHERE tenant = $1 AND kind = $2 AND id = $3'

const INSERT_RECORD = `
  INSERT INTO @records (tenant, kind, id, version, key, body) VALUES ($1, $2, $3, 1, $4, $5) ON CONFLICT DO NOTHING`

const UPDATE_RECORD = `
  UPDATE @records SET version = version + 1, key = $4, body = $5
  WHERE tenant = $1 AND kind = $2 AND id = $3 AND version = $6`

const LIST_RECORDS = `
  SELECT id, version, key, body FROM @records WHERE tenant = $1 AND kind = $2 AND id > $3 ORDER BY id LIMIT $4`

const LIST_RECORDS_BY_KEY = `
  SELECT id, version, key, body FROM @records
  WHERE tenant = $1 AND kind = $2 AND key = $5 AND id > $3 ORDER BY id LIMIT $4`

export async function putRecord(
  db: Transactions,
  tenant: TenantId,
  { kind, id, key, body }: Omit<RecordRow, 'version'>,
  expectedVersion: number,
): Promise<RecordOutcome> {
  const named = [tenant, kind, id]
  const put =
    expectedVersion === 0
      ? { sql: INSERT_RECORD, values: [...named, key, body] }
      : { sql: UPDATE_RECORD, values: [...named, key, body, Math.min(expectedVersion, most)] }
  const [written, now] = (await db.write(tenant, [put, { sql: SELECT_RECORD, values: named }])) as [
    Answer,
    Answer,
  ]
  const version = Number(now.rows[0]?.[1] ?? 0)
  return written.count === 1 ? { status: 'written', version } : { status: 'conflict', version }
}

export async function readRecord(
  db: Transactions,
  tenant: TenantId,
  kind: string,
  id: string,
): Promise<RecordRow | undefined> {
  const [row] = await db.read(tenant, SELECT_RECORD, tenant, kind, id)
  return row && recordOf(kind, row)
}

/** No id is the empty text, so a list begins after it. */
export async function listRecords(
  db: Transactions,
  tenant: TenantId,
  kind: string,
  { key, after = '', limit }: RecordQuery,
): Promise<RecordRow[]> {
  const page = [tenant, kind, after, Math.min(limit, most)]
  const rows =
    key === undefined
      ? await db.read(tenant, LIST_RECORDS, ...page)
      : await db.read(tenant, LIST_RECORDS_BY_KEY, ...page, key)
  return rows.map((row) => recordOf(kind, row))
}

function recordOf(kind: string, [id, version, key, body]: Row): RecordRow {
  return { kind, id, version: Number(version), key: key ?? undefined, body }
}
