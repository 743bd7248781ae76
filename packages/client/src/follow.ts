/**
 * Following a session through drops and restarts: the stream is opened anew from the last cursor, as often as it takes. An
 * item is given once, and its cursor counts as seen from then on.
 */
import { HoldfastError, type Problem, type SessionEvent } from '@holdfast/protocol'
import { requireType, unreachable } from './answer.ts'
import { type Frame, readFrames } from './frames.ts'
import { type Http, isPassing, pauseMs, problemError, type Query } from './http.ts'

export interface FollowOptions {
  /** A cursor: what comes after it. Absent: from the beginning. */
  after?: string
  /** Only these types; `message.*` is all that begin so. */
  types?: readonly string[]
  /** Also what is below the session, now and later; cursors are of the whole tree. */
  children?: boolean
  signal?: AbortSignal
}

export type Followed =
  | { type: 'event'; cursor: string; event: SessionEvent }
  | {
      type: 'draft'
      cursor: string
      draft: { draftId: string; chunk: number; kind: 'text' | 'reasoning'; text: string }
    }
  | { type: 'draft.reset'; cursor: string; draftId: string }

/** An item of a session or of one below it. An event has its `sessionId` too. */
export type FollowedInTree = Followed & { sessionId: string }

/** Ends when the signal aborts; throws what another try would not change, such as `not_found`. */
export async function* follow(
  http: Http,
  path: string,
  { after, signal }: Pick<FollowOptions, 'after' | 'signal'>,
  query: Query,
): AsyncGenerator<Followed, void, void> {
  let cursor = after
  let tries = 0
  while (!signal?.aborted) {
    let failure: unknown
    try {
      for await (const item of onceThrough(http, path, { after: cursor, query, signal })) {
        tries = 0
        cursor = item.cursor
        yield item
        if (signal?.aborted) return
      }
    } catch (error) {
      if (signal?.aborted) return
      if (!isPassing(error)) throw error
      failure = error
    }
    await paused(http, pauseMs(failure, tries++, http.options.random), signal)
  }
}

async function paused(http: Http, ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await http.options.sleep(ms, signal)
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}

interface Place {
  after: string | undefined
  query: Query
  signal: AbortSignal | undefined
}

async function* onceThrough(
  http: Http,
  path: string,
  { after, query, signal }: Place,
): AsyncGenerator<Followed, void, void> {
  const headers = { accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) }
  const answer = await http.sendOnce('GET', path, { query, headers, signal })
  requireType(answer, 'text/event-stream')
  const { body } = answer
  if (!body) throw new HoldfastError('server_failed', 'the stream has no body.')
  const read = readWithin(http.options.silenceMs, signal)
  for await (const frame of readFrames(body, read)) {
    const item = itemOf(frame)
    if (item) yield item
  }
}

/** A connection may be gone without a word: the server speaks more often than this. */
function readWithin(silenceMs: number, signal: AbortSignal | undefined) {
  return async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let stop: (() => void) | undefined
    const ended = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unreachable(new Error(`silent for ${silenceMs} ms`))), silenceMs)
      stop = () => reject(signal?.reason)
      signal?.addEventListener('abort', stop)
    })
    try {
      return await Promise.race([reader.read(), ended])
    } catch (error) {
      throw error instanceof HoldfastError ? error : unreachable(error)
    } finally {
      clearTimeout(timer)
      if (stop) signal?.removeEventListener('abort', stop)
    }
  }
}

/** Undefined for what only keeps the stream alive. */
function itemOf({ id, event, data = '' }: Frame): Followed | undefined {
  if (event === undefined) return undefined
  if (event === 'error') throw problemError(JSON.parse(data) as Problem)
  if (id === undefined) throw new HoldfastError('server_failed', `a frame of ${event} has no cursor.`)
  const content = JSON.parse(data)
  return { ...contentOf(event, content), cursor: id, ...whose(content) } as Followed
}

function contentOf(event: string, content: { draftId?: string }): object {
  if (event === 'draft') return { type: 'draft', draft: content }
  if (event === 'draft.reset') return { type: 'draft.reset', draftId: content.draftId }
  return { type: 'event', event: content }
}

function whose({ sessionId }: { sessionId?: string }): { sessionId?: string } {
  return sessionId === undefined ? {} : { sessionId }
}
