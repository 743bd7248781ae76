/** Sessions that a session spawned. */
import { createHash } from 'node:crypto'
import {
  childSpawned,
  createInput,
  eventSchemas,
  externalId,
  id,
  receipt,
  sessionPage,
} from '@holdfast/protocol'
import { z } from 'zod'
import { requireOwnSeed } from '../access/guard.ts'
import { narrowed, ownerOf } from '../access/owner.ts'
import { page } from '../answer.ts'
import { after, limit } from '../http/query.ts'
import { type Call, route } from '../route.ts'
import { ended, given, one, paging } from './sessions.ts'

const amount = z.int().min(0).optional()
const { id: _id, budget: _budget, ...fields } = createInput.shape

const child = z.strictObject({
  ...fields,
  childId: id.optional(),
  /** The tool call that asked for it. */
  callId: externalId.optional(),
  /** What it may spend, out of what its parent has left. */
  grant: z.strictObject({ tokens: amount, costMicrocents: amount, toolCalls: amount }).optional(),
})

/** The same for a request that comes again, so that it makes no second child. */
function idFromKey({ write, session, credential }: Call): string | undefined {
  if (write.key === undefined) return undefined
  const facts = [session.id, credential.keyId, write.key]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32)
}

export const childRoutes = [
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/children',
    summary: 'Spawn a session of its own under this one; again with the same `childId` is no change',
    scope: 'run',
    reach: 'session',
    once: 'answer',
    writes: 'session',
    body: { schema: child },
    status: 201,
    answer: childSpawned,
    codes: ['id_taken', 'budget_exceeded', ...ended],
    handle: async (call) => {
      requireOwnSeed(call.credential, call.body.seedId)
      const childId = call.body.childId ?? idFromKey(call)
      const input = given({ ...ownerOf(call.credential, call.body), childId })
      const { traceId } = call.write
      const spawned = await call.session.spawnChild(
        input as Parameters<typeof call.session.spawnChild>[0],
        given({ traceId }),
      )
      return { status: 201, json: spawned, headers: { location: `/v1/sessions/${spawned.childId}` } }
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/children',
    summary: 'The children of a session, those changed last first',
    scope: 'read',
    reach: 'session',
    query: { limit, after },
    answer: sessionPage,
    codes: ['invalid_cursor'],
    handle: async ({ holdfast, session, credential, query }) => {
      await session.events({ limit: 1 })
      const own = { parentSessionId: session.id, ...narrowed(credential, {}) }
      const { sessions, next, damaged } = await holdfast.sessions.list(own, paging(query.limit, query.after))
      return page(sessions, next, damaged && { damaged })
    },
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/children/{childId}/finish',
    summary: 'Tell the parent how a child ended, and what it spent',
    scope: 'run',
    reach: 'session',
    body: { schema: eventSchemas['child.finished'].omit({ childId: true }) },
    answer: receipt,
    codes: ['child_not_open'],
    handle: async ({ session, params, body, write }) =>
      one(session, { type: 'finishChild', childId: params.childId ?? '', ...given(body) } as never, write),
  }),
]
