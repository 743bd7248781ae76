/** Idempotency keys. A key answers until it is swept, whether or not its time is past. */
import { crcOfRow, requireRow } from '../checksum.ts'
import { lastSeqOf, repeatOf } from '../judge.ts'
import type { Commit, KeyRow, Verdict } from '../store.ts'
import type { Connection } from './connection.ts'
import { getSession } from './sessions.ts'

export interface UsedKey {
  hash: string
  firstSeq: number
  lastSeq: number
}

const INSERT_KEY =
  'INSERT INTO keys (session, key, hash, first, last, expires, crc) VALUES (?, ?, ?, ?, ?, ?, ?)'
const SELECT_KEY = 'SELECT hash, first, last, expires, crc FROM keys WHERE session = ? AND key = ?'

const LIST_KEYS = `
  SELECT key, hash, first, last, expires, crc FROM keys WHERE session = ? AND key > ? ORDER BY key LIMIT ?`

const SWEEP_KEYS = `
  DELETE FROM keys WHERE (session, key) IN (
    SELECT session, key FROM keys WHERE expires <= ? ORDER BY expires LIMIT ?
  )`

export function insertKey(db: Connection, session: number, commit: Commit): void {
  if (!commit.key) return
  const { key, hash, expiresAtMs } = commit.key
  const values = [session, key, hash, commit.baseSeq + 1, lastSeqOf(commit), expiresAtMs] as const
  db.run(INSERT_KEY, ...values, crcOfRow(...values))
}

/** What the commit's key says, if it was used before. */
export function earlierUse(db: Connection, session: number, { key }: Commit): Verdict | undefined {
  const used = key && getKey(db, session, key.key)
  return used && repeatOf(used, key)
}

export function readKey(db: Connection, tenant: number, sessionId: string, key: string): UsedKey | undefined {
  const row = getSession(db, tenant, sessionId)
  return row && getKey(db, row.session, key)
}

function getKey(db: Connection, session: number, key: string): UsedKey | undefined {
  const row = db.get(SELECT_KEY, session, key)
  if (!row) return undefined
  const [hash, firstSeq, lastSeq, expires, crc] = row
  requireRow(crc, `Key ${key}`, session, key, hash, firstSeq, lastSeq, expires)
  return { hash, firstSeq, lastSeq }
}

/** No key is the empty text, so a list begins after it. */
export function listKeys(
  db: Connection,
  tenant: number,
  sessionId: string,
  { after = '', limit }: { after?: string; limit: number },
): KeyRow[] {
  const row = getSession(db, tenant, sessionId)
  if (!row) return []
  return db
    .all(LIST_KEYS, row.session, after, limit)
    .map(([key, hash, firstSeq, lastSeq, expiresAtMs, crc]) => {
      requireRow(crc, `Key ${key}`, row.session, key, hash, firstSeq, lastSeq, expiresAtMs)
      return { key, hash, firstSeq, lastSeq, expiresAtMs }
    })
}

/** Gives how many went. */
export function sweepKeys(db: Connection, atMs: number, limit: number): number {
  return db.run(SWEEP_KEYS, atMs, limit)
}
