/** A wire that stands between clients and a server on this machine, and does to what passes what it is told to. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What becomes of some bytes. `half`: the one who is to get them is told that there will be no more. */
export type Fate = { delayMs: number } | 'cut' | 'half'

/** Asked for all bytes that come at once. */
export type Fates = () => Fate

export class Link {
  readonly #server: Server
  readonly #port: number
  readonly #wires = new Set<Wire>()
  #fates: Fates

  private constructor(server: Server, port: number, fates: Fates) {
    this.#server = server
    this.#port = port
    this.#fates = fates
    server.on('connection', (client) => this.#join(client))
    server.listen(0, '127.0.0.1')
  }

  /** Before the server that listens on `port`. */
  static async open(port: number, fates: Fates): Promise<Link> {
    const link = new Link(createServer({ allowHalfOpen: true }), port, fates)
    await once(link.#server, 'listening')
    return link
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  urlOf(url: string): string {
    return url.replace(/@[^/]*/, `@127.0.0.1:${this.port}`)
  }

  /** From now on. */
  treat(fates: Fates): void {
    this.#fates = fates
  }

  /** Ends every connection; what is on its way arrives nowhere. */
  cut(): void {
    for (const wire of this.#wires) wire.cut()
  }

  /** Takes no new connection either. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true })
    const wire = new Wire(client, server, () => this.#fates())
    this.#wires.add(wire)
    wire.ended.then(() => this.#wires.delete(wire))
  }
}

class Wire {
  readonly ended: Promise<unknown>
  readonly #ends: readonly [client: Socket, server: Socket]
  readonly #fates: Fates

  constructor(client: Socket, server: Socket, fates: Fates) {
    this.#ends = [client, server]
    this.#fates = fates
    for (const end of this.#ends) end.setNoDelay().on('error', () => this.cut())
    this.#pass(client, server)
    this.#pass(server, client)
    this.ended = Promise.all(this.#ends.map((end) => new Promise((closed) => end.once('close', closed))))
  }

  cut(): void {
    for (const end of this.#ends) end.destroy()
  }

  /** In order, whatever is held up. */
  #pass(from: Socket, to: Socket): void {
    let line = Promise.resolve()
    from.on('data', (bytes) => {
      const fate = this.#fates()
      if (fate === 'cut') return this.cut()
      if (fate === 'half') return void to.end()
      const arriveAt = performance.now() + fate.delayMs
      line = line.then(async () => {
        await sleep(Math.max(0, arriveAt - performance.now()))
        if (to.writable) to.write(bytes)
      })
    })
    from.on('end', () => {
      line = line.then(() => void to.end())
    })
  }
}
