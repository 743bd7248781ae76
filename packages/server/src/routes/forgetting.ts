/** Pruning and erasing. */
import type { PruneOptions, SessionFilters } from '@holdfast/core'
import { erasureReceipt, pruned, time } from '@holdfast/protocol'
import { z } from 'zod'
import { found } from '../answer.ts'
import { flag } from '../http/query.ts'
import { route } from '../route.ts'
import { given, sessionFilters } from './sessions.ts'

const scrub = flag('final at once, which costs the size of the store; default true')
const reason = z.string().optional()

const filters = Object.entries(sessionFilters).map(([name, { schema }]) => [name, schema.optional()])

const pruning = z.strictObject({
  olderThanMs: z.int().min(0).optional(),
  keepNewest: z.int().min(0).optional(),
  filter: z.strictObject(Object.fromEntries(filters)).optional(),
  dryRun: z.boolean().optional(),
  limit: z.int().min(1).optional(),
  after: z.string().optional(),
  scrub: z.boolean().optional(),
})

export const forgettingRoutes = [
  route({
    method: 'POST',
    path: '/v1/prune',
    summary: 'Delete sessions by age and number, a bounded stretch in each call',
    scope: 'admin',
    reach: 'tenant',
    once: 'answer',
    body: { schema: pruning },
    answer: pruned,
    codes: ['invalid_cursor'],
    handle: async ({ holdfast, body: { filter, ...options } }) => {
      const asked = { ...given(options), ...(filter && { filter: given(filter) as SessionFilters }) }
      const { next, ...done } = await holdfast.prune(asked as PruneOptions)
      return found({ ...done, next: next ?? null })
    },
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/erase',
    summary: 'Erase the content of events, and everything derived from it, here and in forks',
    scope: 'admin',
    reach: 'session',
    query: { scrub },
    once: 'answer',
    body: { schema: z.strictObject({ seqs: z.array(z.int().min(1)).min(1).max(1_000), reason }) },
    answer: erasureReceipt,
    codes: ['session_held', 'contention'],
    handle: async ({ holdfast, session, body: { seqs, ...why }, query }) =>
      found(await holdfast.sessions.erase(session.id, seqs, { ...given(why), ...query } as object)),
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/messages/{messageId}/erase',
    summary: 'The same for a message, with the versions that it replaced',
    scope: 'admin',
    reach: 'session',
    query: { scrub },
    once: 'answer',
    body: { schema: z.strictObject({ reason }), optional: true },
    answer: erasureReceipt,
    codes: ['session_held', 'contention'],
    handle: async ({ holdfast, session, params, body = {}, query }) =>
      found(
        await holdfast.sessions.eraseMessage(session.id, params.messageId ?? '', {
          ...given(body),
          ...query,
        } as object),
      ),
  }),
  route({
    method: 'POST',
    path: '/v1/users/{userId}/erase',
    summary: 'Forget a person in every session of the tenant',
    scope: 'admin',
    reach: 'tenant',
    query: { scrub },
    once: 'answer',
    body: { schema: z.strictObject({ reason }), optional: true },
    answer: erasureReceipt,
    codes: ['contention'],
    handle: async ({ holdfast, params, body = {}, query }) =>
      found(await holdfast.eraseUser(params.userId ?? '', { ...given(body), ...query } as object)),
  }),
  route({
    method: 'POST',
    path: '/v1/scrub',
    summary: 'Make what was deleted and erased before final, for every tenant of the store',
    scope: 'admin',
    reach: 'tenant',
    once: 'answer',
    body: { schema: z.strictObject({}), optional: true },
    answer: z.strictObject({ finalAt: time }),
    handle: async ({ holdfast }) => found(await holdfast.scrub()),
  }),
]
