/** Questions of one session, and the inbox of all that are open. */
import { asked, json, question, receipt, sessionPage } from '@holdfast/protocol'
import { z } from 'zod'
import { narrowed } from '../access/owner.ts'
import { page, written } from '../answer.ts'
import { after, limit } from '../http/query.ts'
import { route } from '../route.ts'
import { ended, one, paging, sessionFilters } from './sessions.ts'

const { ownerUserId, agentId, conversationId } = sessionFilters

export const questionRoutes = [
  route({
    method: 'GET',
    path: '/v1/questions',
    summary: 'Sessions with an open question, longest waiting first',
    scope: 'read',
    reach: 'own',
    query: { ownerUserId, agentId, conversationId, limit, after },
    answer: sessionPage,
    codes: ['invalid_cursor'],
    handle: async ({ query: { limit, after, ...filters }, credential, holdfast }) => {
      const own = narrowed(credential, filters)
      if (!own) return page([], undefined)
      const { sessions, next, damaged } = await holdfast.sessions.list(
        { ...own, hasQuestion: true },
        paging(limit, after),
      )
      return page(sessions, next, damaged && { damaged })
    },
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/questions',
    summary: 'Ask something that only a human can answer',
    scope: 'write',
    reach: 'session',
    body: { schema: question, by: 'log' },
    status: 201,
    answer: asked,
    codes: ['question_open', 'duplicate_id', 'run_live', ...ended],
    handle: async ({ session, body, write }) => written(await session.ask(body, write), 201),
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/questions/{questionId}/answer',
    summary: 'Answer the open question',
    scope: 'answer',
    reach: 'session',
    body: { schema: z.strictObject({ answer: json }) },
    answer: receipt,
    codes: ['question_not_open', 'invalid_answer', ...ended],
    handle: async ({ session, params, body, write, service, holdfast }) => {
      const { answer } = body
      const command = { type: 'answerQuestion', questionId: params.questionId ?? '', answer } as const
      const answered = await one(session, command, write)
      service.agents?.in(holdfast.tenantId).wake(session.id)
      return answered
    },
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/questions/{questionId}/withdraw',
    summary: 'Take the open question back',
    scope: 'write',
    reach: 'session',
    body: { schema: z.strictObject({ reason: z.string().optional() }), optional: true },
    answer: receipt,
    codes: ['question_not_open', ...ended],
    handle: async ({ session, params, body, write }) => {
      const reason = body?.reason
      const questionId = params.questionId ?? ''
      return one(
        session,
        { type: 'withdrawQuestion', questionId, ...(reason !== undefined && { reason }) },
        write,
      )
    },
  }),
]
