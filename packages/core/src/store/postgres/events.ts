/**
 * Event rows. A body from `limits.asideBytes` on lies in a table beside, by its hash, so that a page of events is read
 * without its large ones; equal bodies of a session share one row there.
 */
import { createHash } from 'node:crypto'
import { limits, type TenantId } from '@holdfast/protocol'
import { corrupt, crcOfEvent } from '../checksum.ts'
import type { Commit, EventRange, StoredEvent } from '../store.ts'
import { bytesArray, int4Array, int8Array, textArray } from './arrays.ts'
import type { Row, SqlValue } from './driver.ts'
import type { Step } from './flush.ts'
import { marksOf } from './sessions.ts'
import type { Transactions } from './transactions.ts'

const INSERT_BODIES = `
  INSERT INTO @bodies (tenant, session, hash, body)
  SELECT $1, u.session, u.hash, u.body
  FROM unnest($2::text[], $3::int4[], $4::bytea[], $5::text[]) AS u (session, seq, hash, body)
  WHERE EXISTS (
    SELECT 1 FROM @events e
    WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq AND e.xmin = pg_current_xact_id()::xid
  )
  ON CONFLICT DO NOTHING`

// From the session's own row, so that an empty page tells how far the log goes. Bodies are joined to what is on the
// page by then: `total` counts their bytes by the column that says them.
const SELECT_FORWARD = `
  WITH own AS (SELECT base, seq FROM @sessions WHERE tenant = $1 AND session = $2),
  stretches AS (
    SELECT source, greatest(first, $3) AS low, least(last, $4) AS high
    FROM @segments WHERE tenant = $1 AND session = $2
    UNION ALL SELECT $2, greatest(base + 1, $3), least(seq, $4) FROM own
  ),
  found AS (
    SELECT stretches.source, e.* FROM stretches CROSS JOIN LATERAL (
      SELECT seq, v, crc, bytes, type, at, commit_id, aside, body FROM @events
      WHERE tenant = $1 AND session = stretches.source AND seq BETWEEN stretches.low AND stretches.high
      ORDER BY seq LIMIT $5
    ) e
    ORDER BY e.seq LIMIT $5
  ),
  page AS (
    SELECT found.*, sum(bytes) OVER (ORDER BY seq) AS total, row_number() OVER (ORDER BY seq) AS place,
      count(*) OVER () AS rows
    FROM found
  )
  SELECT own.seq, page.rows, page.seq, page.v, page.crc, page.type, page.at, page.commit_id,
    coalesce(bodies.body, page.body)
  FROM own LEFT JOIN page ON page.place = 1 OR page.total <= $6
    LEFT JOIN @bodies bodies
      ON bodies.tenant = $1 AND bodies.session = page.source AND bodies.hash = page.aside
  ORDER BY page.seq`

const SELECT_BACKWARD = `
  WITH own AS (SELECT base, seq FROM @sessions WHERE tenant = $1 AND session = $2),
  stretches AS (
    SELECT source, greatest(first, $3) AS low, least(last, $4) AS high
    FROM @segments WHERE tenant = $1 AND session = $2
    UNION ALL SELECT $2, greatest(base + 1, $3), least(seq, $4) FROM own
  ),
  found AS (
    SELECT stretches.source, e.* FROM stretches CROSS JOIN LATERAL (
      SELECT seq, v, crc, bytes, type, at, commit_id, aside, body FROM @events
      WHERE tenant = $1 AND session = stretches.source AND seq BETWEEN stretches.low AND stretches.high
      ORDER BY seq DESC LIMIT $5
    ) e
    ORDER BY e.seq DESC LIMIT $5
  ),
  page AS (
    SELECT found.*, sum(bytes) OVER (ORDER BY seq DESC) AS total, row_number() OVER (ORDER BY seq DESC) AS place,
      count(*) OVER () AS rows
    FROM found
  )
  SELECT own.seq, page.rows, page.seq, page.v, page.crc, page.type, page.at, page.commit_id,
    coalesce(bodies.body, page.body)
  FROM own LEFT JOIN page ON page.place = 1 OR page.total <= $6
    LEFT JOIN @bodies bodies
      ON bodies.tenant = $1 AND bodies.session = page.source AND bodies.hash = page.aside
  ORDER BY page.seq DESC`

/** Above every seq, and the most rows or bytes that a statement can be asked for. */
export const most = 2 ** 31 - 1

/** One event row on its way in. */
interface EventColumns {
  seq: number
  v: number
  crc: number
  bytes: number
  type: string
  at: string
  commitId: string
  aside: Uint8Array | null
  body: string | null
}

export function columnsOf({ events, baseSeq, commitId }: Commit): EventColumns[] {
  return events.map((event, index) => {
    const seq = baseSeq + 1 + index
    const { type, v, at, body } = event
    const aside = hashAside(body)
    const crc = crcOfEvent(seq, commitId, event)
    return {
      seq,
      v,
      crc,
      bytes: Buffer.byteLength(body),
      type,
      at,
      commitId,
      aside,
      body: aside ? null : body,
    }
  })
}

export function valuesOfEvents(rows: readonly EventColumns[]): SqlValue[] {
  return [
    int4Array(rows.map(({ seq }) => seq)),
    int4Array(rows.map(({ v }) => v)),
    int8Array(rows.map(({ crc }) => crc)),
    int4Array(rows.map(({ bytes }) => bytes)),
    textArray(rows.map(({ type }) => type)),
    textArray(rows.map(({ at }) => at)),
    textArray(rows.map(({ commitId }) => commitId)),
    bytesArray(rows.map(({ aside }) => aside)),
    textArray(rows.map(({ body }) => body)),
  ]
}

/** The hash by which a large body lies beside; null for one that lies in its row. */
export function hashAside(body: string): Uint8Array | null {
  if (body.length * 3 < limits.asideBytes || Buffer.byteLength(body) < limits.asideBytes) return null
  return createHash('sha256').update(body).digest()
}

/** Large bodies of commits that were written. */
export function bodiesStep(tenant: TenantId, commits: readonly Commit[]): Step | undefined {
  const large = commits.flatMap((commit) =>
    commit.events.flatMap(({ body }) => {
      const hash = hashAside(body)
      return hash ? [{ commit, hash, body }] : []
    }),
  )
  if (large.length === 0) return undefined
  const marks = marksOf(large.map(({ commit }) => commit))
  const hashes = bytesArray(large.map(({ hash }) => hash))
  return { sql: INSERT_BODIES, values: [tenant, ...marks, hashes, textArray(large.map(({ body }) => body))] }
}

export async function readEvents(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  range: EventRange,
): Promise<StoredEvent[]> {
  const isForward = range.direction === 'forward'
  const low = Math.min(Math.max((range.after ?? 0) + 1, 1), most)
  const through = Math.min(range.through ?? most, most)
  const limit = Math.min(Math.max(range.limit, 0), most)
  const sql = isForward ? SELECT_FORWARD : SELECT_BACKWARD
  const rows = await db.read(
    tenant,
    sql,
    tenant,
    sessionId,
    low,
    through,
    limit,
    Math.min(range.maxBytes, Number.MAX_SAFE_INTEGER),
  )
  if (rows.length === 0) return []
  const high = Math.min(Number(rows[0]?.[0]), through)
  const due = Math.max(Math.min(limit, high - low + 1), 0)
  if (Number(rows[0]?.[1] ?? 0) !== due) throw corrupt(`An event in ${low}–${high}`, sessionId, { low, high })
  if (due === 0) return []
  return rows.map((row, index) => eventAt(isForward ? low + index : high - index, sessionId, row.slice(2)))
}

/** The row must be the event `seq`, and as it was written. */
function eventAt(
  seq: number,
  sessionId: string,
  [found, v, crc, type, at, commitId, body]: Row,
): StoredEvent {
  const event = { seq: Number(found), type, v: Number(v), at, body, commitId }
  if (event.seq !== seq || typeof body !== 'string' || Number(crc) !== crcOfEvent(seq, commitId, event)) {
    throw corrupt(`Event ${seq}`, sessionId, { seq })
  }
  return event
}
