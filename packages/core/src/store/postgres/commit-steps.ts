/**
 * The statements of commits: one moves the rows of their sessions and writes their events, and is the judge of each; the
 * others write what lies beside, where there is any.
 */
import type { TenantId } from '@holdfast/protocol'
import { haveSameIndices, type IndexColumns } from '../columns.ts'
import { lastSeqOf } from '../judge.ts'
import type { Commit } from '../store.ts'
import { int4Array, int8Array, textArray } from './arrays.ts'
import { attachmentsStep } from './attachments.ts'
import { draftSteps } from './drafts.ts'
import type { SqlValue } from './driver.ts'
import { bodiesStep, columnsOf, mayLieAside, valuesOfEvent, valuesOfEvents } from './events.ts'
import type { Step } from './flush.ts'
import { keysStep } from './keys.ts'
import type { Known } from './known.ts'
import { partsStep, waypointsStep } from './parts.ts'
import { refsStep } from './refs.ts'
import { headCrcOf, listingStep } from './sessions.ts'
import { usageStep } from './usage.ts'

/** Moves the row of a session on, if the commit may be written: base, epoch, lease and key are its conditions. */
export const MOVE_ONE = `
    UPDATE @sessions SET seq = $4, head_crc = $5, head = $6, unindexed = true,
      ahead = ahead OR $15::int8 IS NOT NULL, activity = coalesce($15::int8, activity),
      epoch = CASE WHEN $9::text IS NULL THEN epoch ELSE epoch + 1 END,
      lease_owner = CASE WHEN $9::text IS NOT NULL THEN $9::text WHEN $11::bool THEN NULL ELSE lease_owner END,
      lease_expires = CASE WHEN $9::text IS NOT NULL OR $11::bool
        THEN coalesce($13::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8) + $10::int8
        ELSE lease_expires END
    WHERE tenant = $1 AND session = $2 AND seq = $3
      AND ($7::int4 IS NULL OR (epoch = $7 AND lease_owner IS NOT NULL))
      AND ($8::int4 IS NULL OR epoch = $8)
      AND (NOT $12::bool OR lease_owner IS NULL
        OR lease_expires <= coalesce($13::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8))
      AND ($14::text IS NULL OR NOT EXISTS (
        SELECT 1 FROM @keys k WHERE k.tenant = $1 AND k.session = $2 AND k.key = $14
      ))
    RETURNING session, epoch, lease_owner, lease_expires`

/** One commit: the statement of a caller who is alone. */
const COMMIT_ONE = `
  WITH moved AS (${MOVE_ONE}
  ), written AS (
    INSERT INTO @events (tenant, session, seq, v, crc, bytes, type, at, commit_id, aside, body)
    SELECT $1, $2, e.* FROM moved, unnest($16::int4[], $17::int4[], $18::int8[], $19::int4[], $20::text[], $21::text[],
      $22::text[], $23::bytea[], $24::text[]) AS e
  )
  SELECT session, epoch, lease_owner, lease_expires FROM moved`

/**
 * The same of a commit with few events whose only condition is its base, the most usual one: to look at the others, and to
 * take arrays apart, costs the server as much again.
 */
const MOVE_FREELY = `
  WITH moved AS (
    UPDATE @sessions SET seq = $4, head_crc = $5, head = $6, unindexed = true,
      ahead = ahead OR $7::int8 IS NOT NULL, activity = coalesce($7::int8, activity)
    WHERE tenant = $1 AND session = $2 AND seq = $3
      AND ($8::text IS NULL OR current_setting('holdfast.standing', true) = $8::text)
    RETURNING session, epoch, lease_owner, lease_expires
  ), written AS (
    INSERT INTO @events (tenant, session, seq, v, crc, bytes, type, at, commit_id, aside, body)
    SELECT $1, $2, e.* FROM moved,`
const TELL = `AS e
  )
  SELECT session, epoch, lease_owner, lease_expires FROM moved`
const FIRST =
  '($9::int4, $10::int4, $11::int8, $12::int4, $13::text, $14::text, $15::text, $16::bytea, $17::text)'
const SECOND =
  '($18::int4, $19::int4, $20::int8, $21::int4, $22::text, $23::text, $24::text, $25::bytea, $26::text)'
const THIRD =
  '($27::int4, $28::int4, $29::int8, $30::int4, $31::text, $32::text, $33::text, $34::bytea, $35::text)'
const FOURTH =
  '($36::int4, $37::int4, $38::int8, $39::int4, $40::text, $41::text, $42::text, $43::bytea, $44::text)'

/** By the number of events. */
const COMMIT_FREELY: readonly string[] = [
  `${MOVE_FREELY} (VALUES ${FIRST}) ${TELL}`,
  `${MOVE_FREELY} (VALUES ${FIRST}, ${SECOND}) ${TELL}`,
  `${MOVE_FREELY} (VALUES ${FIRST}, ${SECOND}, ${THIRD}) ${TELL}`,
  `${MOVE_FREELY} (VALUES ${FIRST}, ${SECOND}, ${THIRD}, ${FOURTH}) ${TELL}`,
]

/**
 * Many commits of different sessions, in the order of their ids: two batches lock rows in the same order. The planner
 * knows nothing of the tenant: `ANY` lets it walk the key for these sessions alone, whatever it expects. Which of the commits
 * is a row's is looked up in the ids, and the rest read by that place: to join the rows with the arrays would be to look at
 * each commit for each row. `OFFSET 0` lets it be looked up once for all that is read.
 */
const AT = 'FROM (SELECT array_position($2::text[], s.session) AS n OFFSET 0) at'
const MOVED = `($4::int4[])[n], ($5::int8[])[n], ($6::text[])[n], true, s.ahead OR ($7::int8[])[n] IS NOT NULL,
        coalesce(($7::int8[])[n], s.activity)`
const TELL_MANY = `
    RETURNING array_position($2::text[], s.session) AS n, s.session, s.epoch, s.lease_owner, s.lease_expires
  ), written AS (
    INSERT INTO @events (tenant, session, seq, v, crc, bytes, type, at, commit_id, aside, body)
    SELECT $1, ($2::text[])[e.n], e.seq, e.v, e.crc, e.bytes, e.type, e.at, e.commit_id, e.aside, e.body
    FROM (
      SELECT unnest($8::int4[]) AS n, unnest($9::int4[]) AS seq, unnest($10::int4[]) AS v, unnest($11::int8[]) AS crc,
        unnest($12::int4[]) AS bytes, unnest($13::text[]) AS type, unnest($14::text[]) AS at,
        unnest($15::text[]) AS commit_id, unnest($16::bytea[]) AS aside, unnest($17::text[]) AS body
    ) e
    WHERE e.n = ANY(ARRAY(SELECT n FROM moved))
  )
  SELECT session, epoch, lease_owner, lease_expires FROM moved`

const COMMIT_MANY_FREELY = `
  WITH moved AS (
    UPDATE @sessions s SET (seq, head_crc, head, unindexed, ahead, activity) = (SELECT ${MOVED} ${AT})
    WHERE s.tenant = $1 AND s.session = ANY($2::text[])
      AND ($18::text IS NULL OR current_setting('holdfast.standing', true) = $18::text)
      AND (SELECT s.seq = ($3::int4[])[n] ${AT})${TELL_MANY}`

const COMMIT_MANY = `
  WITH moved AS (
    UPDATE @sessions s SET (seq, head_crc, head, unindexed, ahead, activity, epoch, lease_owner, lease_expires) = (
      SELECT ${MOVED},
        CASE WHEN ($20::text[])[n] IS NULL THEN s.epoch ELSE s.epoch + 1 END,
        CASE WHEN ($20::text[])[n] IS NOT NULL THEN ($20::text[])[n]
          WHEN ($22::int4[])[n] = 1 THEN NULL ELSE s.lease_owner END,
        CASE WHEN ($20::text[])[n] IS NOT NULL OR ($22::int4[])[n] = 1
          THEN coalesce($24::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8) + ($21::int8[])[n]
          ELSE s.lease_expires END
      ${AT}
    )
    WHERE s.tenant = $1 AND s.session = ANY($2::text[]) AND (
      SELECT s.seq = ($3::int4[])[n]
        AND (($18::int4[])[n] IS NULL OR (s.epoch = ($18::int4[])[n] AND s.lease_owner IS NOT NULL))
        AND (($19::int4[])[n] IS NULL OR s.epoch = ($19::int4[])[n])
        AND (($23::int4[])[n] = 0 OR s.lease_owner IS NULL
          OR s.lease_expires <= coalesce($24::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8))
        AND (($25::text[])[n] IS NULL OR NOT EXISTS (
          SELECT 1 FROM @keys k WHERE k.tenant = $1 AND k.session = s.session AND k.key = ($25::text[])[n] OFFSET 0
        ))
      ${AT}
    )${TELL_MANY}`

/** Events of a session that is made in the same transaction. */
const INSERT_EVENTS = `
  INSERT INTO @events (tenant, session, seq, v, crc, bytes, type, at, commit_id, aside, body)
  SELECT $1, $2, e.* FROM unnest($3::int4[], $4::int4[], $5::int8[], $6::int4[], $7::text[], $8::text[], $9::text[],
    $10::bytea[], $11::text[]) AS e`

/** What the statements of a batch rest on. */
export interface Ground {
  /** Null for the time of the server. */
  nowMs: number | null
  known: Known
}

/** The statement that moves the rows and writes the events, then those for what lies beside, where there is any. */
export function stepsOf(ground: Ground, tenant: TenantId, commits: readonly Commit[]): Step[] {
  const [only, ...others] = commits
  const move =
    only && others.length === 0 ? stepOfOne(ground, tenant, only) : stepOfMany(ground, tenant, commits)
  return [move, ...stepsBeside(tenant, commits), ...listingSteps(ground.known, tenant, commits)]
}

/** For a session whose row is in place already. */
export function stepsOfCreation(tenant: TenantId, commit: Commit): Step[] {
  const events = {
    sql: INSERT_EVENTS,
    values: [tenant, commit.sessionId, ...valuesOfEvents(columnsOf(commit))],
  }
  return [events, ...stepsBeside(tenant, [commit])]
}

export function stepsBeside(tenant: TenantId, commits: readonly Commit[]): Step[] {
  const some = commits.filter(hasBeside)
  if (some.length === 0) return []
  const steps = [
    bodiesStep(tenant, some),
    keysStep(tenant, some),
    partsStep(tenant, some),
    waypointsStep(tenant, some),
    refsStep(tenant, some),
    usageStep(tenant, some),
    attachmentsStep(tenant, some),
    ...draftSteps(tenant, some),
  ]
  return steps.filter((step) => step !== undefined)
}

/** Most commits are events alone. */
function hasBeside({ key, waypoint, parts, refs, usage, attachments, dropDrafts, events }: Commit): boolean {
  const rows = parts.length + refs.length + usage.length + attachments.length + dropDrafts.length
  return key !== undefined || waypoint === true || rows > 0 || events.some(({ body }) => mayLieAside(body))
}

/** Brings the lists up to date where more has changed than the activity. */
export function listingSteps(known: Known, tenant: TenantId, commits: readonly Commit[]): Step[] {
  const changed = commits.filter((commit) => {
    const columns = columnsBefore(known, tenant, commit)
    return !columns || !haveSameIndices(columns, commit.head)
  })
  return changed.length > 0 ? [listingStep(tenant, changed)] : []
}

/** Of a session that the commit puts ahead of its place in the lists. */
export function movedActivityOf({ known }: Ground, tenant: TenantId, commit: Commit): number | undefined {
  const { activity } = commit.head
  return columnsBefore(known, tenant, commit)?.activity === activity ? undefined : activity
}

function columnsBefore(known: Known, tenant: TenantId, commit: Commit): IndexColumns | undefined {
  const session = known.session(tenant, commit.sessionId)
  return session?.seq === commit.baseSeq ? session.columns : undefined
}

function stepOfOne(ground: Ground, tenant: TenantId, commit: Commit): Step {
  const events = columnsOf(commit)
  const sql = COMMIT_FREELY[events.length - 1]
  if (sql === undefined || !isFree(commit)) {
    return { sql: COMMIT_ONE, values: [...valuesOfMove(ground, tenant, commit), ...valuesOfEvents(events)] }
  }
  const move = [...valuesOfHead(tenant, commit), movedActivityOf(ground, tenant, commit), null]
  return { sql, values: [...move, ...events.flatMap(valuesOfEvent)], markAt: 7 }
}

function isFree({ epoch, lease, key }: Commit): boolean {
  return epoch === undefined && !lease && !key
}

/** The session, where it is thought to be, and where it goes. */
function valuesOfHead(tenant: TenantId, commit: Commit): SqlValue[] {
  const { sessionId, baseSeq, head } = commit
  return [tenant, sessionId, baseSeq, lastSeqOf(commit), headCrcOf(head), head.body]
}

export function valuesOfMove(ground: Ground, tenant: TenantId, commit: Commit): SqlValue[] {
  const { epoch, lease, key } = commit
  const { fromEpoch, owner, ttlMs, isRelease, needsFree } = movesOf(lease)
  const judged = [epoch, fromEpoch, owner, ttlMs, isRelease, needsFree, ground.nowMs, key?.key]
  return [...valuesOfHead(tenant, commit), ...judged, movedActivityOf(ground, tenant, commit)]
}

function stepOfMany(ground: Ground, tenant: TenantId, commits: readonly Commit[]): Step {
  const events = commits.flatMap((commit, index) =>
    columnsOf(commit).map((event) => ({ event, n: index + 1 })),
  )
  const values: SqlValue[] = [
    tenant,
    textArray(commits.map(({ sessionId }) => sessionId)),
    int4Array(commits.map(({ baseSeq }) => baseSeq)),
    int4Array(commits.map(lastSeqOf)),
    int8Array(commits.map(({ head }) => headCrcOf(head))),
    textArray(commits.map(({ head }) => head.body)),
    int8Array(commits.map((commit) => movedActivityOf(ground, tenant, commit))),
    int4Array(events.map(({ n }) => n)),
    ...valuesOfEvents(events.map(({ event }) => event)),
  ]
  if (commits.every(isFree)) return { sql: COMMIT_MANY_FREELY, values: [...values, null], markAt: 17 }
  const moves = commits.map(({ lease }) => movesOf(lease))
  const judged: SqlValue[] = [
    int4Array(commits.map(({ epoch }) => epoch)),
    int4Array(moves.map(({ fromEpoch }) => fromEpoch)),
    textArray(moves.map(({ owner }) => owner)),
    int8Array(moves.map(({ ttlMs }) => ttlMs)),
    int4Array(moves.map(({ isRelease }) => Number(isRelease))),
    int4Array(moves.map(({ needsFree }) => Number(needsFree))),
    ground.nowMs,
    textArray(commits.map(({ key }) => key?.key)),
  ]
  return { sql: COMMIT_MANY, values: [...values, ...judged] }
}

interface LeaseMove {
  fromEpoch?: number
  owner?: string
  /** From now on; absent with a release: the free lease has no end. */
  ttlMs?: number
  isRelease: boolean
  /** Whether the lease must be free, or past its end. */
  needsFree: boolean
}

function movesOf(lease: Commit['lease']): LeaseMove {
  if (!lease) return { isRelease: false, needsFree: false }
  if (lease.type === 'due') return { isRelease: true, needsFree: false, ...(lease.isDue && { ttlMs: 0 }) }
  if (lease.type === 'release')
    return { isRelease: true, needsFree: lease.lost === true, ...(lease.due && { ttlMs: 0 }) }
  const { fromEpoch, owner, ttlMs } = lease
  return { fromEpoch, owner, ttlMs, isRelease: false, needsFree: true }
}
