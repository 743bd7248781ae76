/**
 * Rows that are folded from no log, against their checksums: idempotency keys, closed drafts, records, tombstones,
 * tenants, and what the ledger keeps of sessions that are gone. What a session's log can tell is judged with the session.
 */
import { isHoldfastError } from '@holdfast/protocol'
import { crcOfRow, isChecksum } from '../checksum.ts'
import type { StoreFinding } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Row, SqlValue } from './driver.ts'
import { nameOfTenant, namesOfSession } from './names.ts'
import { USAGE_COLUMNS, wholeUsage } from './usage.ts'

interface Rows {
  /** A page after the row with these first columns. */
  sql: string
  start: readonly SqlValue[]
  /** Of a row that is to be told. */
  faultOf(row: Row): string | undefined
  placeOf(db: Connection, row: Row): Pick<StoreFinding, 'tenantId' | 'sessionId'>
}

const isWhole = (row: Row) => isChecksum(row.at(-1), crcOfRow(...row.slice(0, -1)))
const inTenant: Rows['placeOf'] = (db, [tenant]) => nameOfTenant(db, tenant)
const inSession: Rows['placeOf'] = (db, [session]) => namesOfSession(db, session)
const unlessWhole = (what: string) => (row: Row) => (isWhole(row) ? undefined : what)

export const checkedRows: readonly Rows[] = [
  {
    sql: `SELECT tenant, id, crc FROM tenants WHERE tenant > ? ORDER BY tenant LIMIT 500`,
    start: [0],
    faultOf: unlessWhole('a tenant'),
    placeOf: inTenant,
  },
  {
    sql: `
      SELECT tenant, id, crc FROM tombstones WHERE (tenant, id) > (?, ?) ORDER BY tenant, id LIMIT 500`,
    start: [0, ''],
    faultOf: unlessWhole('what a deleted session left'),
    placeOf: inTenant,
  },
  {
    sql: `
      SELECT tenant, kind, id, version, key, body, crc FROM records
      WHERE (tenant, kind, id) > (?, ?, ?) ORDER BY tenant, kind, id LIMIT 50`,
    start: [0, '', ''],
    faultOf: unlessWhole('a record'),
    placeOf: inTenant,
  },
  {
    sql: `
      SELECT session, key, hash, first, last, expires, crc FROM keys
      WHERE (session, key) > (?, ?) ORDER BY session, key LIMIT 500`,
    start: [0, ''],
    faultOf: unlessWhole('an idempotency key'),
    placeOf: inSession,
  },
  {
    sql: `
      SELECT session, kind, id, seq, crc FROM refs
      WHERE (session, kind, id, seq) > (?, ?, ?, ?) ORDER BY session, kind, id, seq LIMIT 500`,
    start: [0, '', '', 0],
    faultOf: (row) => (row[1] === 'draft' && !isWhole(row) ? 'a closed draft' : undefined),
    placeOf: inSession,
  },
  {
    sql: `
      SELECT session, hash, seq, is_file, row_crc FROM attachments
      WHERE (session, hash) > (?, ?) ORDER BY session, hash LIMIT 50`,
    start: [0, ''],
    faultOf: unlessWhole('what a file is kept for'),
    placeOf: inSession,
  },
  {
    sql: `
      SELECT rowid, tenant, session_id, EXISTS (
        SELECT 1 FROM sessions WHERE sessions.tenant = usage.tenant AND sessions.id = usage.session_id
      ), ${USAGE_COLUMNS}
      FROM usage WHERE rowid > ? ORDER BY rowid LIMIT 500`,
    start: [0],
    faultOf: usageFault,
    placeOf: (db, [, tenant, sessionId]) => ({ ...nameOfTenant(db, tenant), sessionId }),
  },
]

/** A page of findings, and where the next begins; none at the end. */
export function checkRows(
  db: Connection,
  { sql, start, faultOf, placeOf }: Rows,
  after: readonly SqlValue[],
): { findings: StoreFinding[]; next?: readonly SqlValue[] } {
  const rows = db.all(sql, ...after)
  const findings = rows.flatMap((row): StoreFinding[] => {
    const what = faultOf(row)
    if (what === undefined) return []
    return [{ code: 'row_damaged', ...placeOf(db, row), message: `${what} fails its checksum` }]
  })
  const next = rows.at(-1)?.slice(0, start.length)
  return { findings, ...(next && { next }) }
}

/** The rows of a session that is there are judged with its log. */
function usageFault([, tenant, sessionId, isThere, ...row]: Row): string | undefined {
  if (isThere) return undefined
  try {
    wholeUsage(tenant, sessionId, row)
    return undefined
  } catch (error) {
    if (!isHoldfastError(error, 'store_corrupt')) throw error
    return 'a row of the ledger'
  }
}
