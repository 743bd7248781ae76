/** Usage of a session, roll-ups over the tenant, and price books. */
import type { RollUpOptions } from '@holdfast/core'
import {
  externalId,
  HoldfastError,
  id,
  pageOf,
  receipt,
  rerated,
  rolledUp,
  usageRecord,
  usageRow,
  usageTotals,
} from '@holdfast/protocol'
import { z } from 'zod'
import { found, page } from '../answer.ts'
import { after, limit, several, whole, word } from '../http/query.ts'
import { route } from '../route.ts'
import { given, one, paging } from './sessions.ts'

const grouping = z.enum([
  'sessionId',
  'rootSessionId',
  'ownerUserId',
  'agentId',
  'providerId',
  'model',
  'purpose',
  'day',
])

const rolling = {
  by: several(grouping, 'columns to group by; none: one group'),
  sessionId: word(id, 'rows of this session'),
  rootSessionId: word(id, 'rows of this tree'),
  ownerUserId: word(externalId, 'rows of this user'),
  agentId: word(externalId, 'rows of this agent'),
  providerId: word(externalId, 'rows of this provider'),
  model: word(externalId, 'rows of this model'),
  purpose: word(z.string(), 'rows with this purpose'),
  from: word(z.string(), 'not earlier: a date or a whole second'),
  until: word(z.string(), 'earlier: the same'),
  limit,
  after,
}

type Rolling = { [K in keyof typeof rolling]?: ReturnType<(typeof rolling)[K]['schema']['parse']> }

export const ledgerRoutes = [
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/usage',
    summary: 'Record one model call attempt; again is no change',
    scope: 'run',
    reach: 'session',
    body: { schema: usageRecord, by: 'log' },
    status: 201,
    answer: receipt,
    codes: ['run_live'],
    handle: async ({ session, body, write }) => ({
      ...(await one(session, { type: 'recordUsage', usage: body as never }, write)),
      status: 201,
    }),
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/usage',
    summary: 'The rows of a session, one per attempt',
    scope: 'read',
    reach: 'session',
    query: { limit, after: whole('seq of the last row of the page before') },
    answer: pageOf(usageRow),
    handle: async ({ holdfast, session, query }) => {
      const { rows, next } = await holdfast.usage.list(session.id, query)
      if (rows.length === 0) await session.events({ limit: 1 })
      return page(rows, next)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/usage/totals',
    summary: 'Sums of a session, or of the tree below it',
    scope: 'read',
    reach: 'session',
    query: { tree: word(z.enum(['true', 'false']), '`true`: with all below it, when it is a root') },
    answer: usageTotals,
    handle: async ({ holdfast, session, query }) => {
      await session.events({ limit: 1 })
      const scope = query.tree === 'true' ? { rootSessionId: session.id } : { sessionId: session.id }
      return found(await holdfast.usage.totals(scope))
    },
  }),
  route({
    method: 'GET',
    path: '/v1/usage',
    summary: 'Sums over the tenant by any columns',
    scope: 'read',
    reach: 'tenant',
    query: rolling,
    answer: pageOf(rolledUp),
    codes: ['invalid_cursor'],
    handle: async ({ holdfast, query }) => {
      const { groups, next } = await holdfast.usage.rollUp(rollUpOf(query))
      return page(groups, next)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/usage/rerated/{priceBookId}',
    summary: 'The same with what it would have cost under another price book',
    scope: 'read',
    reach: 'tenant',
    query: rolling,
    answer: pageOf(rerated),
    codes: ['not_found', 'invalid_cursor'],
    handle: async ({ holdfast, query, params }) => {
      const { groups, next } = await holdfast.usage.rerate(params.priceBookId ?? '', rollUpOf(query))
      return page(groups, next)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/current-price-book',
    summary: 'Which price book new usage is rated by',
    scope: 'read',
    reach: 'tenant',
    answer: z.strictObject({ priceBookId: id.nullable() }),
    handle: async ({ holdfast }) => found({ priceBookId: (await holdfast.priceBooks.current())?.id ?? null }),
  }),
  route({
    method: 'PUT',
    path: '/v1/current-price-book',
    summary: 'Name the price book that new usage is rated by',
    scope: 'admin',
    reach: 'tenant',
    once: 'answer',
    body: { schema: z.strictObject({ priceBookId: id }) },
    answer: z.strictObject({ priceBookId: id }),
    codes: ['not_found'],
    handle: async ({ holdfast, body }) => {
      await holdfast.priceBooks.setCurrent(body.priceBookId)
      return found(body)
    },
  }),
]

function rollUpOf({ by, from, until, limit, after, ...where }: Rolling): RollUpOptions {
  if (by?.length === 0) throw new HoldfastError('invalid_input', 'by: name a column, or leave it out.')
  return { ...given({ by, from, until }), ...paging(limit, after), where: given(where) } as RollUpOptions
}
