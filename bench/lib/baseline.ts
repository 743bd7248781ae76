/**
 * What a careful person writes by hand for one chat log on better-sqlite3: two tables, prepared statements, WAL, every
 * commit synced. No tenants, keys, leases, checks, search or ledger: the floor that Holdfast is compared with.
 */
import Database from 'better-sqlite3'

export interface Baseline {
  /** One turn, one transaction. */
  append(session: number, user: string, assistant: string): void
  /** Many turns, one transaction. */
  appendAll(turns: readonly { session: number; user: string; assistant: string }[]): void
  last(session: number, count: number): unknown[]
  close(): void
}

export function openBaseline(path: string): Baseline {
  const db = new Database(path)
  db.pragma('page_size = 8192')
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(`
    CREATE TABLE sessions (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE messages (session INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE UNIQUE INDEX messages_by_seq ON messages (session, seq);
  `)
  const head = db.prepare('SELECT seq FROM sessions WHERE id = ?').pluck()
  const create = db.prepare('INSERT INTO sessions VALUES (?, 0, ?)')
  const move = db.prepare('UPDATE sessions SET seq = ?, updated_at = ? WHERE id = ? AND seq = ?')
  const insert = db.prepare('INSERT INTO messages VALUES (?, ?, ?)')
  const last = db.prepare('SELECT seq, body FROM messages WHERE session = ? ORDER BY seq DESC LIMIT ?')

  const write = (session: number, user: string, assistant: string): void => {
    const at = new Date().toISOString()
    let seq = head.get(session) as number | undefined
    if (seq === undefined) {
      create.run(session, at)
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
  return {
    append: db.transaction(write),
    appendAll: db.transaction((turns) => {
      for (const { session, user, assistant } of turns) write(session, user, assistant)
    }),
    last: (session, count) =>
      (last.all(session, count) as { seq: number; body: string }[])
        .map((row) => ({ seq: row.seq, ...JSON.parse(row.body) }))
        .reverse(),
    close: () => void db.close(),
  }
}
