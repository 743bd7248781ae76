/**
 * Full-text search: words without positions, filled behind the log up to a watermark of each session. Tenant and session
 * are words of their own, which no text can contain (`t:…`, `s:…`), so that a search in one session reads the postings of
 * one session. The wall around the table shows the rows that match the query that was set, and no others: row-level
 * security puts its own condition before every other, so a condition beside it could not use the index of words. Hits
 * come newest first.
 *
 * Postgres keeps at most a megabyte of words in one row. An event with more has several, each marked as a portion, and
 * a search puts together which of its words they have.
 */
import type { TenantId } from '@holdfast/protocol'
import { crcOfEvent } from '../checksum.ts'
import type { SearchHit, TextOf } from '../store.ts'
import { wordsOf } from '../words.ts'
import { int4Array, textArray } from './arrays.ts'
import { most } from './bounds.ts'
import type { Row } from './driver.ts'
import type { Answer, Step } from './flush.ts'
import { lockSession } from './sessions.ts'
import { findStep } from './settings.ts'
import { listTenants } from './tenants.ts'
import type { Transaction, Transactions } from './transactions.ts'

export interface SearchQuery {
  words: readonly string[]
  sessionId?: string
  limit: number
  offset: number
}

const HAS_PENDING = `
  SELECT EXISTS (SELECT 1 FROM @sessions WHERE tenant = $1 AND unindexed)
    OR EXISTS (SELECT 1 FROM @stale_words WHERE tenant = $1)`

const SELECT_STALE = 'SELECT session, seq FROM @stale_words WHERE tenant = $1 ORDER BY session, seq LIMIT 1'
const DELETE_STALE = 'DELETE FROM @stale_words WHERE tenant = $1 AND session = $2 AND seq = $3'

const SELECT_UNINDEXED =
  'SELECT session, indexed, erased, seq FROM @sessions WHERE tenant = $1 AND unindexed LIMIT 1'

/** Events after a seq, until their bodies pass a number of bytes. */
const SELECT_PENDING = `
  SELECT p.seq, p.v, p.crc, p.type, p.at, p.commit_id, coalesce(p.body, (
    SELECT b.body FROM @bodies b WHERE b.tenant = $1 AND b.session = $2 AND b.hash = p.aside
  ))
  FROM (
    SELECT e.*, sum(bytes) OVER (ORDER BY seq) - bytes AS before FROM (
      SELECT * FROM @events WHERE tenant = $1 AND session = $2 AND seq > $3 AND seq <= $4 ORDER BY seq LIMIT 256
    ) e
  ) p
  WHERE p.before < $5 ORDER BY p.seq`

const INSERT_WORDS = `
  INSERT INTO @search (tenant, session, seq, portion, at, words)
  SELECT $1, $2, u.seq, u.portion, u.at, array_to_tsvector(string_to_array(u.words, ' '))
  FROM unnest($3::int4[], $4::int4[], $5::text[], $6::text[]) AS u (seq, portion, at, words)`

// Refused when another has indexed meanwhile, or something was erased: what was read may be no more.
const SET_INDEXED = `
  UPDATE @sessions SET indexed = $5, unindexed = seq > $6
  WHERE tenant = $1 AND session = $2 AND indexed = $3 AND erased = $4`

// A deleted session's words stay until they are swept.
const SEARCH = `
  SELECT w.session, w.seq, w.at FROM @search w
  WHERE w.tenant = $1 AND ($2::text IS NULL OR w.session = $2) AND w.portion = 0
    AND EXISTS (SELECT 1 FROM @sessions s WHERE s.tenant = $1 AND s.session = w.session)
  ORDER BY w.at DESC, w.session DESC, w.seq DESC LIMIT $3`

const SEARCH_PORTIONS = `
  SELECT w.session, w.seq, w.at, wanted.word FROM @search w, unnest($3::text[]) AS wanted (word)
  WHERE w.tenant = $1 AND ($2::text IS NULL OR w.session = $2) AND w.portion > 0
    AND w.words @@ wanted.word::tsquery
    AND EXISTS (SELECT 1 FROM @sessions s WHERE s.tenant = $1 AND s.session = w.session)`

const DROP_WORDS = 'DELETE FROM @search WHERE tenant = $1 AND session = $2 AND seq = ANY($3::int4[])'

const NOTE_STALE = `
  INSERT INTO @stale_words (tenant, session, seq)
  SELECT $1, $2, e.seq FROM @sessions s JOIN @events e ON e.tenant = s.tenant AND e.session = s.session
  WHERE s.tenant = $1 AND s.session = $2 AND e.seq = ANY($3::int4[]) AND e.seq <= s.indexed
  ON CONFLICT DO NOTHING`

const DELETE_ALL_WORDS = 'DELETE FROM @search WHERE tenant = $1'
const DELETE_ALL_STALE = 'DELETE FROM @stale_words WHERE tenant = $1'
const RESET_WATERMARKS = 'UPDATE @sessions SET indexed = base, unindexed = seq > base WHERE tenant = $1'

/** Bodies read for one transaction. */
const sliceBytes = 256 * 1024

/** Of the words of one row: with what the row keeps beside their letters that is far below the megabyte. */
const portionBytes = 512 * 1024

/** Indexes up to `maxBytes` of a tenant's pending text; true when more waits. */
export async function indexPending(
  db: Transactions,
  tenant: TenantId,
  textOf: TextOf,
  maxBytes: number,
): Promise<boolean> {
  let left = maxBytes
  while (await isIndexBehind(db, tenant)) {
    if (left <= 0) return true
    const slice = Math.min(left, sliceBytes)
    left -= await db.transact(tenant, (tx) => indexSlice(tx, tenant, textOf, slice))
  }
  return false
}

async function isIndexBehind(db: Transactions, tenant: TenantId): Promise<boolean> {
  return (await db.read(tenant, HAS_PENDING, tenant))[0]?.[0] === 't'
}

/** Indexes the next slice, one event at least if one waits, and gives the bytes of its text. */
async function indexSlice(
  tx: Transaction,
  tenant: TenantId,
  textOf: TextOf,
  maxBytes: number,
): Promise<number> {
  const [stale] = await tx.all(SELECT_STALE, tenant)
  if (stale) return indexStale(tx, tenant, textOf, { sessionId: stale[0], seq: Number(stale[1]) })
  const [row] = await tx.all(SELECT_UNINDEXED, tenant)
  if (!row) return 0
  const [sessionId, indexed, erased, seq] = row
  const pending = await tx.all(SELECT_PENDING, tenant, sessionId, indexed, most, maxBytes)
  const bytes = insertWords(tx, tenant, sessionId, textOf, pending)
  const last = pending.at(-1)?.[0]
  // Events that the session's row names and that are not there are not waited for.
  const reached = [last ?? indexed, last ?? seq]
  tx.send({ sql: SET_INDEXED, values: [tenant, sessionId, indexed, erased, ...reached] }, ({ count }) => {
    if (count !== 1) throw overtaken()
  })
  return bytes
}

/** An event that was indexed and erased since. Its session is locked, so that it is not erased again meanwhile. */
async function indexStale(
  tx: Transaction,
  tenant: TenantId,
  textOf: TextOf,
  { sessionId, seq }: { sessionId: string; seq: number },
): Promise<number> {
  const locked = await lockSession(tx, tenant, sessionId)
  const rows = await tx.all(SELECT_PENDING, tenant, sessionId, seq - 1, seq, 1)
  for (const step of dropSteps(tenant, sessionId, [seq])) tx.send(step)
  const bytes = locked ? insertWords(tx, tenant, sessionId, textOf, rows) : 0
  tx.send({ sql: DELETE_STALE, values: [tenant, sessionId, seq] })
  return bytes
}

interface Portion {
  seq: number
  portion: number
  at: string
  words: string
}

function insertWords(
  tx: Transaction,
  tenant: TenantId,
  sessionId: string,
  textOf: TextOf,
  rows: readonly Row[],
): number {
  let bytes = 0
  const portions: Portion[] = []
  for (const row of rows) {
    const text = textOfRow(row, textOf)
    if (text === undefined) continue
    bytes += Buffer.byteLength(text)
    portions.push(...portionsOf(tenant, sessionId, row, text))
  }
  if (portions.length === 0) return bytes
  const values = [
    tenant,
    sessionId,
    int4Array(portions.map(({ seq }) => seq)),
    int4Array(portions.map(({ portion }) => portion)),
    textArray(portions.map(({ at }) => at)),
    textArray(portions.map(({ words }) => words)),
  ]
  tx.send({ sql: INSERT_WORDS, values })
  return bytes
}

/** A damaged event is not indexed, and does not stop the others; reading it tells of the damage. */
export function textOfRow([seq, v, crc, type, at, commitId, body]: Row, textOf: TextOf): string | undefined {
  if (typeof body !== 'string') return undefined
  const event = { type, v: Number(v), at, body }
  return crcOfEvent(Number(seq), commitId, event) === Number(crc) ? textOf(type, body) : undefined
}

/** One row for an event, numbered 0; several, numbered from 1, for one with very many words. */
function portionsOf(tenant: TenantId, sessionId: string, [seq, , , , at]: Row, text: string): Portion[] {
  const marks = [tenantMark(tenant), sessionMark(sessionId)]
  const lists: string[][] = []
  let room = 0
  for (const word of new Set(wordsOf(text))) {
    const size = Buffer.byteLength(word) + 8
    if (size > room) {
      lists.push([])
      room = portionBytes
    }
    lists.at(-1)?.push(word)
    room -= size
  }
  const isWhole = lists.length <= 1
  return lists.map((words, index) => ({
    seq: Number(seq),
    portion: isWhole ? 0 : index + 1,
    at,
    words: [...marks, ...(isWhole ? [] : [portionMark]), ...words].join(' '),
  }))
}

const portionMark = ':portion'

/** Ids as digits: a word has no space. */
function tenantMark(tenant: TenantId): string {
  return `t:${Buffer.from(tenant).toString('hex')}`
}

function sessionMark(sessionId: string): string {
  return `s:${Buffer.from(sessionId).toString('hex')}`
}

/** No word and no mark has a quote or a backslash. */
function quoted(word: string): string {
  return `'${word}'`
}

/** Another indexer came first: as a collision this is tried again, on what is there then. */
function overtaken(): Error {
  return Object.assign(new Error('the index was moved by another transaction'), { code: '40001' })
}

export async function search(db: Transactions, tenant: TenantId, query: SearchQuery): Promise<SearchHit[]> {
  const words = [...new Set(query.words.flatMap(wordsOf))].map(quoted)
  if (words.length === 0) return []
  const { sessionId, limit, offset } = query
  const scope = quoted(sessionId === undefined ? tenantMark(tenant) : sessionMark(sessionId))
  const wanted = Math.min(offset + limit, most)
  const steps = [
    findStep([scope, ...words].join(' & ')),
    { sql: SEARCH, values: [tenant, sessionId, wanted] },
    findStep(`${scope} & ${quoted(portionMark)} & (${words.join(' | ')})`),
    { sql: SEARCH_PORTIONS, values: [tenant, sessionId, textArray(words)] },
  ]
  const [, whole, , portions] = await db.readAll(tenant, steps, { bitmapScan: true })
  const found = [...(whole as Answer).rows, ...completeOf((portions as Answer).rows, words.length)]
  return found
    .toSorted(newestFirst)
    .slice(offset, offset + limit)
    .map(([session, seq], index) => ({ sessionId: session, seq: Number(seq), score: offset + index }))
}

/** Events whose portions have all of the words between them. */
function completeOf(rows: readonly Row[], words: number): Row[] {
  const events = Map.groupBy(rows, ([session, seq]) => JSON.stringify([session, seq]))
  return [...events.values()].flatMap((matches) => {
    const distinct = new Set(matches.map(([, , , word]) => word))
    return distinct.size === words ? matches.slice(0, 1) : []
  })
}

function newestFirst([sessionA, seqA, atA]: Row, [sessionB, seqB, atB]: Row): number {
  if (atA !== atB) return atA < atB ? 1 : -1
  if (sessionA !== sessionB) return sessionA < sessionB ? 1 : -1
  return Number(seqB) - Number(seqA)
}

/** From here on in the transaction the wall shows all rows of the tenant. */
export function findAllStep(tenant: TenantId): Step {
  return findStep(quoted(tenantMark(tenant)))
}

/** Words of erased events go at once, and what their new bodies say is indexed later. */
export function dropFromIndex(
  tx: Transaction,
  tenant: TenantId,
  sessionId: string,
  seqs: readonly number[],
): void {
  for (const step of dropSteps(tenant, sessionId, seqs)) tx.send(step)
  tx.send({ sql: NOTE_STALE, values: [tenant, sessionId, int4Array(seqs)] })
}

function dropSteps(tenant: TenantId, sessionId: string, seqs: readonly number[]): Step[] {
  return [findAllStep(tenant), { sql: DROP_WORDS, values: [tenant, sessionId, int4Array(seqs)] }]
}

export async function resetIndex(db: Transactions): Promise<void> {
  for (const tenant of await listTenants(db)) {
    await db.write(tenant, [
      // First, for it waits for whoever is indexing: the deletions then see what that has written.
      { sql: RESET_WATERMARKS, values: [tenant] },
      findAllStep(tenant),
      { sql: DELETE_ALL_WORDS, values: [tenant] },
      { sql: DELETE_ALL_STALE, values: [tenant] },
    ])
  }
}
