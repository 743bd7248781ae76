/**
 * What the file can tell of itself: the engine's own check, the settings as a fresh look finds them, rows that belong to
 * nothing, the search index against the events. A slice in each turn of the event loop, but for the engine's check, which
 * takes one turn per table.
 */
import { isHoldfastError } from '@holdfast/protocol'
import { crcOfRow, isChecksum } from '../checksum.ts'
import type { StoreFinding, TextOf } from '../store.ts'
import { wordsOf } from '../words.ts'
import { holdsWhole } from './attachments.ts'
import { checkedRows, checkRows } from './check-rows.ts'
import type { Connection } from './connection.ts'
import { lostDrafts } from './drafts.ts'
import type { Row } from './driver.ts'
import { namesOfSession } from './names.ts'
import { textOfRow } from './search.ts'
import { settingQueries } from './settings.ts'
import { strayBodies } from './strays.ts'
import { lostTenants } from './tenants.ts'
import type { Transactions } from './transactions.ts'
import { isCountWhole } from './upkeep.ts'

const INTEGRITY_CHECKS: readonly string[] = [
  "PRAGMA integrity_check('sessions')",
  "PRAGMA integrity_check('events')",
  "PRAGMA integrity_check('bodies')",
  "PRAGMA integrity_check('parts')",
  "PRAGMA integrity_check('waypoints')",
  "PRAGMA integrity_check('refs')",
  "PRAGMA integrity_check('usage')",
  "PRAGMA integrity_check('attachments')",
  "PRAGMA integrity_check('checkpoints')",
  "PRAGMA integrity_check('drafts')",
  "PRAGMA integrity_check('chunks')",
  "PRAGMA integrity_check('keys')",
  "PRAGMA integrity_check('records')",
  "PRAGMA integrity_check('segments')",
  "PRAGMA integrity_check('garbage')",
  "PRAGMA integrity_check('tenants')",
  "PRAGMA integrity_check('tombstones')",
  "PRAGMA integrity_check('upkeep')",
  "PRAGMA integrity_check('search')",
  "PRAGMA integrity_check('search_data')",
  "PRAGMA integrity_check('search_idx')",
  "PRAGMA integrity_check('search_docsize')",
  "PRAGMA integrity_check('sqlite_schema')",
]

const SELECT_VERSION = 'PRAGMA user_version'

const NEXT_SESSION_OF_EVENTS = 'SELECT min(session) FROM events WHERE session > ?'

const SELECT_IS_KNOWN = `
  SELECT 1 FROM sessions WHERE session = ? UNION ALL SELECT 1 FROM garbage WHERE session = ?`

const COUNT_EVENTS = 'SELECT count(*) FROM events WHERE session = ?'
const COUNT_GARBAGE = 'SELECT count(*) FROM garbage WHERE session NOT IN (SELECT session FROM sessions)'
const SELECT_WRONG_GARBAGE =
  'SELECT session FROM garbage WHERE session IN (SELECT session FROM sessions) LIMIT 500'

const SELECT_CHANNELS = `
  SELECT checkpoint, crc, tenant, session, thread, namespace, id, parent, seq, channels FROM checkpoints
  WHERE checkpoint > ? ORDER BY checkpoint LIMIT 50`

const SELECT_WATERMARK = 'SELECT watermark, (SELECT coalesce(max(event), 0) FROM events) FROM upkeep'

const SELECT_UNINDEXED = `
  SELECT events.seq, events.v, events.crc, events.type, events.at, events.commit_id, events.aside, events.body,
    events.event, events.session, search_docsize.id IS NULL
  FROM events JOIN sessions ON sessions.session = events.session
    LEFT JOIN search_docsize ON search_docsize.id = events.event
  WHERE events.event > ? AND events.event <= ? ORDER BY events.event LIMIT 500`

const SELECT_WORDS_OF_NONE = `
  SELECT count(*) FROM search_docsize WHERE NOT EXISTS (SELECT 1 FROM events WHERE event = search_docsize.id)`

/** Without `textOf` there is no search index to look at. */
export async function* checkStore(
  transactions: Transactions,
  schemaVersion: number,
  textOf: TextOf | undefined,
): AsyncGenerator<StoreFinding> {
  yield* await transactions.read((db) => checkSettings(db, schemaVersion))
  for (const sql of INTEGRITY_CHECKS) yield* await checkIntegrity(transactions, sql)
  yield* paged(transactions, 0, checkSessions)
  yield* await transactions.read(checkTenants)
  yield* await transactions.read(checkErasures)
  yield* await transactions.read(checkGarbage)
  yield* await transactions.read(checkDrafts)
  yield* paged(transactions, 0, checkBodies)
  yield* paged(transactions, 0, checkCheckpoints)
  for (const rows of checkedRows)
    yield* paged(transactions, rows.start, (db, after) => checkRows(db, rows, after))
  if (!textOf) return
  yield* await transactions.read(checkWatermark)
  yield* paged(transactions, 0, (db, after) => checkIndex(db, after, textOf))
}

interface Page<Place = number> {
  findings: readonly StoreFinding[]
  /** Absent at the end. */
  next?: Place
}

async function* paged<Place>(
  transactions: Transactions,
  start: Place,
  look: (db: Connection, after: Place) => Page<Place>,
): AsyncGenerator<StoreFinding> {
  for (let after: Place | undefined = start; after !== undefined; ) {
    const from: Place = after
    const page = await transactions.read((db) => db.snapshot(() => look(db, from)))
    yield* page.findings
    after = page.next
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function checkSettings(db: Connection, schemaVersion: number): StoreFinding[] {
  const findings: StoreFinding[] = []
  for (const { name, read } of settingQueries(db.place)) {
    const found = db.get(read)?.[0]
    const message = `${name} was ${db.settings[name]} when the store was opened and is ${found} now`
    if (found !== db.settings[name]) findings.push({ code: 'setting_lost', message })
  }
  const version = db.get(SELECT_VERSION)?.[0]
  const message = `the file has schema version ${version}; this handle knows ${schemaVersion}`
  return version === schemaVersion ? findings : [...findings, { code: 'schema_moved', message }]
}

async function checkIntegrity(transactions: Transactions, sql: string): Promise<StoreFinding[]> {
  try {
    const rows = await transactions.read((db) => db.all(sql))
    const problems = rows.map(([problem]) => String(problem)).filter((problem) => problem !== 'ok')
    return problems.map((message) => ({ code: 'engine_damaged', message }))
  } catch (error) {
    if (!isHoldfastError(error, 'store_corrupt')) throw error
    return [{ code: 'engine_damaged', message: error.message }]
  }
}

/** Events of sessions that are neither there nor being deleted. */
function checkSessions(db: Connection, after: number): Page {
  const findings: StoreFinding[] = []
  let session = after
  for (let looked = 0; looked < 500; looked += 1) {
    const next = db.get(NEXT_SESSION_OF_EVENTS, session)?.[0] as number | null
    if (next === null) return { findings }
    session = next
    if (db.get(SELECT_IS_KNOWN, session, session)) continue
    const count = db.get(COUNT_EVENTS, session)?.[0]
    const message = `${count} events are of session number ${session}, whose row is gone`
    findings.push({ code: 'session_lost', message })
  }
  return { findings, next: session }
}

function checkTenants(db: Connection): StoreFinding[] {
  return lostTenants(db).map(({ tenant, sessions, bills }) => {
    const message = `${sessions} sessions and ${bills} rows of the ledger are of tenant number ${tenant}, whose row is gone`
    return { code: 'tenant_lost', message }
  })
}

function checkErasures(db: Connection): StoreFinding[] {
  const message = 'how much waits to be made final is not known'
  return isCountWhole(db) ? [] : [{ code: 'erasures_wrong', message }]
}

function checkGarbage(db: Connection): StoreFinding[] {
  const garbage = db.get(COUNT_GARBAGE)?.[0] as number
  const message = `${garbage} deleted sessions have rows left`
  return [
    ...(garbage > 0 ? [{ code: 'stray_rows' as const, message }] : []),
    ...db.all(SELECT_WRONG_GARBAGE).map(([session]): StoreFinding => {
      const message = 'the session is there and is marked as deleted'
      return { code: 'garbage_wrong', ...namesOfSession(db, session), message }
    }),
  ]
}

function checkDrafts(db: Connection): StoreFinding[] {
  const { chunks, stranded } = lostDrafts(db)
  const findings = chunks.map(([session, count]): StoreFinding => {
    const names = session === null ? {} : namesOfSession(db, session)
    return { code: 'draft_lost', ...names, message: `${count} chunks are of a draft whose row is gone` }
  })
  const message = `${stranded} drafts are of sessions whose rows are gone`
  return stranded > 0 ? [...findings, { code: 'draft_lost', message }] : findings
}

function checkBodies(db: Connection, after: number): Page {
  const { strays, next } = strayBodies(db, after)
  const counts = new Map<number, number>()
  for (const { session } of strays) counts.set(session, (counts.get(session) ?? 0) + 1)
  const findings = [...counts].map(([session, count]): StoreFinding => {
    return {
      code: 'stray_rows',
      ...namesOfSession(db, session),
      message: `${count} bodies are named by no event`,
    }
  })
  return { findings, ...(next !== undefined && { next }) }
}

function checkCheckpoints(db: Connection, after: number): Page {
  const rows = db.all(SELECT_CHANNELS, after)
  const findings = rows.flatMap(([, crc, tenant, session, ...values]): StoreFinding[] => {
    const names = namesOfSession(db, session)
    const fault = isChecksum(crc, crcOfRow(tenant, session, ...values))
      ? channelsFault(db, session, values.at(-1))
      : 'fails its checksum'
    if (fault === undefined || names.sessionId === undefined) return []
    const [thread, , id] = values
    const message = `checkpoint ${id} of thread ${thread} ${fault}`
    return [{ code: 'checkpoint_damaged', ...names, message }]
  })
  const next = rows.at(-1)?.[0] as number | undefined
  return { findings, ...(next !== undefined && { next }) }
}

function channelsFault(db: Connection, session: number, channels: string): string | undefined {
  const pairs = JSON.parse(channels) as [string, string][]
  const lost = pairs.filter(([, hash]) => !holdsWhole(db, session, hash)).length
  return lost > 0 ? `has lost the body of ${lost} of its channels` : undefined
}

function checkWatermark(db: Connection): StoreFinding[] {
  const [watermark, newest] = db.get(SELECT_WATERMARK) as [number, number]
  const wordsOfNone = db.get(SELECT_WORDS_OF_NONE)?.[0] as number
  const messages = [
    ...(watermark > newest ? [`the index claims to reach row ${watermark}, the log ends at ${newest}`] : []),
    ...(wordsOfNone > 0 ? [`the index has the words of ${wordsOfNone} events that are not there`] : []),
  ]
  return messages.map((message) => ({ code: 'index_stale', message }))
}

/** Events up to the watermark whose words are not in the index. */
function checkIndex(db: Connection, after: number, textOf: TextOf): Page {
  const [watermark] = db.get(SELECT_WATERMARK) as [number]
  const rows = db.all(SELECT_UNINDEXED, after, watermark)
  const lacking = rows.filter((row) => row[10] === 1 && hasWords(db, row, textOf))
  const next = rows.at(-1)?.[8] as number | undefined
  const message = `${lacking.length} events from row ${after + 1} on are not in the index`
  return {
    findings: lacking.length > 0 ? [{ code: 'index_stale', message }] : [],
    ...(next !== undefined && { next }),
  }
}

function hasWords(db: Connection, row: Row, textOf: TextOf): boolean {
  const text = textOfRow(db, row, textOf)
  return text !== undefined && wordsOf(text).length > 0
}
