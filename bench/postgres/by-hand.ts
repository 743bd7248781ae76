/**
 * What a careful person writes by hand on `pg`: two tables, named statements, one of them a turn. `plain` has no
 * tenants; `walled` sets the tenant that row-level security asks for in the same flush. No keys, leases, checks, search
 * or ledger: the floor that Holdfast is compared with.
 */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { text } from '../lib/text.ts'
import { OneFlush } from './one-flush.ts'
import type { Place } from './place.ts'

export interface ByHand {
  /** The id of a new session. */
  create(): Promise<string>
  /** Gives a session so many messages. */
  fill(session: string, messages: number): Promise<void>
  /** So many sessions, each a little younger than the one before. */
  createMany(sessions: number): Promise<void>
  /** One connection with its own statements. */
  connect(): Promise<Hand>
}

export interface Hand {
  /** A turn of one session, one statement, committed by itself. */
  append(session: string, n: number): Promise<void>
  /** The same with the tenant set before it, in one write to the server and one transaction. */
  appendWalled(session: string, n: number): Promise<void>
  /** One turn of each session, one statement. */
  appendAll(sessions: readonly string[], n: number): Promise<void>
  last(session: string, count: number): Promise<unknown[]>
  /** A page of sessions, newest activity first. */
  list(count: number): Promise<unknown[]>
  end(): Promise<void>
}

const tenant = 'default'

const TABLES = `
  CREATE TABLE sessions (id uuid PRIMARY KEY, seq int4 NOT NULL, updated_at timestamptz NOT NULL);
  CREATE TABLE messages (session uuid, seq int4, body text NOT NULL, PRIMARY KEY (session, seq));
  CREATE TABLE walled_sessions (
    tenant text, id uuid, seq int4 NOT NULL, updated_at timestamptz NOT NULL, PRIMARY KEY (tenant, id)
  );
  CREATE TABLE walled_messages (
    tenant text, session uuid, seq int4, body text NOT NULL, PRIMARY KEY (tenant, session, seq)
  );
  CREATE INDEX sessions_newest ON sessions (updated_at, id);
  ALTER TABLE walled_sessions ENABLE ROW LEVEL SECURITY;
  ALTER TABLE walled_messages ENABLE ROW LEVEL SECURITY;
  ALTER TABLE walled_sessions FORCE ROW LEVEL SECURITY;
  ALTER TABLE walled_messages FORCE ROW LEVEL SECURITY;
  CREATE POLICY wall ON walled_sessions USING (tenant = current_setting('by_hand.tenant'));
  CREATE POLICY wall ON walled_messages USING (tenant = current_setting('by_hand.tenant'))`

const APPEND = `
  WITH moved AS (
    UPDATE sessions SET seq = seq + 2, updated_at = now() WHERE id = $1 AND seq = $2 RETURNING id, seq
  )
  INSERT INTO messages (session, seq, body)
  SELECT moved.id, moved.seq - 1, $3 FROM moved UNION ALL SELECT moved.id, moved.seq, $4 FROM moved`

const SET_TENANT = `SELECT set_config('by_hand.tenant', $1, true)`

const APPEND_WALLED = `
  WITH moved AS (
    UPDATE walled_sessions SET seq = seq + 2, updated_at = now() WHERE tenant = $5 AND id = $1 AND seq = $2
    RETURNING id, seq
  )
  INSERT INTO walled_messages (tenant, session, seq, body)
  SELECT $5, moved.id, moved.seq - 1, $3 FROM moved UNION ALL SELECT $5, moved.id, moved.seq, $4 FROM moved`

const APPEND_ALL = `
  WITH turns AS (
    SELECT * FROM unnest($1::uuid[], $2::int4[], $3::text[], $4::text[]) AS turns (id, seq, question, answer)
  ), moved AS (
    UPDATE sessions SET seq = sessions.seq + 2, updated_at = now() FROM turns
    WHERE sessions.id = turns.id AND sessions.seq = turns.seq RETURNING turns.*
  )
  INSERT INTO messages (session, seq, body)
  SELECT id, seq + 1, question FROM moved UNION ALL SELECT id, seq + 2, answer FROM moved`

const CREATE = 'INSERT INTO sessions VALUES ($1, 0, now())'
const CREATE_WALLED = 'INSERT INTO walled_sessions VALUES ($2, $1, 0, now())'
const FILL = 'INSERT INTO messages SELECT $1, n, $2 FROM generate_series(1, $3) AS n'
const CREATE_MANY = `
  INSERT INTO sessions SELECT gen_random_uuid(), 0, now() - interval '1 day' + n * interval '1 ms'
  FROM generate_series(1, $1) AS n`
const LAST = 'SELECT seq, body FROM messages WHERE session = $1 ORDER BY seq DESC LIMIT $2'
const LIST = `
  SELECT id, seq, updated_at FROM sessions WHERE (updated_at, id) < ($1, $2) ORDER BY updated_at DESC, id DESC LIMIT $3`

export async function byHandTables(place: Place): Promise<ByHand> {
  const { ask, byHand, url } = place
  const role = await boundRole(place)
  await ask(`CREATE SCHEMA ${byHand}; SET search_path = ${byHand}; ${TABLES}`)
  await ask(`GRANT USAGE ON SCHEMA ${byHand} TO ${role}`)
  await ask(`GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ${byHand} TO ${role}`)
  const seqs = new Map<string, number>()
  return {
    async create() {
      const id = randomUUID()
      await ask(CREATE, [id])
      await ask(CREATE_WALLED, [id, tenant])
      seqs.set(id, 0)
      seqs.set(walled(id), 0)
      return id
    },
    async fill(session, messages) {
      await ask(FILL, [session, bodies(0)[0], messages])
    },
    async createMany(sessions) {
      await ask(CREATE_MANY, [sessions])
    },
    async connect() {
      const client = new pg.Client({
        connectionString: url,
        options: `-c search_path=${byHand} -c role=${role}`,
      })
      await client.connect()
      return handOf(client, seqs)
    },
  }
}

/** The role of the store's statements: one that row-level security binds. */
async function boundRole({ open }: Place): Promise<string> {
  const store = await open()
  await store.close()
  return String(store.info().settings.role)
}

const walled = (session: string) => `walled ${session}`

function handOf(client: pg.Client, seqs: Map<string, number>): Hand {
  const take = (name: string): number => {
    const seq = seqs.get(name) as number
    seqs.set(name, seq + 2)
    return seq
  }
  const run = async (name: string, sql: string, values: unknown[], rows: number) => {
    const { rowCount } = await client.query({ name, text: sql, values })
    if (rowCount !== rows) throw new Error(`${name} changed ${rowCount} rows`)
  }
  return {
    append: (session, n) => run('append', APPEND, [session, take(session), ...bodies(n)], 2),
    async appendWalled(session, n) {
      const values = [session, String(take(walled(session))), ...bodies(n), tenant]
      const rows = await OneFlush.run(client, [
        { name: 'set_tenant', sql: SET_TENANT, values: [tenant] },
        { name: 'append_walled', sql: APPEND_WALLED, values },
      ])
      if (rows !== 2) throw new Error(`append_walled changed ${rows} rows`)
    },
    async appendAll(sessions, n) {
      const [question, answer] = bodies(n)
      const many = (body: string | undefined) => sessions.map(() => body)
      const values = [sessions, sessions.map(take), many(question), many(answer)]
      await run('append_all', APPEND_ALL, values, sessions.length * 2)
    },
    async last(session, count) {
      const { rows } = await client.query({ name: 'last', text: LAST, values: [session, count] })
      return rows.map(({ seq, body }) => ({ seq, ...JSON.parse(body) })).reverse()
    },
    async list(count) {
      const values = ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff', count]
      return (await client.query({ name: 'list', text: LIST, values })).rows
    },
    end: () => client.end(),
  }
}

function bodies(n: number): string[] {
  const at = new Date().toISOString()
  return [
    JSON.stringify({ role: 'user', at, parts: [{ type: 'text', text: text(n) }] }),
    JSON.stringify({ role: 'assistant', at, parts: [{ type: 'text', text: text(n + 1) }] }),
  ]
}
