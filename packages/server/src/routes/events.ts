/** A session's log: as a page, as a page that waits for the next event, or as a live stream, from the same cursor. */
import type { EventTextPage, Followed } from '@holdfast/core'
import { decodeCursor, encodeCursor, envelope, HoldfastError, pageOf } from '@holdfast/protocol'
import { z } from 'zod'
import type { Answer } from '../answer.ts'
import { limit, several, whole, word } from '../http/query.ts'
import { checkServerLimit, serverLimits } from '../limits.ts'
import { type Call, route } from '../route.ts'
import { EventStream } from '../streams/event-stream.ts'

const query = {
  after: word(z.string(), 'a cursor: what comes after it; `Last-Event-ID` says the same and wins'),
  limit,
  wait: whole(`seconds to wait when there is nothing yet; ${serverLimits.waitSecs} at most`),
  types: several(
    z.string().min(1),
    'only events of these types; `message.*` is all that begin so. Not for pages',
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
    answer: pageOf(envelope),
    streams: true,
    codes: ['invalid_cursor'],
    handle: (call) => {
      const after = call.request.headers.get('last-event-id') ?? call.query.after ?? '0'
      return wantsStream(call.request) ? streamed(call, after) : paged(call, after)
    },
  }),
]

type EventCall = Call<{ limit?: number; wait?: number; types?: string[] }, undefined>

export const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'x-accel-buffering': 'no',
}

export function wantsStream(request: Request): boolean {
  return request.headers.get('accept')?.includes('text/event-stream') ?? false
}

async function paged(call: EventCall, after: string): Promise<Answer> {
  const { wait = 0, limit, types } = call.query
  if (types) throw new HoldfastError('invalid_input', 'types: only for a stream.')
  checkServerLimit('waitSecs', wait, 'wait')
  const from = decodeCursor(after).seq
  const options = { after: from, ...(limit !== undefined && { limit }) }
  const first = await call.session.eventTexts(options)
  if (first.texts.length > 0 || wait === 0) return pageText(first)
  await nextEvent(call, from, wait)
  return pageText(await call.session.eventTexts(options))
}

/** Written out from the stored texts, none of which is parsed. */
function pageText({ texts, more }: EventTextPage): Answer {
  const last = texts.at(-1)
  const next = more && last ? `"${encodeCursor({ seq: last.seq })}"` : 'null'
  return { status: 200, text: `{"data":[${texts.map(({ text }) => text).join(',')}],"next":${next}}` }
}

/** Resolves when there is an event after `seq`, or when there is none in time. */
async function nextEvent({ session, request, service }: EventCall, seq: number, secs: number): Promise<void> {
  const late = AbortSignal.any([AbortSignal.timeout(secs * 1_000), request.signal, service.stopping])
  for await (const batch of session.followBatches({ after: String(seq), signal: late })) {
    if (batch.some(({ type }) => type === 'event')) return
  }
}

async function streamed(
  { session, holdfast, service, query, requestId }: EventCall,
  after: string,
): Promise<Answer> {
  if (query.limit !== undefined || query.wait !== undefined)
    throw new HoldfastError('invalid_input', 'limit and wait are for pages: a stream has no end.')
  const cursor = decodeCursor(after)
  const head = await holdfast.sessions.getSummary(session.id)
  if (!head) throw new HoldfastError('not_found', 'there is no such session.')
  if (cursor.seq > head.seq)
    throw new HoldfastError(
      'invalid_cursor',
      `the cursor is beyond the end of the session (seq ${head.seq}).`,
    )
  const stream = new EventStream({
    follow: (signal) => session.followBatches({ after, signal, batchBytes: serverLimits.streamBytes }),
    isWanted: wanting(query.types),
    frames: service.frames,
    followers: service.followers,
    requestId,
  })
  return { status: 200, stream, headers: streamHeaders }
}

const all = (): boolean => true

function wanting(types: readonly string[] | undefined): (item: Followed) => boolean {
  if (!types) return all
  const whole = new Set(types.filter((type) => !type.endsWith('.*')))
  const begins = types.filter((type) => type.endsWith('.*')).map((type) => type.slice(0, -1))
  const isOne = (type: string) => whole.has(type) || begins.some((begin) => type.startsWith(begin))
  return (item) => isOne(item.type === 'event' ? item.eventType : item.type)
}
