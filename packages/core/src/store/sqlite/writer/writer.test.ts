import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { BroadcastChannel } from 'node:worker_threads'
import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openHoldfast } from '../../../index.ts'
import { type CommitInput, commitOf } from '../../conformance/build.ts'
import type { CommitOutcome, Store } from '../../store.ts'
import { type SqliteOptions, sqlite } from '../index.ts'
import { TemporaryPlace } from '../temporary.ts'
import Obeying, { commitsChannel, type Fault } from '../testing/obeying-driver.ts'

const tenant = tenantId('t')
/** For what comes by itself, however busy the machine is. */
const patience = { timeout: 20_000 }
const driver = new URL('../testing/obeying-driver.ts', import.meta.url).href

let place: TemporaryPlace
beforeEach(() => {
  place = new TemporaryPlace()
})
afterEach(() => place.remove())

async function open(options: SqliteOptions = { driver, writer: 'thread' }): Promise<Store> {
  const store = await sqlite(place.path, options).open({})
  onTestFinished(() => store.close())
  return store
}

function send(store: Store, sessionId: string, baseSeq: number, input: Partial<CommitInput> = {}) {
  const create = baseSeq === 0
  return store.commit([commitOf({ tenantId: tenant, sessionId, baseSeq, create, ...input })])
}

function sendFault(store: Store, fault: Fault): Promise<readonly CommitOutcome[]> {
  return send(store, 's', 1, { events: [JSON.stringify(`fault: ${fault}`)] })
}

async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('what cannot have a thread is refused', () => {
  it.each<[string, string, SqliteOptions]>([
    ['a store in memory', ':memory:', {}],
    ['a driver that is a constructor', 'file.db', { driver: Obeying }],
  ])('%s', async (_, path, options) => {
    const opening = sqlite(path === ':memory:' ? path : place.path, { ...options, writer: 'thread' }).open({})
    await expect(opening).rejects.toMatchObject({ code: 'invalid_input' })
    expect(place.files()).toEqual([])
  })

  it('a driver that is nowhere', async () => {
    const opening = sqlite(place.path, { driver: 'file:///nowhere.js', writer: 'thread' }).open({})
    await expect(opening).rejects.toMatchObject({ code: 'store_unsupported' })
  })
})

it('says that it has a thread', async () => {
  expect((await open()).info().settings).toMatchObject({ writer: 'thread', driver: 'better-sqlite3' })
})

it('what arrives while a transaction is written shares the next one, and is read as soon as it is answered', async () => {
  const store = await open()
  let transactions = 0
  const channel = new BroadcastChannel(commitsChannel)
  onTestFinished(() => channel.close())
  channel.onmessage = () => {
    transactions += 1
  }
  const sessions = Array.from({ length: 200 }, (_, n) => `s${n}`)
  const seqs = await Promise.all(
    sessions.map(async (id) => {
      await send(store, id, 0, { events: 2 })
      return (await store.readHead(tenant, id))?.seq
    }),
  )
  expect(seqs).toEqual(sessions.map(() => 2))
  await vi.waitFor(() => expect(transactions).toBeGreaterThan(0), patience)
  expect(transactions).toBeLessThan(sessions.length / 4)
})

describe('an error is the same as without a thread', () => {
  it.each<Fault>(['throw', 'throw afterwards', 'full'])('of the engine: %s', async (fault) => {
    const [here, threaded] = await onBoth(async (store) => {
      await send(store, 's', 0)
      return thrownBy(sendFault(store, fault))
    })
    expect(here).toMatchObject({ code: fault === 'full' ? 'store_full' : 'commit_unknown' })
    expect(threaded).toEqual(here)
    expect((threaded as Error).cause).toEqual((here as Error).cause)
  })

  it('of one call among others', async () => {
    const [here, threaded] = await onBoth(async (store) => {
      const row = { threadId: 't', namespace: '', checkpointId: 'c', parentId: undefined, channels: {} }
      const missing = store.putCheckpoint({ tenantId: tenant, sessionId: 'missing', ...row, bodies: [] })
      const [error] = await Promise.all([thrownBy(missing), send(store, 's', 0)])
      return error
    })
    expect(here).toMatchObject({ code: 'not_found' })
    expect(threaded).toEqual(here)
  })

  it('of one commit among others', async () => {
    const [here, threaded] = await onBoth(async (store, look) => {
      await send(store, 's', 0)
      look("UPDATE sessions SET seq = seq + 1 WHERE id = 's'")
      const commits = ['s', 'whole'].map((sessionId) =>
        commitOf({ tenantId: tenant, sessionId, baseSeq: 0, create: true }),
      )
      return store.commit(commits)
    })
    expect(here).toMatchObject([
      { status: 'failed', error: { code: 'store_corrupt' } },
      { status: 'committed' },
    ])
    expect(threaded).toEqual(here)
  })
})

describe('when the thread dies', () => {
  it.each<[Fault, number]>([
    ['exit', 1],
    ['exit afterwards', 2],
    ['uncaught', 2],
  ])(
    '%s: what it was asked is unknown, reads go on, and the next write has a new thread',
    async (fault, seq) => {
      const store = await open()
      await send(store, 's', 0)
      const bystander = store.putRecord(tenant, { kind: 'k', id: fault, key: undefined, body: '1' }, 0)
      const [error] = await Promise.all([thrownBy(sendFault(store, fault)), bystander.catch(() => undefined)])
      if (fault !== 'uncaught') expect(error).toMatchObject({ code: 'commit_unknown', retry: 'later' })
      expect((await store.readHead(tenant, 's'))?.seq).toBe(seq)
      const next = { status: 'committed', firstSeq: seq + 1 }
      await vi.waitFor(async () => expect(await send(store, 's', seq)).toMatchObject([next]), patience)
    },
  )

  it('closing ends well, and every call is told the truth', async () => {
    const store = await open()
    await send(store, 's', 0)
    const dying = thrownBy(sendFault(store, 'exit'))
    await store.close()
    expect(await dying).toMatchObject({ code: 'commit_unknown' })
    await expect(send(store, 's', 1)).rejects.toMatchObject({ code: 'store_closed' })
  })

  it('the engine finds out what became of a write', async () => {
    const holdfast = await openHoldfast({ store: await open() })
    const session = await holdfast.sessions.create({ agentId: 'a' })
    const say = (text: string) => session.append({ role: 'user', parts: [{ type: 'text', text }] })
    const { lastSeq } = await say('fault: exit afterwards')
    await expect(say('fault: exit')).rejects.toMatchObject({ code: 'commit_unknown' })
    const after = await say('hello')
    const { messages } = await session.messages()
    expect(messages.map(({ seq }) => seq)).toEqual([lastSeq, after.lastSeq])
    await holdfast.close()
  })
})

describe('a write of another handle is heard of', () => {
  it('and one of its own is not', async () => {
    const [store, other] = [await open(), await open()]
    let heard = 0
    store.onForeignWrite(() => {
      heard += 1
    })
    for (let seq = 0; seq < 5; seq += 1) {
      await send(store, 's', seq)
      await sleep(30)
    }
    expect(heard).toBe(0)
    await send(other, 'theirs', 0)
    await vi.waitFor(() => expect(heard).toBeGreaterThan(0), patience)
  })

  it('also while there is no thread, and after there is another', async () => {
    const [store, other] = [await open(), await open()]
    await send(store, 's', 0)
    let heard = 0
    store.onForeignWrite(() => {
      heard += 1
    })
    await thrownBy(sendFault(store, 'exit'))
    const heardAfter = async (seq: number) => {
      const before = heard
      await send(other, 'theirs', seq)
      await vi.waitFor(() => expect(heard).toBeGreaterThan(before), patience)
    }
    await heardAfter(0)
    await send(store, 's', 1)
    const quiet = heard
    await send(store, 's', 2)
    await sleep(60)
    expect(heard).toBe(quiet)
    await heardAfter(1)
  })
})

it('a process ends by itself, whether or not its store was closed', async () => {
  const address = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
  const program = (end: string) => `
    import { sqlite } from ${address('../index.ts')}
    import { commitOf } from ${address('../../conformance/build.ts')}
    const store = await sqlite(process.argv[1], { writer: 'thread' }).open({})
    const commit = commitOf({ tenantId: 't', sessionId: '${end}', baseSeq: 0, create: true })
    console.log((await store.commit([commit]))[0].status)
    ${end}`
  for (const end of ['await store.close()', '']) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program(end), place.path])
    const said = Promise.all([text(child.stdout), text(child.stderr)])
    expect(await once(child, 'close')).toEqual([0, null])
    expect(await said).toEqual(['committed\n', ''])
  }
})

/** What happens without a thread, and with one. */
async function onBoth<T>(act: (store: Store, look: (sql: string) => void) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (const options of [{ driver: Obeying }, { driver, writer: 'thread' as const }]) {
    const own = new TemporaryPlace()
    const store = await sqlite(own.path, options).open({})
    results.push(await act(store, (sql) => new Obeying(own.path).exec(sql).close()))
    await store.close()
    own.remove()
  }
  return results
}
