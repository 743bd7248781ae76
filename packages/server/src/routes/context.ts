/** What the model is sent: how full it is, what was left out or summarised, and the prompt it began with. */
import { compactionRecord, contextUsage, jsonObject, promptSnapshot, receipt } from '@holdfast/protocol'
import { z } from 'zod'
import { route } from '../route.ts'
import { ended, given, one } from './sessions.ts'

const base = { reach: 'session', answer: receipt } as const
const whole = z.int().min(0)

export const contextRoutes = [
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/context/usage',
    summary: 'Record how full the context is',
    scope: 'run',
    body: { schema: z.strictObject({ usage: contextUsage }) },
    codes: ended,
    handle: ({ session, body, write }) => one(session, { type: 'measureContext', usage: body.usage }, write),
  }),
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/context/trim',
    summary: 'Shorten old tool outputs, through a seq, in what the model is sent; the originals stay',
    scope: 'run',
    body: { schema: z.strictObject({ trimmed: whole, throughSeq: whole }) },
    codes: ended,
    handle: ({ session, body, write }) => one(session, { type: 'trimContext', ...body }, write),
  }),
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/context/clear',
    summary: 'Drop what was derived of the context: summaries, trimming and its size. Messages stay',
    scope: 'write',
    body: { schema: z.strictObject({}), optional: true },
    codes: ended,
    handle: ({ session, write }) => one(session, { type: 'clearContext' }, write),
  }),
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/context/compact',
    summary: 'Put a summary in the place of a range; the originals stay',
    scope: 'run',
    body: {
      schema: z.strictObject({
        record: compactionRecord,
        /** `version` of the path that was summarised. */
        pathSeq: whole,
        summary: z.string(),
        summaryTokens: whole,
      }),
      by: 'log',
    },
    codes: [...ended, 'path_changed', 'invalid_compaction', 'duplicate_id', 'run_elsewhere'],
    handle: ({ session, body, write }) => one(session, { type: 'applyCompaction', ...body } as never, write),
  }),
  route({
    ...base,
    method: 'PUT',
    path: '/v1/sessions/{sessionId}/prompt',
    summary: 'Keep the prompt that the model was given',
    scope: 'run',
    body: { schema: z.strictObject({ prompt: promptSnapshot }), by: 'log' },
    codes: ended,
    handle: ({ session, body, write }) =>
      one(session, { type: 'setPrompt', prompt: body.prompt as never }, write),
  }),
  route({
    ...base,
    method: 'PUT',
    path: '/v1/sessions/{sessionId}/metadata',
    summary: 'Replace the whole of the metadata; null for none',
    scope: 'write',
    body: { schema: z.strictObject({ values: jsonObject.nullable() }) },
    codes: ended,
    handle: ({ session, body, write }) => one(session, { type: 'replaceMetadata', ...given(body) }, write),
  }),
]
