/**
 * Streams straight to the socket, without a web stream between: what was encoded once is handed to every connection as it
 * is. Where the end of such an answer is the end of its connection, its bytes need no chunks around them.
 */
import type { ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { SendStream } from '../http/respond.ts'
import type { Sink } from '../streams/sink.ts'
import { Turns } from './turns.ts'

export function streamTo(response: ServerResponse): SendStream {
  return (stream, { status, headers }) => {
    if (stream.endsConnection) response.useChunkedEncodingByDefault = false
    response.writeHead(status, { ...headers, ...(stream.endsConnection && { connection: 'close' }) })
    response.flushHeaders()
    const sink = new Connection(response)
    response.on('close', () => {
      stream.leave()
      sink.release()
    })
    void stream.sendTo(sink)
    return RESPONSE_ALREADY_SENT
  }
}

/** Writes to that many sockets take about two milliseconds. */
const turns = new Turns(200)

class Connection implements Sink {
  readonly #response: ServerResponse
  #turn: Promise<void> | undefined
  #taken: (() => void) | undefined

  constructor(response: ServerResponse) {
    this.#response = response
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    const turn = turns.next()
    if (!turn) return this.#write(chunk)
    this.#turn = turn.then(() => {
      this.#turn = undefined
      return this.#write(chunk)
    })
    return this.#turn
  }

  #write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#response.write(chunk) || this.#response.destroyed) return undefined
    return new Promise((resolve) => {
      this.#taken = resolve
      this.#response.once('drain', () => this.release())
    })
  }

  /** After what is still to be written. */
  end(): void {
    if (this.#turn) void this.#turn.then(() => this.#response.end())
    else this.#response.end()
  }

  breakOff(): void {
    this.#response.destroy()
  }

  release(): void {
    this.#taken?.()
    this.#taken = undefined
  }
}
