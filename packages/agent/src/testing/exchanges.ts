/**
 * Real exchanges with a provider, kept in a file and played back: a `fetch` that records, and one that answers from the
 * file without a network. A line of the file is one exchange; no header of the request is in it, and secrets are taken out.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { HoldfastError } from '@holdfast/protocol'
import { redact, secretsOf } from './redact.ts'
import { whenRead } from './when-read.ts'

export type Fetch = typeof globalThis.fetch

/** One line of the file, as JSON. */
export interface RecordedExchange {
  v: 1
  method: string
  /** Without the host, which may have been a gateway with a name of its own. */
  path: string
  /** As it was sent. */
  request: string
  status: number
  headers: Record<string, string>
  /** The body, in the pieces in which it came. */
  pieces: string[]
  /** The body ended before its end: the connection broke, or the caller left. */
  cut?: true
}

export interface RecordOptions {
  file: string
  /** Default: the global one. */
  fetch?: Fetch
  /** More texts that must not be in the file; keys of the requests are known. */
  secrets?: readonly string[]
}

/** Goes to the network and adds each exchange to the file, before its body ends for the caller. */
export function recordExchanges({ file, fetch = globalThis.fetch, secrets = [] }: RecordOptions): Fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const sent = await request.clone().text()
    const response = await fetch(request)
    const hidden = [...secrets, ...secretsOf(request.headers)]
    const pieces: string[] = []
    const keep = (end: { cut?: true }) => {
      const exchange: RecordedExchange = {
        ...{ v: 1, method: request.method, path: pathOf(request.url), request: sent },
        ...{ status: response.status, headers: keptHeaders(response.headers), pieces, ...end },
      }
      return appendFile(file, `${redact(JSON.stringify(exchange), hidden)}\n`)
    }
    const { status, statusText, headers } = response
    return new Response(copied(response, pieces, keep), { status, statusText, headers: plain(headers) })
  }
}

/** The body for the caller; its text goes to `pieces` on the way. */
function copied(
  response: Response,
  pieces: string[],
  keep: (end: { cut?: true }) => Promise<void>,
): ReadableStream<Uint8Array> {
  const reader = (response.body ?? new Blob([]).stream()).getReader()
  const decoder = new TextDecoder()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) {
          pieces.push(decoder.decode(value, { stream: true }))
          return controller.enqueue(value)
        }
      } catch (error) {
        await keep({ cut: true })
        return controller.error(error)
      }
      await keep({})
      controller.close()
    },
    async cancel(reason) {
      await keep({ cut: true })
      await reader.cancel(reason)
    },
  })
}

export interface Replay {
  /** What the provider packages take as `fetch`. */
  fetch: Fetch
  /** Exchanges that nobody asked for yet. */
  readonly left: number
}

/**
 * Answers each request with the exchange that was recorded for the same one, in order. `not_found` for a request that
 * was not recorded, or not so often.
 */
export async function replayExchanges(file: string): Promise<Replay> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  const exchanges = lines.map((line) => JSON.parse(line) as RecordedExchange)
  return {
    get left() {
      return exchanges.length
    },
    async fetch(input, init) {
      const request = new Request(input, init)
      const [method, path] = [request.method, pathOf(request.url)]
      const sent = redact(await request.text(), secretsOf(request.headers))
      const at = exchanges.findIndex((one) => {
        return one.method === method && one.path === path && isSame(one.request, sent)
      })
      const [exchange] = at === -1 ? [] : exchanges.splice(at, 1)
      if (!exchange)
        throw new HoldfastError('not_found', `${file} has no answer left for this ${method} ${path}: ${sent}`)
      return new Response(played(exchange), { status: exchange.status, headers: exchange.headers })
    },
  }
}

function played({ pieces, cut }: RecordedExchange): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const left = [...pieces]
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const piece = left.shift()
    if (piece !== undefined) return controller.enqueue(encoder.encode(piece))
    if (!cut) return controller.close()
    await whenRead()
    controller.error(new TypeError('terminated: the recorded body was cut here'))
  }
  return new ReadableStream({ pull }, { highWaterMark: 0 })
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}

/** The same JSON, in whatever order its keys were written. */
function isSame(one: string, other: string): boolean {
  return one === other || sorted(one) === sorted(other)
}

function sorted(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_key, value: unknown) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    })
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

const kept = ['content-type', 'retry-after', 'retry-after-ms', 'x-request-id', 'request-id', 'x-scripted']

function keptHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => kept.includes(name)))
}

/** The body is already decoded: what told of its coding and length does not hold any more. */
function plain(headers: Headers): Headers {
  const left = new Headers(headers)
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) left.delete(name)
  return left
}
