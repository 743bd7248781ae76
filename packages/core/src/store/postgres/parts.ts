/** What is read as of a seq: parts and waypoints. Own rows only, for a fork's first commit brings its own. */
import type { TenantId } from '@holdfast/protocol'
import { crcOf, requireCrc } from '../checksum.ts'
import type { Commit, PartRow } from '../store.ts'
import { int4Array, int8Array, textArray } from './arrays.ts'
import { most } from './bounds.ts'
import type { Step } from './flush.ts'
import { headCrcOf, marksOf } from './sessions.ts'
import type { Transactions } from './transactions.ts'

const INSERT_PARTS = `
  INSERT INTO @parts (tenant, session, part, seq, crc, body)
  SELECT $1, u.session, u.part, u.seq, u.crc, u.body
  FROM unnest($2::text[], $3::int4[], $4::text[], $5::int8[], $6::text[])
    AS u (session, seq, part, crc, body)
  WHERE (
    SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq
  ) = pg_current_xact_id()::xid`

const INSERT_WAYPOINTS = `
  INSERT INTO @waypoints (tenant, session, seq, crc, head)
  SELECT $1, u.session, u.seq, u.crc, u.head
  FROM unnest($2::text[], $3::int4[], $4::int8[], $5::text[]) AS u (session, seq, crc, head)
  WHERE (
    SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq
  ) = pg_current_xact_id()::xid`

const PUT_PARTS = `
  INSERT INTO @parts (tenant, session, part, seq, crc, body)
  SELECT $1, $2, u.part, u.seq, u.crc, u.body
  FROM unnest($3::text[], $4::int4[], $5::int8[], $6::text[]) AS u (part, seq, crc, body)
  ON CONFLICT (tenant, session, part, seq) DO UPDATE SET crc = excluded.crc, body = excluded.body`

const PUT_WAYPOINTS = `
  INSERT INTO @waypoints (tenant, session, seq, crc, head)
  SELECT $1, $2, u.seq, u.crc, u.head FROM unnest($3::int4[], $4::int8[], $5::text[]) AS u (seq, crc, head)
  ON CONFLICT (tenant, session, seq) DO UPDATE SET crc = excluded.crc, head = excluded.head`

// A deleted session's rows stay until they are swept.
const SELECT_PARTS = `
  SELECT p.part, p.crc, p.body
  FROM @sessions s, unnest($3::text[]) AS wanted (part), LATERAL (
    SELECT part, crc, body FROM @parts
    WHERE tenant = $1 AND session = $2 AND part = wanted.part AND seq <= $4 ORDER BY seq DESC LIMIT 1
  ) p
  WHERE s.tenant = $1 AND s.session = $2`

const SELECT_WAYPOINT = `
  SELECT w.seq, w.crc, w.head
  FROM @sessions s, LATERAL (
    SELECT seq, crc, head FROM @waypoints
    WHERE tenant = $1 AND session = $2 AND seq <= $3 ORDER BY seq DESC LIMIT 1
  ) w
  WHERE s.tenant = $1 AND s.session = $2`

export function partsStep(tenant: TenantId, commits: readonly Commit[]): Step | undefined {
  const rows = commits.flatMap((commit) => {
    const last = new Map(commit.parts.map(({ part, body }) => [part, body]))
    return [...last].map(([part, body]) => ({ commit, part, body }))
  })
  if (rows.length === 0) return undefined
  const values = [
    tenant,
    ...marksOf(rows.map(({ commit }) => commit)),
    textArray(rows.map(({ part }) => part)),
    int8Array(rows.map(partCrcOf)),
    textArray(rows.map(({ body }) => body)),
  ]
  return { sql: INSERT_PARTS, values }
}

/** Each in place of the row of that part at that seq; the last of several for one place. */
export function putPartsStep(
  tenant: TenantId,
  sessionId: string,
  parts: readonly (PartRow & { seq: number })[],
): Step {
  const rows = [...new Map(parts.map((row) => [JSON.stringify([row.part, row.seq]), row])).values()]
  const values = [
    tenant,
    sessionId,
    textArray(rows.map(({ part }) => part)),
    int4Array(rows.map(({ seq }) => seq)),
    int8Array(rows.map(partCrcOf)),
    textArray(rows.map(({ body }) => body)),
  ]
  return { sql: PUT_PARTS, values }
}

function partCrcOf({ body }: Pick<PartRow, 'body'>): number | null {
  return body === undefined ? null : crcOf(body)
}

export function waypointsStep(tenant: TenantId, commits: readonly Commit[]): Step | undefined {
  const kept = commits.filter(({ waypoint }) => waypoint)
  if (kept.length === 0) return undefined
  const heads = kept.map(({ head }) => head)
  const columns = [int8Array(heads.map(headCrcOf)), textArray(heads.map(({ body }) => body))]
  return { sql: INSERT_WAYPOINTS, values: [tenant, ...marksOf(kept), ...columns] }
}

/** Each in place of the one at that seq; the last of several for one seq. */
export function putWaypointsStep(
  tenant: TenantId,
  sessionId: string,
  waypoints: readonly { seq: number; body: string }[],
): Step {
  const rows = [...new Map(waypoints.map((row) => [row.seq, row])).values()]
  const values = [
    tenant,
    sessionId,
    int4Array(rows.map(({ seq }) => seq)),
    int8Array(rows.map(({ body }) => crcOf(body))),
    textArray(rows.map(({ body }) => body)),
  ]
  return { sql: PUT_WAYPOINTS, values }
}

export async function readParts(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  parts: readonly string[],
  atSeq: number,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const rows = await db.read(tenant, SELECT_PARTS, tenant, sessionId, textArray(parts), Math.min(atSeq, most))
  for (const [part, crc, body] of rows) {
    if (body === null) continue
    requireCrc(body, Number(crc), `Part ${part}`, sessionId)
    found.set(part, body)
  }
  return found
}

export async function readWaypoint(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  atSeq: number,
): Promise<{ seq: number; body: string } | undefined> {
  const [row] = await db.read(tenant, SELECT_WAYPOINT, tenant, sessionId, Math.min(atSeq, most))
  if (!row) return undefined
  const [seq, crc, body] = row
  requireCrc(body, Number(crc), `The waypoint at ${seq}`, sessionId, { seq: Number(seq) })
  return { seq: Number(seq), body }
}
