/** What a server does to its clients, by a server that really does it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ActiveSession, type Holdfast, openHoldfast, type Store } from '@holdfast/core'
import { type PostgresOptions, postgres } from '@holdfast/core/postgres'
import { type HoldfastError, isHoldfastError } from '@holdfast/protocol'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { withClient } from '../tools/postgres/client.ts'
import { findPrograms } from '../tools/postgres/programs.ts'
import { type Postgres, startPostgres } from '../tools/postgres/start.ts'

let server: Postgres
let schemas = 0
const opened = new Set<Pick<Store, 'close'>>()

beforeAll(async () => {
  if (!('missing' in findPrograms())) server = await startPostgres({ durable: true })
})

afterEach(async () => {
  await Promise.all([...opened].map((store) => store.close()))
  opened.clear()
})

afterAll(() => server?.remove())

const newSchema = () => `failures_${++schemas}`

async function open(options: Partial<PostgresOptions> & { url?: string } = {}): Promise<Store> {
  const { url = server.url, ...rest } = options
  const store = await postgres(url, { driver: pg, schema: newSchema(), ...rest }).open({})
  opened.add(store)
  return store
}

/** The engine on such a store, and one session. */
async function openSession(store: Store): Promise<{ holdfast: Holdfast; session: ActiveSession }> {
  const holdfast = await openHoldfast({ store })
  const session = await holdfast.sessions.create({ id: 's', agentId: 'a' })
  await session.append(say('first'))
  return { holdfast, session: session as unknown as ActiveSession }
}

const say = (text: string) => ({ role: 'user' as const, parts: [{ type: 'text' as const, text }] })

async function textsOf(session: Pick<ActiveSession, 'messages'>): Promise<unknown[]> {
  const { messages } = await session.messages()
  return messages.map(({ parts }) => (parts[0] as { text?: string }).text)
}

const asAdmin = <T>(work: (admin: pg.Client) => Promise<T>): Promise<T> => withClient(server.url, work)

const run = (...statements: string[]) =>
  asAdmin(async (admin) => {
    for (const sql of statements) await admin.query(sql)
  })

async function failure(work: Promise<unknown>): Promise<HoldfastError> {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  )
  if (!isHoldfastError(error)) throw new Error(`expected a HoldfastError, not ${error}`)
  return error
}

/** A place between the store and the server, which can go silent or keep an answer for itself. */
async function proxy(): Promise<{ url: string; loseNextAnswer(): void; fall: () => void }> {
  const target = new URL(server.url)
  const sockets = new Set<Socket>()
  let losing = false
  let silent = false
  const listener: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    client.on('data', (data) => {
      if (!silent) upstream.write(data)
    })
    upstream.on('data', (data) => {
      if (losing) {
        losing = false
        client.destroy()
      } else if (!silent) client.write(data)
    })
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    listener.close()
  })
  const url = new URL(server.url)
  url.port = String((listener.address() as AddressInfo).port)
  return {
    url: url.href,
    loseNextAnswer: () => {
      losing = true
    },
    fall: () => {
      silent = true
    },
  }
}

/** Outcomes of commits that the engine did not get. */
function brokenCommits(store: Store): string[] {
  const codes: string[] = []
  const commit = store.commit.bind(store)
  store.commit = (commits) =>
    commit(commits).catch((error) => {
      codes.push(error.code)
      throw error
    })
  return codes
}

const modules = {
  pg: import.meta.resolve('pg'),
  store: import.meta.resolve('@holdfast/core/postgres'),
}

/** A process that runs these lines with `open(schema)` at hand. */
function program(lines: string) {
  const code = `
    const { default: pg } = await import(${JSON.stringify(modules.pg)})
    const { postgres } = await import(${JSON.stringify(modules.store)})
    const open = (schema) => postgres(${JSON.stringify(server.url)}, { driver: pg, schema }).open({})
    ${lines}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code])
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text
    })
  const end = once(child, 'close').then(([code, signal]) => ({ end: signal ?? code, output }))
  return { child, end }
}

describe.skipIf('missing' in findPrograms())('opening', () => {
  test('a server that refuses connections is a typed error that says where to look', async () => {
    const error = await failure(open({ url: 'postgres://postgres@127.0.0.1:1/postgres' }))
    expect([error.code, error.retry]).toEqual(['store_unavailable', 'later'])
    expect(error.message).toMatch(/cannot be reached; check the URL/)
  })

  test('a server that accepts connections and says nothing is given up as well', async () => {
    const { url, fall } = await proxy()
    fall()
    expect((await failure(open({ url }))).code).toBe('store_unavailable')
  })

  test.each([
    ['password', '28P01', (url: URL) => Object.assign(url, { username: 'locked', password: 'wrong' })],
    ['database', '3D000', (url: URL) => Object.assign(url, { pathname: '/nowhere' })],
    ['role', '28000', (url: URL) => Object.assign(url, { username: 'nobody_knows' })],
  ])('a wrong %s is refused at once and named as what to check', async (what, state, change) => {
    await lockRole()
    const error = await failure(open({ url: change(new URL(server.url)).href }))
    expect([error.code, (error.cause as { code?: string }).code]).toEqual(['store_unavailable', state])
    expect(error.message).toContain(what)
  })

  test.each(['LATIN1', 'SQL_ASCII'])('a database with the encoding %s is refused', async (encoding) => {
    const name = encoding.toLowerCase()
    await run(`CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`)
    const url = Object.assign(new URL(server.url), { pathname: `/${name}` }).href
    const error = await failure(open({ url }))
    expect([error.code, error.message]).toEqual(['store_unsupported', expect.stringContaining(encoding)])
  })

  test('a role without a connection to spare is a busy store, and works when there is one', async () => {
    await run('CREATE ROLE narrow LOGIN CONNECTION LIMIT 1 SUPERUSER', 'ALTER ROLE narrow NOSUPERUSER')
    await run('GRANT CREATE ON DATABASE postgres TO narrow')
    const url = Object.assign(new URL(server.url), { username: 'narrow' }).href
    const squatter = new pg.Client({ connectionString: url })
    await squatter.connect()
    const options = { url, connections: 1, migrationUrl: server.url }
    const error = await failure(open(options))
    expect([error.code, error.retry]).toEqual(['store_busy', 'later'])
    await squatter.end()
    expect(await (await open(options)).listTenants()).toEqual([])
  })

  test('two processes that open a new schema at once make it once', async () => {
    const schema = newSchema()
    const lines = `await (await open('${schema}')).close()`
    const both = [program(lines), program(lines)]
    expect(await Promise.all(both.map(({ end }) => end))).toEqual([
      { end: 0, output: '' },
      { end: 0, output: '' },
    ])
    expect(await versionsOf(schema)).toEqual(await versionsOf(await openedSchema()))
  })

  test('a process that is killed while it makes the schema leaves all of it or nothing', {
    timeout: 600_000,
  }, async () => {
    const schema = newSchema()
    const whole = await versionsOf(await openedSchema())
    let [killed, longest] = [0, 250]
    for (let round = 0; round < 20; round++) {
      const { child, end } = program(`console.log('ready'); await (await open('${schema}')).close()`)
      await once(child.stdout, 'data')
      const start = performance.now()
      void end.then(() => {
        longest = Math.min(longest, performance.now() - start)
      })
      await sleep(Math.random() * longest)
      child.kill('SIGKILL')
      if ((await end).end === 'SIGKILL') killed += 1
      const versions = await versionsOf(schema)
      expect([[], whole]).toContainEqual(versions)
      if (versions.length > 0) await run(`DROP SCHEMA ${schema} CASCADE`)
    }
    expect(killed).toBeGreaterThan(0)
    await open({ schema })
    expect(await versionsOf(schema)).toEqual(whole)
  })
})

describe.skipIf('missing' in findPrograms())('a server under an open store', () => {
  test('that restarts while nobody asks is not noticed', async () => {
    const { session } = await openSession(await open())
    await server.stop('immediate')
    await server.start()
    expect(await textsOf(session)).toEqual(['first'])
    await server.stop('fast')
    await server.start()
    await session.append(say('second'))
    expect(await textsOf(session)).toEqual(['first', 'second'])
  })

  test('that goes away in the middle of a commit leaves its outcome to be found out: it was not written', async () => {
    const store = await open()
    const { session } = await openSession(store)
    const codes = brokenCommits(store)
    const { schema } = store.info().settings as { schema: string }
    const holder = new pg.Client({ connectionString: server.url })
    holder.on('error', () => {})
    await holder.connect()
    await holder.query(`BEGIN; LOCK TABLE ${schema}.events IN EXCLUSIVE MODE`)
    const appended = session.append(say('second'))
    await expect.poll(() => waiting(), { timeout: 20_000 }).toBeGreaterThan(0)
    await server.stop('immediate')
    await server.start()
    await appended
    // It is sent again, and the server may not be back yet.
    expect(new Set(codes)).toEqual(new Set(['commit_unknown']))
    expect(await textsOf(session)).toEqual(['first', 'second'])
  })

  test('whose answer is lost leaves its outcome to be found out: it was written', async () => {
    const { url, loseNextAnswer } = await proxy()
    const store = await open({ url, connections: 1 })
    const { session } = await openSession(store)
    const codes = brokenCommits(store)
    // What tells other handles of the write before is under way no more.
    await sleep(100)
    loseNextAnswer()
    const { firstSeq, replayed } = await session.append(say('second'))
    expect([codes, replayed]).toEqual([['commit_unknown'], false])
    expect((await session.events({ after: (firstSeq ?? 0) - 1 })).events).toHaveLength(1)
    expect(await textsOf(session)).toEqual(['first', 'second'])
  })

  test('that becomes read-only answers reads, refuses writes as busy, and takes them later', async () => {
    const { session } = await openSession(await open())
    await run('ALTER DATABASE postgres SET default_transaction_read_only = on')
    await cutAll()
    expect(await textsOf(session)).toEqual(['first'])
    const error = await failure(session.append(say('second')))
    expect([error.code, error.retry]).toEqual(['store_busy', 'later'])
    await run(
      'SET default_transaction_read_only = off',
      'ALTER DATABASE postgres RESET default_transaction_read_only',
    )
    await cutAll()
    await session.append(say('third'))
    expect(await textsOf(session)).toEqual(['first', 'third'])
  })

  test('whose disk is full writes nothing of a commit, and goes on when there is room', async () => {
    const store = await open()
    const { session } = await openSession(store)
    const { schema } = store.info().settings as { schema: string }
    await run(
      `CREATE FUNCTION ${schema}.no_room() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$`,
      `CREATE TRIGGER no_room BEFORE INSERT ON ${schema}.events EXECUTE FUNCTION ${schema}.no_room()`,
    )
    const error = await failure(session.append(say('second')))
    expect([error.code, error.retry]).toEqual(['store_full', 'later'])
    await run(`DROP TRIGGER no_room ON ${schema}.events`)
    await session.append(say('third'))
    expect(await textsOf(session)).toEqual(['first', 'third'])
  })
})

describe.skipIf('missing' in findPrograms())('a store', () => {
  test('with one connection serves two hundred calls at once, and a follower', async () => {
    const { session } = await openSession(await open({ connections: 1 }))
    const { seq } = await session.view()
    const following = session.follow()
    await following.next()
    const calls = Array.from({ length: 200 }, (_, n) =>
      n % 2 ? session.append(say(`${n}`)) : session.view(),
    )
    expect(await Promise.all(calls)).toHaveLength(200)
    await following.return()
    expect((await session.view()).seq).toBe(seq + 100)
  })

  test('that is closed during work answers every call', async () => {
    const store = await open()
    const { session } = await openSession(store)
    const calls = Array.from({ length: 40 }, (_, n) => (n % 2 ? session.append(say(`${n}`)) : session.view()))
    const answered = Promise.allSettled(calls)
    await new Promise((resolve) => setImmediate(resolve))
    await store.close()
    const answers = await answered
    const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.code] : []))
    expect(reasons.filter((code) => !['store_closed', 'commit_unknown'].includes(code))).toEqual([])
  })

  test('that was used and closed keeps no process alive', async () => {
    const { child, end } = program(`
      const store = await open('${newSchema()}')
      await store.listTenants()
      await store.close()
      console.log('closed')`)
    await once(child.stdout, 'data')
    const late = sleep(20_000).then(() => 'is still there')
    expect(await Promise.race([end, late])).toEqual({ end: 0, output: 'closed\n' })
  })

  test('whose listener leaves while its connection is cut ends no process', async () => {
    const { end } = program(`
      const store = await open('${newSchema()}')
      const admin = new pg.Client({ connectionString: ${JSON.stringify(server.url)} })
      await admin.connect()
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
      for (let round = 0; round < 60; round++) {
        const leave = store.onForeignWrite(() => {})
        await pause(15)
        const cut = admin.query(${JSON.stringify(CUT_ALL)})
        await pause(Math.random() * 4)
        leave()
        await cut
      }
      await store.close()
      await admin.end()
      process.exit()`)
    expect(await end).toEqual({ end: 0, output: '' })
  })
})

const CUT_ALL = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast'`

const cutAll = () => run(CUT_ALL)

async function waiting(): Promise<number> {
  const sql = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'holdfast' AND wait_event_type = 'Lock'`
  return (await asAdmin((admin) => admin.query(sql))).rows[0].n
}

/** The role `locked` needs a password. */
async function lockRole(): Promise<void> {
  await run(
    `DO $$ BEGIN CREATE ROLE locked LOGIN PASSWORD 'right'; EXCEPTION WHEN duplicate_object THEN END $$`,
  )
  const folder = (await asAdmin((admin) => admin.query('SHOW data_directory'))).rows[0].data_directory
  const file = join(folder, 'pg_hba.conf')
  const rule = 'host all locked 127.0.0.1/32 scram-sha-256\n'
  const rules = readFileSync(file, 'utf8')
  if (!rules.startsWith(rule)) writeFileSync(file, rule + rules)
  await run('SELECT pg_reload_conf()')
  await sleep(200)
}

async function openedSchema(): Promise<string> {
  return ((await open()).info().settings as { schema: string }).schema
}

/** Versions that the schema says it has, and how many tables: none of either when it was not made. */
async function versionsOf(schema: string): Promise<unknown[]> {
  return asAdmin(async (admin) => {
    const tables = await admin.query('SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = $1', [
      schema,
    ])
    if (tables.rows[0].n === 0) return []
    const { rows } = await admin.query(`SELECT version FROM ${schema}.schema_version ORDER BY 1`)
    return [tables.rows[0].n, ...rows.map(({ version }) => version)]
  })
}
