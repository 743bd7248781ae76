/**
 * Full-text search: an FTS5 index of words without positions, filled behind the log up to a watermark, the number of
 * the last event row it has seen. Tenant and session are words of their own (`t:1`, `s:7`), which no text can contain,
 * so that a search in one session reads the postings of one session. Hits come newest first: without positions there
 * is no frequency to rank by, and in exchange the index takes 0.2 bytes per byte of text.
 */

import type { SearchHit, TextOf } from '../store.ts'
import { wordsOf } from '../words.ts'
import type { Connection } from './connection.ts'
import { eventOf, isWhole } from './events.ts'
import { getSession } from './sessions.ts'

export interface SearchQuery {
  words: readonly string[]
  sessionId?: string
  limit: number
  offset: number
}

const SELECT_WATERMARK = 'SELECT watermark FROM upkeep'
const SET_WATERMARK = 'UPDATE upkeep SET watermark = ?'

// A row number may be given again once the highest rows are deleted: the watermark must not be above it then.
const LOWER_WATERMARK = `
  UPDATE upkeep SET watermark = (SELECT coalesce(max(event), 0) FROM events)
  WHERE watermark > (SELECT coalesce(max(event), 0) FROM events)`

const pageRows = 32

const SELECT_PENDING = `
  SELECT events.seq, events.v, events.crc, events.type, events.at, events.commit_id, events.aside, events.body,
    events.event, events.session, sessions.tenant
  FROM events LEFT JOIN sessions ON sessions.session = events.session
  WHERE events.event > ? ORDER BY events.event LIMIT ${pageRows}`

const HAS_PENDING = 'SELECT 1 FROM events WHERE event > ? LIMIT 1'

const INSERT_WORDS = 'INSERT INTO search (rowid, words) VALUES (?, ?)'
const DELETE_WORDS = 'DELETE FROM search WHERE rowid = ?'
const DELETE_ALL_WORDS = "INSERT INTO search (search) VALUES ('delete-all')"

const SEARCH = `
  SELECT search.rowid, sessions.id, events.seq
  FROM search
    JOIN events ON events.event = search.rowid
    JOIN sessions ON sessions.session = events.session
  WHERE search MATCH ? AND sessions.tenant = ?
  ORDER BY search.rowid DESC LIMIT ? OFFSET ?`

const MARK_STALE = 'UPDATE upkeep SET stale_words = 1 WHERE stale_words = 0'
const SELECT_STALE = 'SELECT stale_words FROM upkeep'
const CLEAR_STALE = 'UPDATE upkeep SET stale_words = 0'
const BEGIN_MERGE = "INSERT INTO search (search, rank) VALUES ('merge', -200)"
const GO_ON_MERGING = "INSERT INTO search (search, rank) VALUES ('merge', 200)"
const SELECT_TOTAL_CHANGES = 'SELECT total_changes()'

/** Text indexed in one transaction: bounds how long the file stays locked. */
export const sliceBytes = 128 * 1024
/** Pages of events in one transaction, for they may have no text. */
const mostPages = 8

/** Indexes the next slice, one event at least, and gives the bytes of its text. */
export function indexSlice(db: Connection, textOf: TextOf, maxBytes: number): number {
  let watermark = db.get(SELECT_WATERMARK)?.[0] as number
  let bytes = 0
  for (const row of pendingAfter(db, watermark)) {
    bytes += indexRow(db, row, textOf)
    watermark = row[8] as number
    if (bytes >= maxBytes) break
  }
  db.run(SET_WATERMARK, watermark)
  return bytes
}

/** Read in pages, for a slice is mostly full before it has as many events as it may have. */
function* pendingAfter(db: Connection, watermark: number): Generator<unknown[]> {
  let last = watermark
  for (let page = 0; page < mostPages; page += 1) {
    const rows = db.all(SELECT_PENDING, last)
    yield* rows
    if (rows.length < pageRows) return
    last = rows.at(-1)?.[8] as number
  }
}

/** Gives the bytes of its text. */
function indexRow(db: Connection, row: unknown[], textOf: TextOf): number {
  const [event, session, tenant] = row.slice(8) as [number, number, number | null]
  const text = tenant === null ? undefined : textOfRow(db, row, textOf)
  if (text === undefined) return 0
  const words = new Set(wordsOf(text))
  if (words.size > 0) db.run(INSERT_WORDS, event, `t:${tenant} s:${session} ${[...words].join(' ')}`)
  return Buffer.byteLength(text)
}

/** A damaged event is not indexed, and does not stop the others; reading it tells of the damage. */
export function textOfRow(db: Connection, row: unknown[], textOf: TextOf): string | undefined {
  const session = row[9] as number
  const event = eventOf(db, session, row)
  if (!event || !isWhole(session, row, event)) return undefined
  return textOf(event.type, event.body)
}

export function isIndexBehind(db: Connection): boolean {
  return db.get(HAS_PENDING, db.get(SELECT_WATERMARK)?.[0]) !== undefined
}

export function search(db: Connection, tenant: number, query: SearchQuery): SearchHit[] {
  const words = [...new Set(query.words.flatMap(wordsOf))]
  const scope = scopeOf(db, tenant, query.sessionId)
  if (words.length === 0 || !scope) return []
  const match = [...scope, ...words].map(quoted).join(' AND ')
  return db.all(SEARCH, match, tenant, query.limit, query.offset).map(([event, sessionId, seq]) => {
    return { sessionId, seq, score: -event }
  })
}

function scopeOf(db: Connection, tenant: number, sessionId: string | undefined): string[] | undefined {
  if (sessionId === undefined) return [`t:${tenant}`]
  const row = getSession(db, tenant, sessionId)
  return row && [`s:${row.session}`]
}

/** As FTS5 reads it: everything between the quotes is text. */
function quoted(word: string): string {
  return `"${word.replaceAll('"', '""')}"`
}

export function dropFromIndex(db: Connection, event: number): void {
  db.run(DELETE_WORDS, event)
  db.run(MARK_STALE)
}

export function lowerWatermark(db: Connection): void {
  db.run(LOWER_WATERMARK)
}

export function resetIndex(db: Connection): void {
  db.run(DELETE_ALL_WORDS)
  db.run(SET_WATERMARK, 0)
  db.run(CLEAR_STALE)
}

/**
 * A deleted row stays in the index as postings with a gravestone until their part of it is merged. This merges one
 * step; false when no deleted word is left. An event may be dropped between two steps, so the end is only believed
 * when a merge begun anew finds nothing to do.
 */
export function mergeIndex(db: Connection): boolean {
  if (!db.get(SELECT_STALE)?.[0]) return false
  if (changes(db, GO_ON_MERGING) || changes(db, BEGIN_MERGE)) return true
  db.run(CLEAR_STALE)
  return false
}

/** A merge that finds nothing to do still counts as one changed row. */
function changes(db: Connection, mergeSql: string): boolean {
  const before = totalChanges(db)
  db.run(mergeSql)
  return totalChanges(db) - before >= 2
}

function totalChanges(db: Connection): number {
  return db.get(SELECT_TOTAL_CHANGES)?.[0] as number
}
