import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { tenantId } from '@holdfast/protocol'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bodyOfBytes, type CommitInput, commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { type BetterSqlite, sqlite } from './index.ts'
import { TemporaryPlace } from './temporary.ts'

const tenant = tenantId('t')
let place: TemporaryPlace
let faults: { sql: RegExp; code: string; when: 'before' | 'after'; times: number }[]
let opened: number
let store: Store

beforeEach(async () => {
  place = new TemporaryPlace()
  faults = []
  opened = 0
  store = await sqlite(place.path, { driver: faulty() }).open({})
  await send('s', 0, { create: true })
})

afterEach(async () => {
  await store.close()
  place.remove()
})

/** better-sqlite3, but statements fail as `faults` says, before or after they had their effect. */
function faulty(): BetterSqlite {
  return class extends BetterSqlite3 {
    constructor(path: string) {
      super(path)
      opened += 1
    }

    // biome-ignore lint/suspicious/noExplicitAny: narrower than the library's own overloads
    override prepare(sql: string): any {
      const statement = super.prepare(sql)
      for (const method of ['run', 'get', 'all'] as const) {
        const original = statement[method].bind(statement) as (...values: unknown[]) => unknown
        Object.assign(statement, {
          [method]: (...values: unknown[]) => withFaults(sql, () => original(...values)),
        })
      }
      return statement
    }
  }
}

function withFaults(sql: string, run: () => unknown): unknown {
  const fault = faults.find((candidate) => candidate.times > 0 && candidate.sql.test(sql))
  if (!fault) return run()
  fault.times -= 1
  if (fault.when === 'after') run()
  throw Object.assign(new Error(`injected ${fault.code}`), { code: fault.code })
}

function fail(sql: RegExp, code: string, when: 'before' | 'after' = 'before', times = 1): void {
  faults.push({ sql, code, when, times })
}

async function send(sessionId: string, baseSeq: number, input: Partial<CommitInput> = {}) {
  return store.commit([commitOf({ tenantId: tenant, sessionId, baseSeq, ...input })])
}

async function seqNow(): Promise<number | undefined> {
  return (await store.readHead(tenant, 's'))?.seq
}

it('an I/O error while writing refuses the whole batch, of which nothing is written', async () => {
  fail(/INSERT INTO events/, 'SQLITE_IOERR_WRITE')
  const batch = store.commit([
    commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 1 }),
    commitOf({ tenantId: tenant, sessionId: 'new', baseSeq: 0, create: true }),
  ])
  await expect(batch).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(await seqNow()).toBe(1)
  expect(await store.readHead(tenant, 'new')).toBeUndefined()
  expect((await send('s', 1))[0]?.status).toBe('committed')
})

it.each(['before', 'after'] as const)(
  'an I/O error of the commit itself, %s it took effect, leaves the outcome unknown, and sending again settles it',
  async (when) => {
    fail(/^COMMIT/, 'SQLITE_IOERR_FSYNC', when)
    const commit = commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 1 })
    await expect(store.commit([commit])).rejects.toMatchObject({ code: 'commit_unknown' })
    const [again] = await store.commit([commit])
    const found = await store.readEvents(tenant, 's', { limit: 1, maxBytes: 1e6, direction: 'backward' })
    expect(found[0]).toMatchObject({ seq: 2, commitId: commit.commitId })
    expect(again?.status).toBe(when === 'before' ? 'committed' : 'conflict')
  },
)

it('after an I/O error the connection is opened anew before it is used again', async () => {
  const before = opened
  fail(/^COMMIT/, 'SQLITE_IOERR_FSYNC')
  await expect(send('s', 1)).rejects.toMatchObject({ code: 'commit_unknown' })
  expect(await seqNow()).toBe(1)
  expect(opened).toBe(before + 1)
  await send('s', 1)
  expect(opened).toBe(before + 1)
})

it('while it cannot be opened anew every call says so, and the first that can goes on', async () => {
  fail(/INSERT INTO events/, 'SQLITE_IOERR_WRITE')
  await expect(send('s', 1)).rejects.toMatchObject({ code: 'store_unavailable' })
  fail(/sqlite_version/, 'SQLITE_CANTOPEN', 'before', 2)
  await expect(seqNow()).rejects.toMatchObject({ code: 'store_unavailable' })
  await expect(send('s', 1)).rejects.toMatchObject({ code: 'store_unavailable' })
  expect((await send('s', 1))[0]?.status).toBe('committed')
})

it('a full disk is told as full, nothing is written, and space makes it work again', async () => {
  fail(/^COMMIT/, 'SQLITE_FULL')
  await expect(send('s', 1)).rejects.toMatchObject({ code: 'store_full' })
  expect(await seqNow()).toBe(1)
  expect((await send('s', 1))[0]?.status).toBe('committed')
})

it('a file that may not grow any more is told as full', async () => {
  await store.close()
  class Small extends BetterSqlite3 {
    constructor(path: string) {
      super(path)
      this.exec('PRAGMA max_page_count = 60')
    }
  }
  store = await sqlite(place.path, { driver: Small }).open({})
  const fill = async () => {
    for (let baseSeq = 1; baseSeq < 100; baseSeq += 1)
      await send('s', baseSeq, { events: [bodyOfBytes(20_000, `${baseSeq} `)] })
  }
  await expect(fill()).rejects.toMatchObject({ code: 'store_full' })
  const seq = (await seqNow()) ?? 0
  const events = await store.readEvents(tenant, 's', { limit: 100, maxBytes: 1e9, direction: 'forward' })
  expect(events).toHaveLength(seq)
})

it('a lock of another process is waited for', async () => {
  fail(/^BEGIN IMMEDIATE/, 'SQLITE_BUSY', 'before', 5)
  expect((await send('s', 1))[0]?.status).toBe('committed')
  fail(/FROM sessions/, 'SQLITE_BUSY_RECOVERY', 'before', 5)
  expect(await seqNow()).toBe(2)
})

it('what was learned in a transaction that was rolled back is forgotten', async () => {
  fail(/^COMMIT/, 'SQLITE_FULL')
  const create = { create: true, head: { agentId: 'a' } }
  await expect(send('new', 0, create)).rejects.toMatchObject({ code: 'store_full' })
  expect((await send('new', 1))[0]).toEqual({ status: 'conflict', seq: 0 })
  fail(/^COMMIT/, 'SQLITE_FULL')
  await expect(send('s', 1, { head: { agentId: 'other' } })).rejects.toMatchObject({ code: 'store_full' })
  expect((await send('s', 2))[0]).toEqual({ status: 'conflict', seq: 1 })
  expect((await send('s', 1, { head: { agentId: 'other' } }))[0]?.status).toBe('committed')
  const list = await store.listHeads(tenant, { index: 'agent', value: 'other', limit: 9 })
  expect(list.map(({ sessionId }) => sessionId)).toEqual(['s'])
})

it('an error of our own in one write refuses that one alone', async () => {
  const row = {
    threadId: 't',
    namespace: '',
    checkpointId: 'c',
    parentId: undefined,
    channels: {},
    bodies: [],
  }
  const [missing, written] = await Promise.allSettled([
    store.putCheckpoint({ tenantId: tenant, sessionId: 'missing', ...row }),
    send('s', 1),
  ])
  expect(missing).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } })
  expect(written.status).toBe('fulfilled')
})

it('reads in between do not disturb the transaction of a write', async () => {
  const range = { limit: 5, maxBytes: 1e6, direction: 'backward' } as const
  const turns = Array.from({ length: 50 }, async (_, turn) => {
    for (let step = 0; step < turn % 7; step += 1) await null
    if (turn % 3 === 0) await send(`s${turn}`, 0, { create: true })
    return store.readEvents(tenant, 's', range)
  })
  for (const events of await Promise.all(turns)) expect(events).toHaveLength(1)
  expect(opened).toBe(1)
})

it('a handle whose file was migrated by a newer process does not write any more', async () => {
  const newer = new BetterSqlite3(place.path)
  newer.exec('PRAGMA user_version = 99')
  newer.close()
  await expect(send('s', 1)).rejects.toMatchObject({ code: 'store_unsupported' })
  expect(await seqNow()).toBe(1)
})

it('after a failed sync nothing is done before the journal is cut, also while another connection reads', async () => {
  const reader = new BetterSqlite3(place.path)
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM events').get()
  fail(/^COMMIT/, 'SQLITE_IOERR_FSYNC')
  await expect(send('s', 1)).rejects.toMatchObject({ code: 'commit_unknown' })
  let isCut = false
  const read = seqNow().then((seq) => {
    isCut = statSync(`${place.path}-wal`).size === 0
    return seq
  })
  await sleep(100)
  reader.exec('COMMIT')
  reader.close()
  expect(await read).toBe(1)
  expect(isCut).toBe(true)
})
