/** Requests that are sent until there is an answer which another try would not change, as a careful caller does. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Answered {
  status: number
  text: string
  /** The answer was given before. */
  isReplayed: boolean
}

const passing = [429, 502, 503, 507]
const againMs = 10

export class Web {
  readonly #url: string
  readonly #key: string

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  async send(method: string, path: string, idempotencyKey: string, body?: unknown): Promise<Answered> {
    const isText = typeof body === 'string'
    const headers = {
      authorization: `Bearer ${this.#key}`,
      'idempotency-key': idempotencyKey,
      ...(body !== undefined && { 'content-type': isText ? 'text/plain' : 'application/json' }),
    }
    const sent = body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }
    for (;;) {
      const answer = await this.#tried(path, { method, headers, ...sent })
      if (answer && !passing.includes(answer.status)) return answer
      await sleep(againMs)
    }
  }

  /** Throws what is refused. */
  async change(method: string, path: string, body?: unknown): Promise<unknown> {
    const { status, text } = await this.send(method, path, randomUUID(), body)
    if (status < 300) return JSON.parse(text)
    throw new Error(`${method} ${path}: ${text}`)
  }

  async text(path: string): Promise<string> {
    return (await this.send('GET', path, randomUUID())).text
  }

  async get(path: string): Promise<unknown> {
    return JSON.parse(await this.text(path))
  }

  async #tried(path: string, request: RequestInit): Promise<Answered | undefined> {
    try {
      const response = await fetch(`${this.#url}${path}`, request)
      const isReplayed = response.headers.has('idempotency-replayed')
      return { status: response.status, text: await response.text(), isReplayed }
    } catch (error) {
      // While the server restarts nobody listens, and an answer that was waited for breaks off.
      if (error instanceof TypeError) return undefined
      throw error
    }
  }
}
