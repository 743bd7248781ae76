/** What goes on in a whole tenant. */
import type { SessionFilters } from '@holdfast/core'
import { HoldfastError, limits, sessionPage, time, toMs, toTime } from '@holdfast/protocol'
import { narrowed } from '../access/owner.ts'
import { type Answer, page } from '../answer.ts'
import { word } from '../http/query.ts'
import { type Call, route } from '../route.ts'
import { changes } from '../streams/changes.ts'
import { EventStream } from '../streams/event-stream.ts'
import { changedSince } from '../streams/fleet.ts'
import { streamHeaders, wantsStream } from './events.ts'
import { sessionFilters } from './sessions.ts'

const { updatedSince: _since, hasQuestion: _question, ...filters } = sessionFilters

export const fleetRoutes = [
  route({
    method: 'GET',
    path: '/v1/fleet/events',
    summary:
      'Sessions as they change: `session.changed` as `text/event-stream`, with what a list says of each; else those since a time',
    scope: 'read',
    reach: 'own',
    query: {
      ...filters,
      after: word(
        time,
        'a cursor of this stream, or a time; `Last-Event-ID` says the same and wins; default now',
      ),
    },
    answer: sessionPage,
    streams: true,
    codes: ['invalid_cursor'],
    handle: async (call) => {
      const { request, credential, service, query } = call
      const { after, ...asked } = query
      const filters = narrowed(credential, asked) as SessionFilters | undefined
      if (!filters) throw new HoldfastError('forbidden', 'ownerUserId: the key is bound to another user.')
      const cursor = request.headers.get('last-event-id') ?? after
      const sinceMs = cursor === undefined ? service.clock() : msOf(cursor)
      return wantsStream(request) ? streamed(call, filters, sinceMs) : paged(call, filters, sinceMs)
    },
  }),
]

/** What changed since then, newest first; nothing more is to come in a page. */
async function paged(
  { holdfast }: Pick<Call, 'holdfast'>,
  filters: SessionFilters,
  sinceMs: number,
): Promise<Answer> {
  const terms = { ...filters, updatedSince: toTime(sinceMs) }
  const { sessions, damaged } = await holdfast.sessions.list(terms, { limit: limits.pageItems })
  return page(sessions, undefined, damaged && { damaged })
}

function streamed(
  { holdfast, service, requestId }: Pick<Call, 'holdfast' | 'service' | 'requestId'>,
  filters: SessionFilters,
  sinceMs: number,
): Answer {
  const look = (fromMs: number) => changedSince(holdfast, filters, fromMs)
  const stream = new EventStream({
    follow: (signal) => changes({ watch: service.fleet.of(holdfast), look, filters, sinceMs, signal }),
    isWanted: () => true,
    frames: service.frames,
    followers: service.followers,
    requestId,
  })
  return { status: 200, stream, headers: streamHeaders }
}

function msOf(cursor: string): number {
  if (time.safeParse(cursor).success) return toMs(cursor)
  throw new HoldfastError('invalid_cursor', 'Last-Event-ID: expected a cursor of this stream.')
}
