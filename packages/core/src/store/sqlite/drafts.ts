/** Drafts: the chunks of an answer while it is being written, each durable before it is shown. */
import { corruptRow, crcOfRow, requireRow } from '../checksum.ts'
import type { DraftOutcome, DraftWrite, OpenDraft, StoredChunk } from '../store.ts'
import type { Connection } from './connection.ts'
import { insertRefs } from './refs.ts'
import { getLeased, getSession } from './sessions.ts'

const SELECT_DRAFT = 'SELECT draft, last, run, epoch, crc FROM drafts WHERE session = ? AND id = ?'
const SELECT_CLOSED = "SELECT 1 FROM refs WHERE session = ? AND kind = 'draft' AND id = ?"
// Never the number of a draft whose row was lost: its chunks are not of this one.
const INSERT_DRAFT = `
  INSERT INTO drafts (draft, session, id, run, epoch, last) VALUES (
    1 + max((SELECT coalesce(max(draft), 0) FROM drafts), (SELECT coalesce(max(draft), 0) FROM chunks)), ?, ?, ?, ?, 0
  ) RETURNING draft`
const SET_LAST = 'UPDATE drafts SET last = ?, crc = ? WHERE draft = ?'
const INSERT_CHUNK = 'INSERT INTO chunks (draft, chunk, kind, text, crc, session) VALUES (?, ?, ?, ?, ?, ?)'

const SELECT_CHUNKS = `
  SELECT chunk, kind, text, crc, session FROM chunks WHERE draft = ? AND chunk > ? ORDER BY chunk`

const LIST_DRAFTS = 'SELECT id, run, epoch, last, crc FROM drafts WHERE session = ? ORDER BY draft'
const SELECT_DRAFT_IDS = 'SELECT id FROM drafts WHERE session = ?'
const DELETE_CHUNKS = 'DELETE FROM chunks WHERE draft = ?'
const DELETE_DRAFT = 'DELETE FROM drafts WHERE draft = ?'

/** Of drafts whose rows were lost: the numbers alone are looked through, in an index. */
const DELETE_LOST_CHUNKS = `
  DELETE FROM chunks WHERE session = ? AND draft IN (SELECT draft FROM chunks EXCEPT SELECT draft FROM drafts)`

const COUNT_LOST_CHUNKS = `
  SELECT session, count(*) FROM chunks WHERE draft IN (SELECT draft FROM chunks EXCEPT SELECT draft FROM drafts)
  GROUP BY session`

const COUNT_STRANDED_DRAFTS = `
  SELECT count(*) FROM drafts
  WHERE session NOT IN (SELECT session FROM sessions) AND session NOT IN (SELECT session FROM garbage)`

export function appendDraft(db: Connection, tenant: number, write: DraftWrite): DraftOutcome {
  const { sessionId, draftId, runId, epoch, first, chunks } = write
  const row = getLeased(db, tenant, sessionId)
  if (row?.lease.owner === undefined || row.lease.epoch !== epoch)
    return { status: 'fenced', epoch: row?.lease.epoch ?? 0 }
  const { session } = row
  const known = findDraft(db, session, draftId)
  const { draft: number, last, ...begun } = known ?? { draft: undefined, last: 0, runId, epoch }
  if (!known && db.get(SELECT_CLOSED, session, draftId)) return { status: 'closed' }
  if (first !== last + 1) return { status: 'gap', last }

  const draft = number ?? (db.get(INSERT_DRAFT, session, draftId, runId, epoch)?.[0] as number)
  for (const [index, { kind, text }] of chunks.entries()) {
    const values = [draft, first + index, kind, text] as const
    db.run(INSERT_CHUNK, ...values, crcOfRow(...values, session), session)
  }
  const end = last + chunks.length
  db.run(SET_LAST, end, crcOfRow(session, draftId, begun.runId, begun.epoch, end), draft)
  return { status: 'written' }
}

interface FoundDraft {
  draft: number
  last: number
  runId: string
  epoch: number
}

function findDraft(db: Connection, session: number, draftId: string): FoundDraft | undefined {
  const row = db.get(SELECT_DRAFT, session, draftId)
  if (!row) return undefined
  const [draft, last, runId, epoch, crc] = row
  requireRow(crc, `Draft ${draftId}`, session, draftId, runId, epoch, last)
  return { draft, last, runId, epoch }
}

export function readDraft(
  db: Connection,
  tenant: number,
  sessionId: string,
  draftId: string,
  afterChunk: number,
): StoredChunk[] {
  const row = getSession(db, tenant, sessionId)
  const found = row && findDraft(db, row.session, draftId)
  if (!found) return []
  const chunks = db.all(SELECT_CHUNKS, found.draft, afterChunk).map(([, kind, text, crc, session], index) => {
    const chunk = afterChunk + 1 + index
    requireRow(crc, `Chunk ${chunk} of draft ${draftId}`, found.draft, chunk, kind, text, session)
    return { chunk, kind, text }
  })
  if (chunks.length !== Math.max(0, found.last - afterChunk)) throw corruptRow(`Draft ${draftId}`)
  return chunks
}

export function listDrafts(db: Connection, tenant: number, sessionId: string): OpenDraft[] {
  const row = getSession(db, tenant, sessionId)
  if (!row) return []
  return db.all(LIST_DRAFTS, row.session).map(([draftId, runId, epoch, last, crc]) => {
    requireRow(crc, `Draft ${draftId}`, row.session, draftId, runId, epoch, last)
    return { draftId, runId, epoch, last }
  })
}

/** No chunk of a closed draft is taken any more, also when none has come yet. */
export function closeDrafts(db: Connection, session: number, draftIds: readonly string[], seq: number): void {
  dropDrafts(db, session, draftIds)
  insertRefs(
    db,
    session,
    draftIds.map((id) => ({ kind: 'draft', id, seq })),
  )
}

function dropDrafts(db: Connection, session: number, draftIds: readonly string[]): void {
  for (const draftId of draftIds) {
    const draft = db.get(SELECT_DRAFT, session, draftId)?.[0]
    if (draft === undefined) continue
    db.run(DELETE_CHUNKS, draft)
    db.run(DELETE_DRAFT, draft)
  }
}

export function dropAllDrafts(db: Connection, session: number): void {
  const ids = db.all(SELECT_DRAFT_IDS, session).map(([id]) => id as string)
  dropDrafts(db, session, ids)
  dropLostChunks(db, session)
}

/** Gives how many there were. */
export function dropLostChunks(db: Connection, session: number): number {
  return db.run(DELETE_LOST_CHUNKS, session)
}

/** Text whose draft is gone, by session (null: not known any more), and drafts whose session is. */
export function lostDrafts(db: Connection): { chunks: [number | null, number][]; stranded: number } {
  const chunks = db.all(COUNT_LOST_CHUNKS) as [number | null, number][]
  return { chunks, stranded: db.get(COUNT_STRANDED_DRAFTS)?.[0] as number }
}
