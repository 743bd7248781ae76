/** A session's log: as a page, as a page that waits for the next event, or as a live stream, from the same cursor. */
import type { EventTextPage, Followed } from '@holdfast/core'
import { decodeCursor, encodeCursor, envelope, HoldfastError, pageOf, treeEvent } from '@holdfast/protocol'
import { z } from 'zod'
import type { Answer } from '../answer.ts'
import { flag, limit, several, whole, word } from '../http/query.ts'
import { checkServerLimit, serverLimits } from '../limits.ts'
import { type Call, route } from '../route.ts'
import { EventStream } from '../streams/event-stream.ts'
import { Tree } from '../streams/tree.ts'
import { TreeCursor } from '../streams/tree-cursor.ts'

const query = {
  after: word(z.string(), 'a cursor: what comes after it; `Last-Event-ID` says the same and wins'),
  limit,
  wait: whole(`seconds to wait when there is nothing yet; ${serverLimits.waitSecs} at most`),
  types: several(
    z.string().min(1),
    'only events of these types; `message.*` is all that begin so. Not for pages',
  ),
  children: flag(
    'also of all sessions below it: each event has its `sessionId`, and cursors are of the whole tree',
  ),
}

export const eventRoutes = [
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/events',
    summary: 'The log: a page as JSON, a live stream with drafts as `text/event-stream`',
    scope: 'read',
    reach: 'session',
    query,
    answer: z.union([pageOf(envelope), pageOf(treeEvent)]),
    streams: true,
    codes: ['invalid_cursor'],
    handle: (call) => {
      const after = call.request.headers.get('last-event-id') ?? call.query.after ?? '0'
      if (wantsStream(call.request)) return streamed(call, after)
      return call.query.children ? treePaged(call, after) : paged(call, after)
    },
  }),
]

type EventCall = Call<{ limit?: number; wait?: number; types?: string[]; children?: boolean }, undefined>

export const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'x-accel-buffering': 'no',
}

export function wantsStream(request: Request): boolean {
  return request.headers.get('accept')?.includes('text/event-stream') ?? false
}

function requirePage({ query: { wait = 0, types } }: EventCall): void {
  if (types) throw new HoldfastError('invalid_input', 'types: only for a stream.')
  checkServerLimit('waitSecs', wait, 'wait')
}

async function paged(call: EventCall, after: string): Promise<Answer> {
  requirePage(call)
  const { wait = 0, limit } = call.query
  const from = decodeCursor(after).seq
  const options = { after: from, ...(limit !== undefined && { limit }) }
  const first = await call.session.eventTexts(options)
  if (first.texts.length > 0) return pageText(first)
  await requireWithin(call, from)
  if (wait === 0) return pageText(first)
  const signal = untilLate(call, wait)
  await nextEvent(call.session.followBatches({ after: String(from), signal }))
  return pageText(await call.session.eventTexts(options))
}

/** Written out from the stored texts, none of which is parsed. */
function pageText({ texts, more }: EventTextPage): Answer {
  const last = texts.at(-1)
  const next = more && last ? `"${encodeCursor({ seq: last.seq })}"` : 'null'
  return { status: 200, text: `{"data":[${texts.map(({ text }) => text).join(',')}],"next":${next}}` }
}

/** Its `next` is where the reader stands, also when there is nothing more. */
async function treePaged(call: EventCall, after: string): Promise<Answer> {
  requirePage(call)
  const { wait = 0, limit } = call.query
  const first = await (await treeOf(call, after)).page(limit)
  if (first.texts.length > 0 || wait === 0) return treePageText(first)
  await nextEvent((await treeOf(call, after)).follow(untilLate(call, wait)))
  return treePageText(await (await treeOf(call, after)).page(limit))
}

function treePageText({ texts, next }: { texts: readonly string[]; next: string }): Answer {
  return { status: 200, text: `{"data":[${texts.join(',')}],"next":"${next}"}` }
}

async function treeOf({ holdfast, credential, session }: EventCall, after: string): Promise<Tree> {
  const tree = new Tree(holdfast, credential, new TreeCursor(session.id, after))
  await tree.check()
  return tree
}

function untilLate({ request, service }: EventCall, secs: number): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(secs * 1_000), request.signal, service.stopping])
}

/** Resolves when there is an event, or when there is none in time. */
async function nextEvent(batches: AsyncIterable<readonly Followed[]>): Promise<void> {
  for await (const batch of batches) if (batch.some(({ type }) => type === 'event')) return
}

type Follow = (signal: AbortSignal) => AsyncIterableIterator<readonly Followed[], void, void>

async function streamed(call: EventCall, after: string): Promise<Answer> {
  const { service, query, requestId } = call
  if (query.limit !== undefined || query.wait !== undefined)
    throw new HoldfastError('invalid_input', 'limit and wait are for pages: a stream has no end.')
  const stream = new EventStream({
    follow: await (query.children ? followingTree(call, after) : following(call, after)),
    isWanted: wanting(query.types),
    frames: service.frames,
    followers: service.followers,
    requestId,
  })
  return { status: 200, stream, headers: streamHeaders }
}

async function following(call: EventCall, after: string): Promise<Follow> {
  await requireWithin(call, decodeCursor(after).seq)
  const batchBytes = serverLimits.streamBytes
  return (signal) => call.session.followBatches({ after, signal, batchBytes })
}

/** No reader was ever given a cursor beyond the end. */
async function requireWithin({ session, holdfast }: EventCall, seq: number): Promise<void> {
  const head = await holdfast.sessions.getSummary(session.id)
  if (!head) throw new HoldfastError('not_found', 'there is no such session.')
  if (seq > head.seq)
    throw new HoldfastError(
      'invalid_cursor',
      `the cursor is beyond the end of the session (seq ${head.seq}).`,
    )
}

async function followingTree(call: EventCall, after: string): Promise<Follow> {
  const tree = await treeOf(call, after)
  return (signal) => tree.follow(signal)
}

const all = (): boolean => true

function wanting(types: readonly string[] | undefined): (item: Followed) => boolean {
  if (!types) return all
  const whole = new Set(types.filter((type) => !type.endsWith('.*')))
  const begins = types.filter((type) => type.endsWith('.*')).map((type) => type.slice(0, -1))
  const isOne = (type: string) => whole.has(type) || begins.some((begin) => type.startsWith(begin))
  return (item) => isOne(item.type === 'event' ? item.eventType : item.type)
}
