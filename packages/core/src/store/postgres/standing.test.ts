import { type TenantId, tenantId } from '@holdfast/protocol'
import type pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import type { PgWire } from './driver.ts'
import { TemporaryPlace } from './testing/place.ts'
import { Pooler } from './testing/pooler.ts'
import { describePostgres, freshSchema } from './testing/server.ts'
import { tapped } from './testing/tapped.ts'

const one = tenantId('one')
const other = tenantId('other')

/** Sessions of a store, each with the seq that it is at. */
class Logs {
  readonly #store: Store
  readonly #seqs = new Map<string, number>()

  constructor(store: Store) {
    this.#store = store
  }

  async append(tenant: TenantId, sessionId = `of-${tenant}`): Promise<void> {
    const name = `${tenant}/${sessionId}`
    const baseSeq = this.#seqs.get(name) ?? 0
    const commit = commitOf({ tenantId: tenant, sessionId, baseSeq, create: baseSeq === 0 })
    const [outcome] = await this.#store.commit([commit])
    expect(outcome?.status).toBe('committed')
    this.#seqs.set(name, baseSeq + commit.events.length)
  }

  async expectWhole(): Promise<void> {
    for (const [name, seq] of this.#seqs) {
      const [tenant, sessionId] = name.split('/') as [TenantId, string]
      const range = { limit: 1_000, maxBytes: 1e6, direction: 'forward' } as const
      expect((await this.#store.readEvents(tenant, sessionId, range)).length).toBe(seq)
    }
  }
}

/** How many statements each flush had that moved a session, and the clients that it was sent by. */
function listening() {
  const moves: number[] = []
  const clients = new Set<pg.Client>()
  const driver = tapped((client) => {
    clients.add(client)
    const texts = new Map<string, string>()
    const note = (sent: readonly string[]) => {
      if (sent.some((sql) => sql.includes('moved AS ('))) moves.push(sent.length)
    }
    return { text: (sql) => sql, wire: (wire) => wireOf(wire, texts, note) }
  })
  return { driver, moves, clients }
}

const sync = Buffer.from('S\0\0\0\x04', 'latin1')

/** Prepared texts go into `texts` by their names; `note` is told the texts that a flush has bound. */
function wireOf(wire: PgWire, texts: Map<string, string>, note: (sent: readonly string[]) => void): PgWire {
  const sent: string[] = []
  const parse: PgWire['parse'] = (message) => {
    texts.set(message.name, message.text)
    wire.parse(message)
  }
  const write = (message: Uint8Array) => {
    const bytes = Buffer.from(message)
    // `Bind`: its length, the unnamed portal, the name of the statement.
    sent.push(texts.get(bytes.toString('latin1', 6, bytes.indexOf(0, 6))) ?? '')
    if (bytes.subarray(-sync.length).equals(sync)) note(sent)
    return wire.stream.write(message)
  }
  const stream = Object.create(wire.stream, { write: { value: write } })
  return Object.create(wire, { parse: { value: parse }, stream: { value: stream } })
}

/** A commit on Citus is a transaction of several statements, each time with its settings. */
const isDistributed = process.env.HOLDFAST_TEST_DISTRIBUTED !== undefined

describePostgres('what is set on a connection', () => {
  let place: TemporaryPlace
  beforeEach(() => {
    place = new TemporaryPlace()
  })
  afterEach(() => place.remove())

  it.skipIf(isDistributed)('stays from one commit of a tenant to the next', async () => {
    const { driver, moves } = listening()
    const logs = new Logs(await place.open(() => 1_000, { driver, connections: 1 }))
    const statementsFor = async (tenant: TenantId) => {
      moves.length = 0
      await logs.append(tenant)
      return moves
    }
    for (const tenant of [one, one, other]) await logs.append(tenant)
    expect(await statementsFor(other)).toEqual([2])
    expect(await statementsFor(other)).toEqual([1])
    expect(await statementsFor(one)).toEqual([2])
    expect(await statementsFor(one)).toEqual([1])
    await logs.expectWhole()
  })

  it.skipIf(isDistributed)('stays when a commit is refused', async () => {
    const { driver, moves } = listening()
    const store = await place.open(() => 1_000, { driver, connections: 1 })
    const logs = new Logs(store)
    for (let n = 0; n < 3; n += 1) await logs.append(one)
    const [refused] = await store.commit([commitOf({ tenantId: one, sessionId: `of-${one}`, baseSeq: 1 })])
    expect(refused?.status).toBe('conflict')
    moves.length = 0
    await logs.append(one)
    expect(moves).toEqual([1])
  })

  it.skipIf(isDistributed)('is not relied on any more where somebody else has set it', async () => {
    const { driver, moves, clients } = listening()
    const logs = new Logs(await place.open(() => 1_000, { driver, connections: 1 }))
    const statements = async () => {
      moves.length = 0
      await logs.append(one)
      return moves
    }
    for (let n = 0; n < 3; n += 1) await logs.append(one)
    expect(await statements()).toEqual([1])
    for (const client of clients) await client.query('RESET ROLE; RESET ALL')
    // The first finds no row, and is judged with its settings in its own transaction.
    expect((await statements())[0]).toBe(1)
    expect(await statements()).toEqual([2])
    expect(await statements()).toEqual([2])
    await logs.expectWhole()
  })

  it('is not left behind by a read or a transaction of another tenant', async () => {
    const store = await place.open(() => 1_000, { connections: 1 })
    const logs = new Logs(store)
    for (let n = 0; n < 3; n += 1) await logs.append(one)
    expect(await store.readHead(other, `of-${one}`)).toBeUndefined()
    await store.putRecord(other, { kind: 'k', id: 'i', key: undefined, body: '1' }, 0)
    await logs.append(one)
    expect((await store.readRecord(other, 'k', 'i'))?.body).toBe('1')
    await logs.expectWhole()
  })
})

describePostgres('behind a pooler that hands a connection to another after each transaction', () => {
  let pooler: Pooler
  let place: TemporaryPlace
  afterEach(async () => {
    await place.remove()
    await pooler.close()
  })

  const open = async (options: { isCandid: boolean }) => {
    const { url } = freshSchema()
    pooler = await Pooler.open(url, options)
    place = new TemporaryPlace({ url: pooler.urlOf(url) })
    return place.open(() => 1_000, { connections: 2 })
  }

  it('nothing stays set', async () => {
    const store = await open({ isCandid: false })
    const logs = new Logs(store)
    for (let n = 0; n < 12; n += 1) await logs.append(n % 2 === 0 ? one : other)
    await logs.expectWhole()
    await store.close()
    const left = `SELECT coalesce(nullif(current_setting('holdfast.tenant', true), ''), current_setting('role'))`
    expect(await pooler.askEach(left)).toEqual(['none', 'none', 'none'])
  })

  it.skipIf(isDistributed)(
    'that names a process of the server every commit is written, and once',
    async () => {
      const store = await open({ isCandid: true })
      const logs = new Logs(store)
      for (let n = 0; n < 24; n += 1) await logs.append(n % 3 === 0 ? other : one, `s${n % 2}`)
      await logs.expectWhole()
      await store.close()
      const marks = await pooler.askEach(`SELECT current_setting('holdfast.standing', true)`)
      expect(marks.join('')).not.toBe('')
    },
  )
})
