import { type TenantId, tenantId } from '@holdfast/protocol'
import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import type { PgModule, PgPoolConfig } from './driver.ts'
import { TemporaryPlace } from './testing/place.ts'
import { Pooler } from './testing/pooler.ts'
import { describePostgres, freshSchema } from './testing/server.ts'

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

/** What the store sends in each flush, by the number of its statements, and the clients that it sends by. */
function listening() {
  const statements: number[] = []
  const clients = new Set<pg.Client>()
  class Client extends pg.Client {
    // biome-ignore lint/suspicious/noExplicitAny: `pg` declares one member with seven signatures
    override query(what: any): any {
      clients.add(this)
      return super.query(typeof what === 'string' ? what : counted(what))
    }
  }
  // biome-ignore lint/suspicious/noExplicitAny: what is submitted is told by the members that are called
  const counted = (submittable: any) => {
    const submit = submittable.submit.bind(submittable)
    submittable.submit = (wire: { stream: { write(message: Buffer): unknown } }) => {
      let sent = 0
      const stream = Object.create(wire.stream, {
        write: {
          value(message: Buffer) {
            if (message[0] === 'B'.charCodeAt(0)) sent += 1
            return wire.stream.write(message)
          },
        },
      })
      submit(Object.create(wire, { stream: { value: stream } }))
      statements.push(sent)
    }
    return submittable
  }
  const driver: PgModule = {
    Pool: class extends pg.Pool {
      constructor(config: PgPoolConfig) {
        super({ ...config, Client } as PgPoolConfig)
      }
    },
  }
  return { driver, statements, clients }
}

describePostgres('what is set on a connection', () => {
  let place: TemporaryPlace
  beforeEach(() => {
    place = new TemporaryPlace()
  })
  afterEach(() => place.remove())

  it('stays from one commit of a tenant to the next', async () => {
    const { driver, statements } = listening()
    const logs = new Logs(await place.open(() => 1_000, { driver, connections: 1 }))
    await logs.append(one)
    const sentFor = async (tenant: TenantId) => {
      statements.length = 0
      await logs.append(tenant)
      return statements.filter((sent) => sent > 0).at(-1)
    }
    await sentFor(one)
    expect(await sentFor(one)).toBe(1)
    await logs.append(other)
    expect(await sentFor(other)).toBe(2)
    expect(await sentFor(other)).toBe(1)
    expect(await sentFor(one)).toBe(2)
    await logs.expectWhole()
  })

  it('is set anew where it was lost, and nothing is written without it', async () => {
    const { driver, clients, statements } = listening()
    const logs = new Logs(await place.open(() => 1_000, { driver, connections: 1 }))
    const sentFor = async () => {
      statements.length = 0
      await logs.append(one)
      return statements.filter((sent) => sent > 0)
    }
    for (let n = 0; n < 3; n += 1) await logs.append(one)
    expect(await sentFor()).toEqual([1])
    for (const client of clients) await client.query('RESET ROLE; RESET ALL')
    // The first finds no row, and is judged with its settings in its own transaction.
    expect((await sentFor()).length).toBeGreaterThan(1)
    expect(await sentFor()).toEqual([2])
    expect(await sentFor()).toEqual([1])
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
    const logs = new Logs(await open({ isCandid: false }))
    for (let n = 0; n < 12; n += 1) await logs.append(n % 2 === 0 ? one : other)
    await logs.expectWhole()
    const left = `SELECT coalesce(nullif(current_setting('holdfast.tenant', true), ''), current_setting('role'))`
    expect(await pooler.askEach(left)).toEqual(['none', 'none', 'none'])
  })

  it('that names a process of the server every commit is written, and once', async () => {
    const logs = new Logs(await open({ isCandid: true }))
    for (let n = 0; n < 24; n += 1) await logs.append(n % 3 === 0 ? other : one, `s${n % 2}`)
    await logs.expectWhole()
  })
})
