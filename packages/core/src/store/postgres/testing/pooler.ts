/**
 * A stand-in for a transaction pooler: each transaction goes to another connection of the server than the client's last
 * one did. Statements that a client has prepared are prepared where they are missing; nothing else is carried along.
 * It speaks the little of the protocol that `pg` and the store do, to a server that asks for no password.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

interface Message {
  type: string
  body: Buffer
}

const connections = 3
const madeUp = 2 ** 30

interface PoolerOptions {
  /** It does not carry prepared statements along either. */
  isPlain?: boolean
  /** It tells the number of a process of the server at login, as no pooler should: others get that process too. */
  isCandid?: boolean
}

export class Pooler {
  readonly isPlain: boolean
  readonly #isCandid: boolean
  readonly #server: Server
  readonly #closed: Promise<unknown>
  readonly #backends: Backend[]
  readonly #waiting: Client[] = []

  private constructor(server: Server, backends: Backend[], { isPlain, isCandid }: Required<PoolerOptions>) {
    this.isPlain = isPlain
    this.#isCandid = isCandid
    this.#server = server
    this.#closed = once(server, 'close')
    this.#backends = backends
    for (const backend of backends) backend.onIdle = () => this.#waiting.shift()?.serve()
    let clients = 0
    server.on('connection', (socket) => {
      clients += 1
      new Client(socket, this, clients)
    })
    server.listen(0, '127.0.0.1')
  }

  static async open(url: string, { isPlain = false, isCandid = false }: PoolerOptions = {}): Promise<Pooler> {
    const backends = await Promise.all(Array.from({ length: connections }, () => Backend.open(url, isPlain)))
    const pooler = new Pooler(createServer(), backends, { isPlain, isCandid })
    await once(pooler.#server, 'listening')
    return pooler
  }

  urlOf(url: string): string {
    const pooled = new URL(url)
    pooled.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return pooled.href
  }

  /** What the server says at login, with the number of a process that is none of the server's. */
  get greeting(): Buffer {
    const [first] = this.#backends as [Backend]
    return this.#isCandid ? first.greeting : withProcess(first.greeting, madeUp)
  }

  /** Of its own, on each of its connections: no client may have one meanwhile. */
  async askEach(sql: string): Promise<string[]> {
    return Promise.all(this.#backends.map((backend) => backend.ask(sql)))
  }

  /** One that is free, the one that has rested longest; undefined when `client` has to wait. */
  take(client: Client): Backend | undefined {
    const at = this.#backends.findIndex((backend) => !backend.client)
    const [backend] = at < 0 ? [] : this.#backends.splice(at, 1)
    if (backend) this.#backends.push(backend)
    else this.#waiting.push(client)
    return backend
  }

  /** Takes no new clients. */
  shut(): void {
    this.#server.close()
  }

  async close(): Promise<void> {
    for (const { socket } of this.#backends) socket.destroy()
    this.shut()
    await this.#closed
  }
}

class Backend {
  readonly socket: Socket
  greeting: Buffer = Buffer.alloc(0)
  client: Client | undefined
  onIdle: () => void = () => {}
  #asking: ((message: Message) => void) | undefined
  readonly #isPlain: boolean
  readonly #prepared = new Set<string>()
  /** For each statement that is being prepared: its name, and whether the client asked for it now. */
  #preparing: { name: string; isAsked: boolean }[] = []

  private constructor(socket: Socket, isPlain: boolean) {
    this.socket = socket.setNoDelay()
    this.#isPlain = isPlain
  }

  static async open(url: string, isPlain: boolean): Promise<Backend> {
    const { hostname, port, username, pathname } = new URL(url)
    const backend = new Backend(connect(Number(port), hostname), isPlain)
    const login = Buffer.from(`\0\x03\0\0user\0${username}\0database\0${pathname.slice(1)}\0\0`, 'latin1')
    backend.socket.write(Buffer.concat([int32(login.length + 4), login]))
    const said: Buffer[] = []
    await new Promise<void>((resolve, reject) => {
      backend.socket.on('error', reject)
      onMessages(backend.socket, (message) => {
        if (backend.client || backend.greeting.length > 0) return backend.#take(message)
        if (message.type === 'E') return reject(new Error(message.body.toString()))
        said.push(written(message))
        if (message.type !== 'Z') return
        backend.greeting = Buffer.concat(said)
        resolve()
      })
    })
    return backend
  }

  /** A statement of a name is known by the client's number as well. */
  send(client: Client, messages: readonly Message[]): void {
    this.client = client
    for (const { type, body } of messages) {
      if (type === 'P') this.#prepare(client.renamed(body, 0), true)
      else if (type === 'B') this.#bind(client, body)
      else this.socket.write(written({ type, body }))
    }
  }

  /** The value that a query gives, or an empty text. */
  ask(sql: string): Promise<string> {
    return new Promise((resolve) => {
      let value = ''
      this.#asking = ({ type, body }) => {
        if (type === 'D') value = body.toString('utf8', 6)
        if (type !== 'Z') return
        this.#asking = undefined
        resolve(value)
      }
      this.socket.write(written({ type: 'Q', body: Buffer.from(`${sql}\0`) }))
    })
  }

  #bind(client: Client, body: Buffer): void {
    const statement = body.indexOf(0) + 1
    const parse = client.parseOf(body, statement)
    if (parse && !this.#isPlain && !this.#prepared.has(nameAt(parse, 0))) this.#prepare(parse, false)
    this.socket.write(written({ type: 'B', body: client.renamed(body, statement) }))
  }

  #prepare(body: Buffer, isAsked: boolean): void {
    const name = nameAt(body, 0)
    if (name) this.#prepared.add(name)
    this.#preparing.push({ name, isAsked })
    this.socket.write(written({ type: 'P', body }))
  }

  #take(message: Message): void {
    if (this.#asking) this.#asking(message)
    else this.#answer(message)
  }

  #answer(message: Message): void {
    if (message.type === '1' && this.#preparing.shift()?.isAsked === false) return
    this.client?.socket.write(written(message))
    if (message.type !== 'Z') return
    for (const { name } of this.#preparing) this.#prepared.delete(name)
    this.#preparing = []
    if (message.body.toString() !== 'I') return
    this.client?.leave()
    this.client = undefined
    this.onIdle()
  }
}

class Client {
  readonly socket: Socket
  readonly #pooler: Pooler
  readonly #number: number
  readonly #parses = new Map<string, Buffer>()
  readonly #batches: Message[][] = []
  #batch: Message[] = []
  #backend: Backend | undefined
  #isWaiting = false

  constructor(socket: Socket, pooler: Pooler, number: number) {
    this.#number = number
    this.socket = socket.setNoDelay()
    this.#pooler = pooler
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(pooler.greeting)
      onMessages(socket, (message) => this.#take(message))
    })
  }

  renamed(body: Buffer, at: number): Buffer {
    const name = nameAt(body, at)
    if (!name || this.#pooler.isPlain) return body
    const renamed = Buffer.concat([
      body.subarray(0, at),
      Buffer.from(`c${this.#number}_${name}`),
      body.subarray(body.indexOf(0, at)),
    ])
    if (at === 0) this.#parses.set(name, renamed)
    return renamed
  }

  parseOf(body: Buffer, at: number): Buffer | undefined {
    return this.#parses.get(nameAt(body, at))
  }

  serve(): void {
    this.#isWaiting = false
    this.#next()
  }

  leave(): void {
    this.#backend = undefined
    this.#next()
  }

  #take(message: Message): void {
    if (message.type === 'X') return void this.socket.end()
    this.#batch.push(message)
    if (!['S', 'Q'].includes(message.type)) return
    this.#batches.push(this.#batch)
    this.#batch = []
    this.#next()
  }

  #next(): void {
    if (this.#isWaiting || this.#batches.length === 0) return
    this.#backend ??= this.#pooler.take(this)
    this.#isWaiting = !this.#backend
    if (this.#backend) this.#backend.send(this, this.#batches.shift() ?? [])
  }
}

function onMessages(socket: Socket, take: (message: Message) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = rest.readInt32BE(1) + 1
      take({ type: rest.toString('latin1', 0, 1), body: Buffer.from(rest.subarray(5, end)) })
      rest = rest.subarray(end)
    }
  })
}

function written({ type, body }: Message): Buffer {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

/** `BackendKeyData` is the one message of a greeting that names a process. */
function withProcess(greeting: Buffer, process: number): Buffer {
  const made = Buffer.from(greeting)
  let at = 0
  while (made.toString('latin1', at, at + 1) !== 'K') at += 1 + made.readInt32BE(at + 1)
  made.writeInt32BE(process, at + 5)
  return made
}

function int32(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeInt32BE(value)
  return out
}

function nameAt(body: Buffer, at: number): string {
  return body.toString('utf8', at, body.indexOf(0, at))
}
