import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { crcOf, crcOfEvent } from '../checksum.ts'
import { commitOf } from '../conformance/build.ts'
import { sqlite } from './index.ts'
import type { Migration } from './migrations.ts'
import { migrations } from './migrations.ts'
import { openDatabase } from './open.ts'
import { TemporaryPlace } from './temporary.ts'

const newest = migrations.length
const next = newest + 1
const coming: Migration = {
  version: next,
  sql: `
    ALTER TABLE events ADD COLUMN added TEXT;
    CREATE TABLE more (x INTEGER) STRICT;
    INSERT INTO more SELECT seq FROM events;
    PRAGMA user_version = ${next};`,
}
const list = [...migrations, coming]

let place: TemporaryPlace
beforeEach(async () => {
  place = new TemporaryPlace()
  const store = await sqlite(place.path).open({})
  await store.commit([
    commitOf({ tenantId: tenantId('t'), sessionId: 's', baseSeq: 0, create: true, events: 3 }),
  ])
  await store.close()
})
afterEach(() => place.remove())

async function openWith(migrationsUsed: readonly Migration[], nowMs = 1_000) {
  const { db, schemaVersion } = await openDatabase(place.path, {}, { nowMs, list: migrationsUsed })
  db.close()
  return schemaVersion
}

function backups(): string[] {
  return readdirSync(place.folder).filter((name) => name.includes('backup'))
}

function rowsOfMore(): unknown {
  return place.behind('SELECT x FROM more ORDER BY x').map(({ x }) => x)
}

describe('migration', () => {
  it('keeps a whole copy of the older file, readable by its owner only', async () => {
    expect(await openWith(list)).toBe(next)
    expect(rowsOfMore()).toEqual([1, 2, 3])
    expect(backups()).toEqual([`sessions.db.backup-v${newest}-1000`])
    const path = `${place.folder}/sessions.db.backup-v${newest}-1000`
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const old = await sqlite(path).open({})
    expect((await old.readHead(tenantId('t'), 's'))?.seq).toBe(3)
    await old.close()
  })

  it('is done once', async () => {
    expect(await openWith(list)).toBe(next)
    expect(await openWith(list, 2_000)).toBe(next)
    expect(rowsOfMore()).toEqual([1, 2, 3])
    expect(backups()).toHaveLength(1)
  })

  it('is done once by several that open at once', async () => {
    const versions = await Promise.all([1, 2, 3, 4].map((nowMs) => openWith(list, nowMs)))
    expect(versions).toEqual([next, next, next, next])
    expect(rowsOfMore()).toEqual([1, 2, 3])
    expect(backups()).toHaveLength(1)
  })

  it('that fails half-way leaves the file as it was', async () => {
    const broken = {
      version: next,
      sql: `CREATE TABLE more (x); INSERT INTO nowhere VALUES (1); PRAGMA user_version = ${next}`,
    }
    await expect(openWith([...migrations, broken])).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(place.behind('PRAGMA user_version')).toEqual([{ user_version: newest }])
    expect(await openWith(list)).toBe(next)
  })

  it('whose process is killed half-way leaves the file as it was, and is done by the next', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', dyingHalfWay(), place.path])
    const [code, signal] = await once(child, 'exit')
    expect([code, signal]).toEqual([null, 'SIGKILL'])
    expect(place.behind('PRAGMA user_version')).toEqual([{ user_version: newest }])
    expect(await openWith(list)).toBe(next)
    expect(rowsOfMore()).toEqual([1, 2, 3])
  })

  it('does not touch a newer file', async () => {
    await openWith(list)
    const opening = sqlite(place.path).open({})
    await expect(opening).rejects.toMatchObject({
      code: 'store_unsupported',
      details: { version: next, newest },
    })
    expect(rowsOfMore()).toEqual([1, 2, 3])
  })

  it('does not touch a database of another program', async () => {
    place.behind('PRAGMA application_id = 7')
    await expect(sqlite(place.path).open({})).rejects.toMatchObject({ code: 'store_unsupported' })
    await expect(openWith(list)).rejects.toMatchObject({ code: 'store_unsupported' })
    expect(place.behind('PRAGMA user_version')).toEqual([{ user_version: newest }])
  })

  it('whose copy cannot be made changes nothing, and says so', async () => {
    mkdirSync(`${place.path}.backup-v${newest}-1000.partial`)
    await expect(openWith(list)).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(place.behind('PRAGMA user_version')).toEqual([{ user_version: newest }])
    expect(await openWith(list, 2_000)).toBe(next)
  })

  it('makes no copy of a new file', async () => {
    const fresh = new TemporaryPlace()
    const { db } = await openDatabase(fresh.path, {}, { nowMs: 1, list })
    db.close()
    expect(readdirSync(fresh.folder)).toEqual(['sessions.db'])
    fresh.remove()
  })
})

it('a scrub takes the copies of migrations away, for they hold what was erased since', async () => {
  await openWith(list)
  place.behind('DROP TABLE more')
  place.behind(`PRAGMA user_version = ${newest}`)
  const store = await sqlite(place.path).open({})
  await store.scrub()
  await store.close()
  expect(backups()).toEqual([])
})

it('a ledger of the first version is whole after the migration, and is walked and summed as a new one', async () => {
  const old = new TemporaryPlace()
  const { db } = await openDatabase(old.path, {}, { nowMs: 1, list: migrations.slice(0, 1) })
  db.close()
  old.behind("INSERT INTO tenants (tenant, id, has_sessions) VALUES (1, 't', 1)")
  for (const seq of [1, 2, 3]) {
    old.behind(
      `INSERT INTO usage (tenant, session_id, seq, attempt, at, root, agent, purpose, status, prompt_tokens,
        completion_tokens, reasoning_tokens, cached_read_tokens, cached_write_tokens, cost_source, estimated)
      VALUES (1, 's', ?, ?, '2026-01-02T03:04:05.678Z', 'r', 'agent', 'turn', 'ok', 10, 1, 0, 0, 0, 'unknown', 0)`,
      seq,
      `a${seq}`,
    )
  }
  const store = await sqlite(old.path).open({})
  for (const filter of [{}, { sessionId: 's' }, { rootSessionId: 'r' }]) {
    const { rows } = await store.listUsage(tenantId('t'), { filter, limit: 10 })
    expect(rows.map(({ seq, priceBook }) => [seq, priceBook])).toEqual(
      [1, 2, 3].map((seq) => [seq, undefined]),
    )
  }
  expect(await store.sumUsage(tenantId('t'), {})).toMatchObject({ rows: 3, promptTokens: 30, costUnknown: 3 })
  await store.close()
  old.remove()
})

it.each([1, 2])(
  'rows of version %i have no checksum, and are read, written on and migrated once',
  async (version) => {
    const t = tenantId('t')
    const old = new TemporaryPlace()
    const { db } = await openDatabase(old.path, {}, { nowMs: 1, list: migrations.slice(0, version) })
    db.close()
    const at = '2026-01-02T03:04:05.678Z'
    const crc = crcOfEvent(1, 'c1', { type: 'note.added', v: 1, at, body: '"one"' })
    for (const sql of [
      "INSERT INTO tenants (tenant, id, has_sessions) VALUES (1, 't', 1)",
      `INSERT INTO sessions (session, tenant, id, base, seq, epoch, agent, conversation, thread, root, created, activity,
      head_crc, head) VALUES (1, 1, 's', 0, 1, 0, 'agent', 'c', 't', 's', 1, 1, ${crcOf('"head"')}, '"head"')`,
      `INSERT INTO events (session, seq, v, crc, type, at, commit_id, body)
      VALUES (1, 1, 1, ${crc}, 'note.added', '${at}', 'c1', '"one"')`,
      "INSERT INTO refs (session, kind, id, seq) VALUES (1, 'k', 'r', 1)",
      `INSERT INTO parts (session, part, seq, crc, body) VALUES (1, 'tasks', 1, ${crcOf('1')}, '1')`,
      `INSERT INTO waypoints (session, seq, crc, head) VALUES (1, 1, ${crcOf('"head"')}, '"head"')`,
    ])
      old.behind(sql)

    const store = await sqlite(old.path).open({})
    expect(store.info().schemaVersion).toBe(newest)
    const read = async () => [
      (await store.readHead(t, 's'))?.seq,
      (await store.listHeads(t, { index: 'agent', value: 'agent', limit: 9 })).map(({ damaged }) => damaged),
      (await store.readEvents(t, 's', { limit: 9, maxBytes: 1e6, direction: 'forward' })).length,
      await store.readRefs(t, 's', 'k', 'r'),
      await store.readParts(t, 's', ['tasks']),
      await store.readWaypoint(t, 's', 1),
      await store.readRawSession(t, 's').then((raw) => [raw?.damaged, raw?.suspect]),
    ]
    const parts = new Map([['tasks', '1']])
    const waypoint = { seq: 1, body: '"head"' }
    const rest = [[1], parts, waypoint, [undefined, undefined]]
    expect(await read()).toEqual([1, [undefined], 1, ...rest])
    await store.commit([commitOf({ tenantId: t, sessionId: 's', baseSeq: 1 })])
    const lease = { type: 'take', fromEpoch: 0, owner: 'o', ttlMs: 5_000 } as const
    await store.commit([commitOf({ tenantId: t, sessionId: 's', baseSeq: 2, lease })])
    expect(await read()).toEqual([3, [undefined], 3, ...rest])
    expect(readdirSync(old.folder).filter((name) => name.includes(`backup-v${version}`))).toHaveLength(1)
    await store.close()
    old.remove()
  },
)

it('the committed schema is what the migrations make', async () => {
  const rows = place.behind(`
    SELECT sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND name <> 'sqlite_sequence'
      AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
    ORDER BY tbl_name, type DESC, name`)
  const dump = rows.map(({ sql }) => `${sql};\n`).join('\n')
  await expect(dump).toMatchFileSnapshot('./schema.sql')
})

it('migrations are numbered from one without a gap, and each sets its own number', () => {
  for (const [index, { version, sql }] of migrations.entries()) {
    expect(version).toBe(index + 1)
    expect(sql).toContain(`PRAGMA user_version = ${version};`)
  }
})

/** A program that begins the coming migration as the runner does, and dies inside its transaction. */
function dyingHalfWay(): string {
  const at = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
  return `
    import { DatabaseSync } from 'node:sqlite'
    import { openDatabase } from ${at('./open.ts')}
    import { migrations } from ${at('./migrations.ts')}
    class Dying {
      #db
      constructor(path) { this.#db = new DatabaseSync(path) }
      prepare(sql) {
        const statement = this.#db.prepare(sql)
        const reader = statement.columns().length > 0
        return {
          reader,
          raw: (on) => statement.setReturnArrays(on),
          run: (...values) => statement.run(...values),
          get: (...values) => statement.get(...values),
          all: (...values) => statement.all(...values),
        }
      }
      exec(sql) {
        this.#db.exec(sql)
        if (sql.includes('more')) process.kill(process.pid, 'SIGKILL')
      }
      close() { this.#db.close() }
      get inTransaction() { return this.#db.isTransaction }
    }
    const coming = { version: ${next}, sql: 'CREATE TABLE more (y INTEGER); PRAGMA user_version = ${next};' }
    await openDatabase(process.argv[1], { driver: Dying }, { nowMs: 1, list: [...migrations, coming] })`
}
