/** One kept-alive connection that does as little as a client can, so that the server is what is measured. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Place {
  host: string
  port: number
}

/** The bytes of a request with a body of JSON. */
export function requestOf(
  method: string,
  path: string,
  body: string,
  headers: readonly string[] = [],
): Buffer {
  const length = Buffer.byteLength(body)
  const head = [
    `${method} ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    `content-length: ${length}`,
    ...headers,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const endOfHead = Buffer.from('\r\n\r\n')

export class Connection {
  readonly #socket: Socket
  #received: Buffer[] = []
  #answered: ((answer: string) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#failed?.(error))
    socket.on('close', () => this.#failed?.(new Error('the server closed the connection')))
  }

  static async open(place: Place): Promise<Connection> {
    const socket = connect({ ...place, noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  /** Gives the body of the answer; one request at a time. */
  send(request: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) throw new Error('the server closed the idle connection')
      this.#answered = resolve
      this.#failed = reject
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#failed = undefined
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    const all = this.#received.length === 1 ? chunk : Buffer.concat(this.#received)
    const end = all.indexOf(endOfHead)
    if (end < 0) return
    const head = all.toString('latin1', 0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
    if (all.length < end + 4 + length) return
    this.#received = []
    if (/^HTTP\/1.1 2/.test(head)) this.#answered?.(all.toString('utf8', end + 4))
    else this.#failed?.(new Error(head))
  }
}
