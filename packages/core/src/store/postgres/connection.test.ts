import pg from 'pg'
import { afterEach, expect, it } from 'vitest'
import { Connections } from './connection.ts'
import { Pooler } from './testing/pooler.ts'
import { describePostgres, freshSchema } from './testing/server.ts'

describePostgres('connections', () => {
  const ends: (() => void | Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  const connectionsTo = (url: string) => {
    const place = {
      driver: pg,
      url,
      schema: 's',
      connections: 2,
      deadlineMs: undefined,
      keepsStatements: true,
    }
    const connections = new Connections(place)
    ends.push(() => connections.close())
    return connections
  }

  it('of the host that takes writes now are lent, not the kept one of another', async () => {
    const url = new URL(freshSchema().url)
    const other = await Pooler.open(url.href)
    ends.push(() => other.close())
    const hosts = `${new URL(other.urlOf(url.href)).host},${url.host}`
    const connections = connectionsTo(url.href.replace(url.host, hosts))
    const before = await connections.lend()
    other.shut()
    const after = await connections.lend()
    after.giveBack(undefined)
    before.giveBack(undefined)
    const next = connections.lendKept()
    next?.giveBack(undefined)
    expect(next?.client).toBe(after.client)
    expect(next?.client).not.toBe(before.client)
  })

  it('that are free are lent to two at once', async () => {
    const connections = connectionsTo(freshSchema().url)
    for (const loan of [await connections.lend(), await connections.lend()]) loan.giveBack(undefined)
    const loans = await Promise.all([connections.lend(), connections.lend()])
    for (const { giveBack } of loans) giveBack(undefined)
    expect(new Set(loans.map(({ client }) => client)).size).toBe(2)
  })

  it('that were asked for nothing answer nothing', async () => {
    const connections = connectionsTo(freshSchema().url)
    expect(await connections.use((connection) => connection.flush([]))).toEqual([])
  })
})
