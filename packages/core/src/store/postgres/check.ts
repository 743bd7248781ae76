/**
 * What the database can tell of itself: the settings as a fresh look finds them, rows that cannot be read or belong to
 * nothing, the search index against the events. Tenant after tenant, a page at a time; each look is one statement, and so
 * sees one state. The server's indices against its tables are not compared: that takes an extension (`amcheck`).
 */
import type { TenantId } from '@holdfast/protocol'
import { crcOf } from '../checksum.ts'
import type { StoreFinding, StoreFindingCode, StoreInfo, TextOf } from '../store.ts'
import { wordsOf } from '../words.ts'
import { bytesOf } from './attachments.ts'
import { checkRows } from './check-rows.ts'
import type { Row, SqlValue } from './driver.ts'
import type { Answer } from './flush.ts'
import { type Look, type Page, paged } from './pages.ts'
import { findAllStep, textOfRow } from './search.ts'
import { noTenant } from './settings.ts'
import { firstBody, lostChunks, strandedDrafts, strayBodies } from './strays.ts'
import { listTenants } from './tenants.ts'
import type { Transactions } from './transactions.ts'

const SELECT_SETTINGS = `
  SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')`

/** In the order of `SELECT_SETTINGS`. */
const settingNames = ['fsync', 'full_page_writes', 'synchronous_commit'] as const

const SELECT_VERSION = 'SELECT max(version) FROM @schema_version'

/** From session to session of the index, not from event to event. */
const SELECT_SESSIONS_OF_EVENTS = `
  WITH RECURSIVE walk AS (
    (SELECT session FROM @events WHERE tenant = $1 AND session > $2 ORDER BY session LIMIT 1)
    UNION ALL
    SELECT following.session FROM walk CROSS JOIN LATERAL (
      SELECT session FROM @events WHERE tenant = $1 AND session > walk.session ORDER BY session LIMIT 1
    ) following
  )
  SELECT page.session, CASE WHEN s.session IS NULL AND g.session IS NULL
    THEN (SELECT count(*) FROM @events e WHERE e.tenant = $1 AND e.session = page.session) END
  FROM (SELECT session FROM walk LIMIT 500) page
    LEFT JOIN @sessions s ON s.tenant = $1 AND s.session = page.session
    LEFT JOIN @garbage g ON g.tenant = $1 AND g.session = page.session
  ORDER BY page.session`

const SELECT_SESSIONS = `
  SELECT s.session, l.session IS NULL, s.indexed, s.unindexed, coalesce(own.seq, s.base)
  FROM (
    SELECT session, base, indexed, unindexed FROM @sessions
    WHERE tenant = $1 AND session > $2 ORDER BY session LIMIT 500
  ) s
    LEFT JOIN @listings l ON l.tenant = $1 AND l.session = s.session
    LEFT JOIN LATERAL (
      SELECT seq FROM @events WHERE tenant = $1 AND session = s.session ORDER BY seq DESC LIMIT 1
    ) own ON true
  ORDER BY s.session`

const SELECT_GARBAGE = `
  SELECT page.session, s.session IS NOT NULL
  FROM (SELECT session FROM @garbage WHERE tenant = $1 AND session > $2 ORDER BY session LIMIT 500) page
    LEFT JOIN @sessions s ON s.tenant = $1 AND s.session = page.session
  ORDER BY page.session`

const SELECT_CHECKPOINTS = `
  SELECT thread, namespace, id, session, channels FROM @checkpoints
  WHERE tenant = $1 AND (thread, namespace, id) > ($2, $3, $4) ORDER BY thread, namespace, id LIMIT 50`

/** Rows only while the checkpoint is what it was. */
const SELECT_CHANNEL_BODY = `
  SELECT body.crc, body.bytes
  FROM @checkpoints c JOIN @sessions s ON s.tenant = $1 AND s.session = c.session
    LEFT JOIN LATERAL (
      SELECT a.crc, a.bytes FROM (
        SELECT c.session UNION ALL SELECT g.source FROM @segments g WHERE g.tenant = $1 AND g.session = c.session
      ) holders (session) JOIN @attachments a ON a.tenant = $1 AND a.session = holders.session AND a.hash = $6
    ) body ON true
  WHERE c.tenant = $1 AND c.thread = $2 AND c.namespace = $3 AND c.id = $4 AND c.channels = $5`

/** A page ends before the event that would pass a number of bytes. */
const SELECT_UNINDEXED = `
  SELECT page.session, page.seq, e.v, e.crc, e.type, e.at, e.commit_id, coalesce(b.body, e.body)
  FROM (
    SELECT session, seq, sum(bytes) OVER (ORDER BY session, seq) - bytes AS before FROM (
      SELECT session, seq, bytes FROM @events
      WHERE tenant = $1 AND (session, seq) > ($2, $3::int4) ORDER BY session, seq LIMIT 500
    ) following
  ) page
    LEFT JOIN LATERAL (
      SELECT e.* FROM @events e JOIN @sessions s ON s.tenant = $1 AND s.session = e.session AND e.seq <= s.indexed
      WHERE e.tenant = $1 AND e.session = page.session AND e.seq = page.seq
        AND NOT EXISTS (
          SELECT 1 FROM @search w WHERE w.tenant = $1 AND w.session = e.session AND w.seq = e.seq
        )
        AND NOT EXISTS (
          SELECT 1 FROM @stale_words w WHERE w.tenant = $1 AND w.session = e.session AND w.seq = e.seq
        )
    ) e ON true
    LEFT JOIN @bodies b ON b.tenant = $1 AND b.session = e.session AND b.hash = e.aside
  WHERE page.before < $4 ORDER BY page.session, page.seq`

const SELECT_WORDS_OF_NONE = `
  SELECT page.session, page.seq, page.portion, e.seq IS NULL AND g.session IS NULL
  FROM (
    SELECT session, seq, portion FROM @search
    WHERE tenant = $1 AND (session, seq, portion) > ($2, $3::int4, $4::int4)
    ORDER BY session, seq, portion LIMIT 500
  ) page
    LEFT JOIN @events e ON e.tenant = $1 AND e.session = page.session AND e.seq = page.seq
    LEFT JOIN @garbage g ON g.tenant = $1 AND g.session = page.session
  ORDER BY page.session, page.seq, page.portion`

/** Bodies read at once, to see whether they have words. */
const pageBytes = 1024 * 1024

/** Without `textOf` there is no search index to look at. */
export async function* checkStore(
  db: Transactions,
  info: StoreInfo,
  textOf: TextOf | undefined,
): AsyncGenerator<StoreFinding> {
  yield* await checkSettings(db, info)
  for (const tenant of await listTenants(db)) {
    yield* checkRows(db, tenant)
    for (const look of looksAt(db, tenant, textOf)) yield* paged(look)
  }
}

function looksAt(db: Transactions, tenant: TenantId, textOf: TextOf | undefined): Look[] {
  const looks: Omit<Look, 'tenant'>[] = [
    { of: 'events of lost sessions', start: [''], page: (after) => checkLost(db, tenant, after) },
    { of: 'sessions in lists', start: [''], page: (after) => checkSessions(db, tenant, after, textOf) },
    { of: 'garbage', start: [''], page: (after) => checkGarbage(db, tenant, after) },
    { of: 'chunks of lost drafts', start: ['', '', 0], page: (after) => checkChunks(db, tenant, after) },
    { of: 'drafts of lost sessions', start: ['', ''], page: (after) => checkDrafts(db, tenant, after) },
    { of: 'stray bodies', start: firstBody, page: (after) => checkBodies(db, tenant, after) },
    {
      of: 'channels of checkpoints',
      start: ['', '', ''],
      page: (after) => checkCheckpoints(db, tenant, after),
    },
  ]
  if (textOf) {
    looks.push(
      { of: 'words of events', start: ['', 0], page: (after) => checkIndex(db, tenant, after, textOf) },
      { of: 'words of no event', start: ['', 0, 0], page: (after) => checkWords(db, tenant, after) },
    )
  }
  return looks.map((look) => ({ tenant, ...look }))
}

async function checkSettings(
  db: Transactions,
  { settings, schemaVersion }: StoreInfo,
): Promise<StoreFinding[]> {
  const [row = []] = await db.read(noTenant, SELECT_SETTINGS)
  const findings = settingNames.flatMap((name, index): StoreFinding[] => {
    const message = `${name} was ${settings[name]} when the store was opened and is ${row[index]} now`
    return row[index] === settings[name] ? [] : [{ code: 'setting_lost', message }]
  })
  const version = Number((await db.read(noTenant, SELECT_VERSION))[0]?.[0])
  const message = `the schema has version ${version}; this handle knows ${schemaVersion}`
  return version === schemaVersion ? findings : [...findings, { code: 'schema_moved', message }]
}

/** Events of sessions that are neither there nor being deleted. */
async function checkLost(db: Transactions, tenant: TenantId, after: readonly SqlValue[]): Promise<Page> {
  const rows = await db.read(tenant, SELECT_SESSIONS_OF_EVENTS, tenant, ...after)
  const findings = rows.flatMap(([sessionId, count]): StoreFinding[] => {
    const message = `${count} events are of a session whose row is gone`
    return count === null ? [] : [{ code: 'session_lost', tenantId: tenant, sessionId, message }]
  })
  return pageOf(rows, 1, findings)
}

async function checkSessions(
  db: Transactions,
  tenant: TenantId,
  after: readonly SqlValue[],
  textOf: TextOf | undefined,
): Promise<Page> {
  const rows = await db.read(tenant, SELECT_SESSIONS, tenant, ...after)
  const findings = rows.flatMap((row): StoreFinding[] => {
    const place = { tenantId: tenant, sessionId: row[0] as string }
    const lost =
      row[1] === 't' ? 'no list has the session any more; a repair of it by its id brings it back' : undefined
    const stale = textOf && staleWatermark(row)
    return [
      ...(lost === undefined ? [] : [{ code: 'session_lost' as const, ...place, message: lost }]),
      ...(stale === undefined ? [] : [{ code: 'index_stale' as const, ...place, message: stale }]),
    ]
  })
  return pageOf(rows, 1, findings)
}

function staleWatermark([, , indexed, unindexed, last]: Row): string | undefined {
  if (Number(indexed) > Number(last))
    return `the index claims to reach seq ${indexed}, the log ends at ${last}`
  if (unindexed === 't' || Number(indexed) === Number(last)) return undefined
  return `the index reaches seq ${indexed} and waits for none, the log ends at ${last}`
}

async function checkGarbage(db: Transactions, tenant: TenantId, after: readonly SqlValue[]): Promise<Page> {
  const rows = await db.read(tenant, SELECT_GARBAGE, tenant, ...after)
  const wrong = rows.filter(([, isThere]) => isThere === 't').map(([session]) => session as string)
  const garbage = rows.length - wrong.length
  const message = `${garbage} deleted sessions have rows left`
  const messageOf = () => 'the session is there and is marked as deleted'
  return pageOf(rows, 1, [
    ...(garbage > 0 ? [{ code: 'stray_rows' as const, tenantId: tenant, message }] : []),
    ...bySession('garbage_wrong', tenant, wrong, messageOf),
  ])
}

async function checkChunks(db: Transactions, tenant: TenantId, after: readonly SqlValue[]): Promise<Page> {
  const { sessions, next } = await lostChunks(db, tenant, after)
  const messageOf = (count: number) => `${count} chunks are of a draft whose row is gone`
  return { findings: bySession('draft_lost', tenant, sessions, messageOf), ...(next && { next }) }
}

async function checkDrafts(db: Transactions, tenant: TenantId, after: readonly SqlValue[]): Promise<Page> {
  const { sessions, next } = await strandedDrafts(db, tenant, after)
  const messageOf = (count: number) => `${count} drafts are of a session whose row is gone`
  return { findings: bySession('draft_lost', tenant, sessions, messageOf), ...(next && { next }) }
}

async function checkBodies(db: Transactions, tenant: TenantId, after: readonly SqlValue[]): Promise<Page> {
  const { strays, next } = await strayBodies(db, tenant, after)
  const sessions = strays.map(({ session }) => session)
  const findings = bySession(
    'stray_rows',
    tenant,
    sessions,
    (count) => `${count} bodies are named by no event`,
  )
  return { findings, ...(next && { next }) }
}

async function checkCheckpoints(
  db: Transactions,
  tenant: TenantId,
  after: readonly SqlValue[],
): Promise<Page> {
  const rows = await db.read(tenant, SELECT_CHECKPOINTS, tenant, ...after)
  const findings: StoreFinding[] = []
  for (const row of rows) {
    const bad = await badChannels(db, tenant, row)
    const [thread, , id, sessionId] = row
    const message = `checkpoint ${id} of thread ${thread} has lost the body of ${bad} of its channels`
    if (bad > 0) findings.push({ code: 'checkpoint_damaged', tenantId: tenant, sessionId, message })
  }
  return pageOf(rows, 3, findings)
}

async function badChannels(
  db: Transactions,
  tenant: TenantId,
  [thread, namespace, id, , channels]: Row,
): Promise<number> {
  let bad = 0
  for (const [, hash] of JSON.parse(channels) as [string, string][]) {
    const rows = await db.read(tenant, SELECT_CHANNEL_BODY, tenant, thread, namespace, id, channels, hash)
    const isHeld = ([crc, bytes]: Row) => bytes !== null && crcOf(bytesOf(bytes)) === Number(crc)
    if (rows.length > 0 && !rows.some(isHeld)) bad += 1
  }
  return bad
}

/** Events up to the watermark whose words are not in the index, and do not wait to be. */
async function checkIndex(
  db: Transactions,
  tenant: TenantId,
  after: readonly SqlValue[],
  textOf: TextOf,
): Promise<Page> {
  const rows = await seeingWords(db, tenant, SELECT_UNINDEXED, [...after, pageBytes])
  const lacking = rows.filter((row) => hasWords(row, textOf)).map(([session]) => session as string)
  const findings = bySession(
    'index_stale',
    tenant,
    lacking,
    (count) => `${count} events are not in the index`,
  )
  return pageOf(rows, 2, findings)
}

function hasWords([, ...row]: Row, textOf: TextOf): boolean {
  const text = textOfRow(row, textOf)
  return text !== undefined && wordsOf(text).length > 0
}

async function checkWords(db: Transactions, tenant: TenantId, after: readonly SqlValue[]): Promise<Page> {
  const rows = await seeingWords(db, tenant, SELECT_WORDS_OF_NONE, after)
  const strays = rows.filter(([, , , isStray]) => isStray === 't').map(([session]) => session as string)
  const messageOf = (count: number) => `the index has ${count} rows of events that are not there`
  return pageOf(rows, 3, bySession('index_stale', tenant, strays, messageOf))
}

/** With the wall around `search` open for the whole tenant. */
async function seeingWords(
  db: Transactions,
  tenant: TenantId,
  sql: string,
  values: readonly SqlValue[],
): Promise<Row[]> {
  const [, answer] = await db.readAll(tenant, [findAllStep(tenant), { sql, values: [tenant, ...values] }])
  return (answer as Answer).rows
}

/** The first columns of a row are its key. */
function pageOf(rows: readonly Row[], keyColumns: number, findings: readonly StoreFinding[]): Page {
  const next = rows.at(-1)?.slice(0, keyColumns)
  return { findings, ...(next && { next }) }
}

function bySession(
  code: StoreFindingCode,
  tenantId: TenantId,
  sessions: readonly string[],
  messageOf: (count: number) => string,
): StoreFinding[] {
  return [...Map.groupBy(sessions, (session) => session)].map(([sessionId, { length }]) => {
    return { code, tenantId, sessionId, message: messageOf(length) }
  })
}
