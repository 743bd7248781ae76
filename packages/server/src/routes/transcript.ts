/** Messages, notes and what the model would be sent. */
import {
  appended,
  inputPolicy,
  json,
  messageInput,
  messagePage,
  modelContext,
  receipt,
} from '@holdfast/protocol'
import { z } from 'zod'
import { found, written } from '../answer.ts'
import { limit, word } from '../http/query.ts'
import { route } from '../route.ts'
import { ended, given, one } from './sessions.ts'

/** One message, or several in one commit: all or nothing. */
const appending = z.union([messageInput, z.strictObject({ messages: z.array(messageInput).min(1) })])

export const transcriptRoutes = [
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/messages',
    summary: 'Append a message, or several in one commit',
    scope: 'write',
    reach: 'session',
    query: { policy: word(inputPolicy, 'what to do with input while a run is live; default `enqueue`') },
    body: { schema: appending, by: 'log' },
    status: 201,
    answer: appended,
    codes: [...ended, 'run_live', 'duplicate_id', 'call_not_open'],
    handle: async ({ session, body, query, write }) => {
      const { policy } = query
      const messages = 'messages' in body ? body.messages : body
      return written(await session.append(messages, policy === undefined ? write : { ...write, policy }), 201)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/messages',
    summary: 'The visible messages, oldest first; the newest page unless a cursor is given',
    scope: 'read',
    reach: 'session',
    query: {
      limit,
      before: word(z.string(), 'only older ones: `older` of a page'),
      after: word(z.string(), 'only newer ones: `next` of a page; `0` for the beginning'),
    },
    answer: messagePage,
    codes: ['invalid_cursor'],
    handle: async ({ session, query }) => {
      const { messages, older, newer } = await session.messages(given(query))
      return found({ data: messages, older: older ?? null, next: newer })
    },
  }),
  route({
    method: 'PUT',
    path: '/v1/sessions/{sessionId}/messages/{messageId}',
    summary: 'Put another message in the place of one, and drop what follows it',
    scope: 'write',
    reach: 'session',
    body: { schema: messageInput, by: 'log' },
    answer: appended,
    codes: [...ended, 'run_live', 'duplicate_id', 'not_on_path'],
    handle: async ({ session, params, body, write }) =>
      written(await session.edit(params.messageId ?? '', body, write)),
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/context',
    summary: 'What a model would be sent now',
    scope: 'read',
    reach: 'session',
    answer: z.strictObject({
      data: z.array(modelContext.shape.messages.element),
    }),
    handle: async ({ session }) => found({ data: await session.providerView() }),
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/notes',
    summary: 'Add a note that is no message',
    scope: 'write',
    reach: 'session',
    body: {
      schema: z.strictObject({
        kind: z.string(),
        text: z.string().optional(),
        data: json.optional(),
        callId: z.string().optional(),
      }),
    },
    status: 201,
    answer: receipt,
    codes: ended,
    handle: async ({ session, body, write }) => ({
      ...(await one(session, { type: 'addNote', ...given(body) }, write)),
      status: 201,
    }),
  }),
]
