/**
 * Requests to the server: each with the key, tried again where that is safe. Every change carries an idempotency key, so a
 * request whose answer was lost is sent again and has one effect.
 */
import { type ErrorCode, errorCatalogue, HoldfastError, type Problem } from '@holdfast/protocol'
import { anything, having, isPage, jsonOf, parsed, type Shape, textOf, unreachable } from './answer.ts'
import { backOffMs, type Sleep } from './back-off.ts'

export type Fetch = (request: Request) => Response | Promise<Response>

export interface ClientOptions {
  /** Where the server is, such as `http://localhost:4780`; throws `invalid_input` without `http://` or `https://`. */
  url: string
  /** A key, `hf_…`, or a share token. */
  key?: string
  /** Another way to send requests: a server in this very process is `(request) => server.fetch(request)`. */
  fetch?: Fetch
  /** How often a request is sent again, after a pause of at least what the server says; default 4. */
  retries?: number
  /** Milliseconds of silence after which a stream is opened anew; default 60,000. */
  silenceMs?: number
  /** Waits; rejects when the signal aborts. */
  sleep?: Sleep
  /** In [0, 1). */
  random?: () => number
  /** A new idempotency key. */
  newKey?: () => string
}

/** What a caller may add to any request. */
export interface CallOptions {
  signal?: AbortSignal
}

/** What a caller may add to any change. */
export interface ChangeOptions extends CallOptions {
  /** Idempotency key; absent: a new one, which covers this call's own retries. */
  key?: string
  /** Refused as `version_conflict` unless the version is this one. */
  expectedVersion?: number
}

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** Of a file that is sent. A stream is read once: what fails of its request is not tried again. */
export type FileBytes = Uint8Array | Blob | ReadableStream<Uint8Array>

export interface Asked {
  query?: Query
  body?: unknown
  /** A body that is sent as it is. */
  file?: { bytes: FileBytes; mediaType: string }
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Failures that the same request may not meet again a moment later. */
const passing: readonly ErrorCode[] = [
  'server_unreachable',
  'server_busy',
  'server_draining',
  'reader_stalled',
  'store_busy',
  'store_unavailable',
  'commit_unknown',
  'contention',
  'rate_limited',
]

/** The longest that a limit by the minute asks for. What asks for more, as a limit by the day may, is not waited for. */
const longestPauseMs = 60_000

export function isPassing(error: unknown): boolean {
  return (
    error instanceof HoldfastError && passing.includes(error.code) && askedPauseMs(error) <= longestPauseMs
  )
}

/** Before the next try: at least what the server said. */
export function pauseMs(error: unknown, tries: number, random: () => number): number {
  return Math.max(backOffMs(tries, random), askedPauseMs(error))
}

function askedPauseMs(error: unknown): number {
  const secs = error instanceof HoldfastError ? error.details.retryAfterSecs : undefined
  return typeof secs === 'number' ? secs * 1_000 : 0
}

export class Http {
  readonly options: Required<Omit<ClientOptions, 'key'>> & { key: string | undefined }
  readonly #base: string

  constructor(options: ClientOptions & { sleep: Sleep; random: () => number; newKey: () => string }) {
    const { retries = 4, silenceMs = 60_000, key, fetch: send = (request) => fetch(request) } = options
    this.options = { ...options, retries, silenceMs, key: keyOf(key), fetch: send }
    this.#base = baseOf(options.url)
  }

  async get<T>(path: string, query?: Query, { signal }: CallOptions = {}, shape = anything): Promise<T> {
    return jsonOf<T>(await this.send('GET', path, { ...(query && { query }), signal }), shape)
  }

  getPage<T>(path: string, query?: Query, options?: CallOptions): Promise<T> {
    return this.get(path, query, options, isPage)
  }

  async getText(path: string, query?: Query, { signal }: CallOptions = {}): Promise<string> {
    return textOf(await this.send('GET', path, { ...(query && { query }), signal }))
  }

  async change<T>(
    method: Exclude<Method, 'GET'>,
    path: string,
    asked: Omit<Asked, 'headers' | 'signal'>,
    { key = this.options.newKey(), expectedVersion, signal }: ChangeOptions = {},
    shape: Shape = anything,
  ): Promise<T> {
    const headers: Record<string, string> = { 'idempotency-key': key }
    if (expectedVersion !== undefined) headers['if-match'] = `"${expectedVersion}"`
    return jsonOf<T>(await this.send(method, path, { ...asked, headers, signal }), shape)
  }

  /** Tries until there is an answer that another try would not change. */
  async send(method: Method, path: string, asked: Asked): Promise<Response> {
    const retries = asked.file?.bytes instanceof ReadableStream ? 0 : this.options.retries
    for (let tries = 0; ; tries++) {
      try {
        return await this.sendOnce(method, path, asked)
      } catch (error) {
        if (tries >= retries || !isPassing(error)) throw error
        await this.options.sleep(pauseMs(error, tries, this.options.random), asked.signal)
      }
    }
  }

  async sendOnce(method: Method, path: string, asked: Asked): Promise<Response> {
    const response = await this.#answer(this.#request(method, path, asked), asked.signal)
    if (response.ok) return response
    throw await errorOf(response)
  }

  async #answer(request: Request, signal: AbortSignal | undefined): Promise<Response> {
    try {
      return await this.options.fetch(request)
    } catch (cause) {
      if (signal?.aborted) throw signal.reason
      throw unreachable(cause)
    }
  }

  #request(method: Method, path: string, { query, body, file, headers, signal }: Asked): Request {
    const { key } = this.options
    const type = file?.mediaType ?? (body === undefined ? undefined : 'application/json')
    return new Request(`${this.#base}${path}${queryText(query)}`, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(type !== undefined && { 'content-type': type }),
        ...headers,
      },
      ...(file && { body: file.bytes as Exclude<FileBytes, Uint8Array> | Uint8Array<ArrayBuffer> }),
      ...(file?.bytes instanceof ReadableStream && { duplex: 'half' }),
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    })
  }
}

/** Throws `invalid_input` at once, where every request would fail as if there were no server. */
function baseOf(url: string): string {
  if (/^https?:\/\/[^/]/i.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '')
  const message = `url: ${JSON.stringify(url)} is no URL with http:// or https:// and a host, such as http://localhost:4780.`
  throw new HoldfastError('invalid_input', message)
}

/** What is refused by a header is refused without being shown, which its own error does. */
function keyOf(key: string | undefined): string | undefined {
  const given = key?.trim()
  if (given === undefined || /^[\x20-\x7e]*$/.test(given)) return given
  throw new HoldfastError('invalid_input', 'key: it has characters that no key has, and no header may have.')
}

function queryText(query: Query | undefined): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) given.set(name, typeof value === 'object' ? value.join(',') : String(value))
  }
  return given.size === 0 ? '' : `?${given}`
}

async function errorOf(response: Response): Promise<HoldfastError> {
  const text = await textOf(response)
  const asked = retryAfterOf(response)
  const problem = problemOf(response, text)
  if (problem) return problemError({ ...problem, details: { ...asked, ...problem.details } })
  const message = `status ${response.status}, and no answer of ours: is there something between?`
  const code = response.status >= 500 ? 'server_unreachable' : 'server_failed'
  return new HoldfastError(code, message, { details: asked })
}

/** Other servers have problems too. */
function problemOf({ headers, url }: Response, text: string): Problem | undefined {
  if (!headers.get('content-type')?.startsWith('application/problem+json')) return undefined
  try {
    return parsed<Problem>(text, having('code', 'detail'), url)
  } catch {
    return undefined
  }
}

/** A date is left out: it would be read by another clock than it was written by. */
function retryAfterOf({ headers }: Response): { retryAfterSecs?: number } {
  const said = headers.get('retry-after') ?? ''
  return /^\d+$/.test(said) ? { retryAfterSecs: Number(said) } : {}
}

/** The server's error as it was thrown there. A code that this version does not know is in the details. */
export function problemError({ code, detail, details, requestId }: Problem): HoldfastError {
  const facts = { ...details, ...(requestId !== undefined && { requestId }) }
  if (Object.hasOwn(errorCatalogue, code)) return new HoldfastError(code, detail, { details: facts })
  return new HoldfastError('server_failed', detail, { details: { ...facts, code } })
}
