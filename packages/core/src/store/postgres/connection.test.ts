import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'
import { afterEach, expect, it } from 'vitest'
import { Connections } from './connection.ts'
import { describePostgres, freshSchema } from './testing/server.ts'

/** Another address of the server, which can be closed for new connections. */
class Door {
  readonly #server: Server
  readonly #sockets: Socket[] = []

  private constructor(url: URL) {
    this.#server = createServer((socket) => {
      const server = connect(Number(url.port), url.hostname)
      this.#sockets.push(socket, server)
      socket.on('error', () => server.destroy()).pipe(server)
      server.on('error', () => socket.destroy()).pipe(socket)
    })
  }

  static async open(url: URL): Promise<Door> {
    const door = new Door(url)
    await once(door.#server.listen(0, '127.0.0.1'), 'listening')
    return door
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  shut(): void {
    this.#server.close()
  }

  end(): void {
    this.shut()
    for (const socket of this.#sockets) socket.destroy()
  }
}

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
    const door = await Door.open(url)
    ends.push(() => door.end())
    const connections = connectionsTo(url.href.replace(url.host, `${door.host},${url.host}`))
    const before = await connections.lend()
    door.shut()
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
