/**
 * What a careful person writes by hand for one chat log on better-sqlite3: two tables, prepared statements, WAL, every
 * commit synced. No tenants, keys, leases, checks, search or ledger: the floor that Holdfast is compared with.
 */
import Database from 'better-sqlite3'
import { text } from './text.ts'

export interface Baseline {
  /** One turn, one transaction. */
  append(session: number, user: string, assistant: string): void
  /** Many turns, one transaction. */
  appendAll(turns: readonly Turn[]): void
  /** Gives a session so many messages more. */
  fill(session: number, messages: number): void
  /** So many sessions, each a second younger than the one before, and the index that lists them. */
  createMany(sessions: number): void
  last(session: number, count: number): unknown[]
  /** Newest activity first. */
  list(count: number): unknown[]
  close(): void
}

export interface Turn {
  session: number
  user: string
  assistant: string
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS sessions (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, updated_at TEXT NOT NULL, body TEXT
  );
  CREATE TABLE IF NOT EXISTS messages (session INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE UNIQUE INDEX IF NOT EXISTS messages_by_seq ON messages (session, seq);`

const turnsAtOnce = 500

export function openBaseline(path: string): Baseline {
  const db = new Database(path, { timeout: 30_000 })
  db.pragma('page_size = 8192')
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(TABLES)
  const head = db.prepare('SELECT seq FROM sessions WHERE id = ?').pluck()
  const create = db.prepare('INSERT INTO sessions VALUES (?, 0, ?, ?)')
  const move = db.prepare('UPDATE sessions SET seq = ?, updated_at = ? WHERE id = ? AND seq = ?')
  const insert = db.prepare('INSERT INTO messages VALUES (?, ?, ?)')
  const last = db.prepare('SELECT seq, body FROM messages WHERE session = ? ORDER BY seq DESC LIMIT ?')
  const list = db.prepare(
    'SELECT id, updated_at, body FROM sessions ORDER BY updated_at DESC, id DESC LIMIT ?',
  )

  const write = (session: number, user: string, assistant: string): void => {
    const at = new Date().toISOString()
    let seq = head.get(session) as number | undefined
    if (seq === undefined) {
      create.run(session, at, null)
      seq = 0
    }
    insert.run(session, seq + 1, JSON.stringify({ role: 'user', at, parts: [{ type: 'text', text: user }] }))
    insert.run(
      session,
      seq + 2,
      JSON.stringify({ role: 'assistant', at, parts: [{ type: 'text', text: assistant }] }),
    )
    move.run(seq + 2, at, session, seq)
  }
  const appendAll = db.transaction((turns: readonly Turn[]) => {
    for (const { session, user, assistant } of turns) write(session, user, assistant)
  }).immediate
  return {
    append: db.transaction(write).immediate,
    appendAll,
    fill(session, messages) {
      for (let done = 0; done < messages / 2; done += turnsAtOnce) {
        const turns = Math.min(turnsAtOnce, messages / 2 - done)
        appendAll(Array.from({ length: turns }, (_, n) => ({ session, user: text(n), assistant: text(n) })))
      }
    },
    createMany: db.transaction((sessions: number) => {
      for (let id = 1; id <= sessions; id++) {
        const at = new Date(id * 1_000).toISOString()
        create.run(
          id,
          at,
          JSON.stringify({ agentId: 'bench', title: `Session ${id}`, createdAt: at, messages: 0 }),
        )
      }
      db.exec('CREATE INDEX sessions_newest ON sessions (updated_at, id)')
    }),
    last: (session, count) =>
      (last.all(session, count) as { seq: number; body: string }[])
        .map((row) => ({ seq: row.seq, ...JSON.parse(row.body) }))
        .reverse(),
    list: (count) =>
      (list.all(count) as { id: number; updated_at: string; body: string }[]).map((row) => ({
        id: row.id,
        updatedAt: row.updated_at,
        ...JSON.parse(row.body),
      })),
    close: () => void db.close(),
  }
}
