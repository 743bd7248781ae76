/** An answer on its way, which may end early: cut off, or never finished while the connection stays. */
import type { ServerResponse } from 'node:http'
import type { Json } from '@holdfast/protocol'
import type { SseEvent } from './wires/wire.ts'

/** Where the body ends before its end. */
export interface EarlyEnd {
  type: 'cut' | 'hang'
  afterBytes: number
}

export class Sending {
  readonly #response: ServerResponse
  readonly #pause: (() => Promise<void>) | undefined
  #sent = 0

  constructor(response: ServerResponse, pause?: () => Promise<void>) {
    this.#response = response
    this.#pause = pause
  }

  async json(
    status: number,
    body: Json,
    headers: Record<string, string> = {},
    end?: EarlyEnd,
  ): Promise<void> {
    const text = JSON.stringify(body)
    this.#begin(status, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      ...headers,
    })
    if (await this.#write(text, end)) this.#response.end()
  }

  async events(events: readonly SseEvent[], end?: EarlyEnd): Promise<void> {
    this.#begin(200, { 'content-type': 'text/event-stream' })
    for (const event of events) {
      await this.#pause?.()
      if (this.#response.destroyed || !(await this.#write(textOfEvent(event), end))) return
    }
    this.#response.end()
  }

  #begin(status: number, headers: Record<string, string>): void {
    this.#response.writeHead(status, { 'x-scripted': 'true', 'x-request-id': 'req_scripted', ...headers })
    this.#response.flushHeaders()
  }

  /** False: the body ended here. */
  async #write(text: string, end: EarlyEnd | undefined): Promise<boolean> {
    const bytes = Buffer.from(text)
    const room = (end?.afterBytes ?? Number.POSITIVE_INFINITY) - this.#sent
    const piece = bytes.subarray(0, room)
    this.#sent += piece.length
    if (piece.length > 0) await new Promise<void>((resolve) => this.#response.write(piece, () => resolve()))
    if (piece.length === bytes.length && this.#sent < (end?.afterBytes ?? Number.POSITIVE_INFINITY))
      return true
    if (end?.type === 'cut') this.#response.destroy()
    return false
  }
}

function textOfEvent({ event, data }: SseEvent): string {
  const text = data === '[DONE]' ? data : JSON.stringify(data)
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`
}
