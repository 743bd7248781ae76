/** What a case has: a server at an address, and nothing else of it. */
import { isDeepStrictEqual } from 'node:util'
import type { ErrorCode, Json } from '@holdfast/protocol'

export interface Target {
  /** Where the server is, such as `http://localhost:4780`. */
  url: string
  /** A key that may read, write, answer and run, where the server asks for one. */
  key?: string
  /** Another way to send requests. */
  fetch?: (request: Request) => Response | Promise<Response>
}

export interface Reply {
  status: number
  headers: Headers
  text: string
  body: Answered
}

/** JSON as it came; a case says what it should be. */
export type Answered = Readonly<Record<string, Json | undefined>>

export interface Sent {
  body?: Json
  raw?: string
  headers?: Record<string, string>
  withoutKey?: boolean
}

export interface Frame {
  id?: string
  event?: string
  data?: string
}

export class Trial {
  readonly #target: Target
  readonly #patienceMs: number

  constructor(target: Target, patienceMs: number) {
    this.#target = target
    this.#patienceMs = patienceMs
  }

  get hasKey(): boolean {
    return this.#target.key !== undefined
  }

  async send(method: string, path: string, { body, raw, headers, withoutKey }: Sent = {}): Promise<Response> {
    const { url, key, fetch: send = (request) => fetch(request) } = this.#target
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const request = new Request(`${url.replace(/\/+$/, '')}${path}`, {
      method,
      headers: {
        ...(key !== undefined && !withoutKey && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent !== undefined && { body: sent }),
      signal: AbortSignal.timeout(this.#patienceMs),
    })
    return send(request)
  }

  async call(method: string, path: string, sent?: Sent): Promise<Reply> {
    const response = await this.send(method, path, sent)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    const body = (isJson && text !== '' ? JSON.parse(text) : {}) as Answered
    return { status: response.status, headers: response.headers, text, body }
  }

  /** The id of a new session. */
  async session(input: { [field: string]: Json } = {}): Promise<string> {
    const { status, body } = await this.call('POST', '/v1/sessions', {
      body: { agentId: 'conformance', ...input },
    })
    this.equal(status, 201, 'a session is made')
    return String(body.id)
  }

  append(sessionId: string, words: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call('POST', `/v1/sessions/${sessionId}/messages`, { body: userMessage(words), headers })
  }

  /** The next frames that carry something. The stream is left after so many, or cut after so many bytes. */
  async frames(
    sessionId: string,
    { after, count, bytes = Number.POSITIVE_INFINITY }: { after: string; count: number; bytes?: number },
  ): Promise<Frame[]> {
    const headers = { accept: 'text/event-stream', 'last-event-id': after }
    const response = await this.send('GET', `/v1/sessions/${sessionId}/events`, { headers })
    this.equal(response.status, 200, 'a stream is opened')
    return readFrames(response.body as ReadableStream<Uint8Array>, count, bytes)
  }

  equal(actual: unknown, expected: unknown, what: string): void {
    if (isDeepStrictEqual(actual, expected)) return
    throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`)
  }

  true(condition: boolean, what: string): void {
    if (!condition) throw new Error(what)
  }

  /** The answer is a problem with this code. */
  refused({ status, headers, body }: Reply, code: ErrorCode, expected: number): void {
    this.equal([status, body.code], [expected, code], 'a refusal')
    this.equal(body.status, expected, 'the status in the problem')
    this.true(
      headers.get('content-type')?.startsWith('application/problem+json') ?? false,
      'a problem has its media type',
    )
    this.equal(body.requestId, headers.get('x-request-id'), 'the request id of the problem')
    this.true(
      ['never', 'reload', 'later'].includes(body.retry as string),
      'a problem says whether to try again',
    )
  }
}

export function userMessage(words: string): Json {
  return { role: 'user', parts: [{ type: 'text', text: words }] }
}

async function readFrames(body: ReadableStream<Uint8Array>, count: number, bytes: number): Promise<Frame[]> {
  const reader = body.getReader()
  const utf8 = new TextDecoder()
  const frames: Frame[] = []
  let text = ''
  let left = bytes
  while (frames.length < count && left > 0) {
    const { value, done } = await reader.read()
    if (done) break
    text += utf8.decode(value.subarray(0, left), { stream: true })
    left -= value.byteLength
    for (let end = text.indexOf('\n\n'); end >= 0 && frames.length < count; end = text.indexOf('\n\n')) {
      const frame = frameOf(text.slice(0, end))
      if (frame.event !== undefined) frames.push(frame)
      text = text.slice(end + 2)
    }
  }
  await reader.cancel()
  return frames
}

function frameOf(text: string): Frame {
  return Object.fromEntries(
    text.split('\n').map((line) => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)]
    }),
  )
}
