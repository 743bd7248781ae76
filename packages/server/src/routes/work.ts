/** Tasks, checkpoints and files of a session. */
import {
  checkpoint,
  checkpointSaved,
  fileReference,
  HoldfastError,
  id,
  json,
  receipt,
  taskList,
  taskListInput,
  taskUpdate,
  taskUpdated,
} from '@holdfast/protocol'
import { z } from 'zod'
import { found, written } from '../answer.ts'
import { fileAnswer } from '../http/file-answer.ts'
import { word } from '../http/query.ts'
import { route } from '../route.ts'
import { ended, given, one } from './sessions.ts'

export const workRoutes = [
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/tasks',
    summary: 'The task list',
    scope: 'read',
    reach: 'session',
    answer: taskList,
    codes: ['no_task_list'],
    handle: async ({ session }) => {
      const list = (await session.view()).taskList
      if (list) return found(list)
      throw new HoldfastError('no_task_list', 'the session has no task list.')
    },
  }),
  route({
    method: 'PUT',
    path: '/v1/sessions/{sessionId}/tasks',
    summary: 'Set the task list; null for none',
    scope: 'write',
    reach: 'session',
    body: { schema: z.strictObject({ list: taskListInput.nullable() }), by: 'log' },
    answer: receipt,
    codes: ['duplicate_id', ...ended],
    handle: async ({ session, body, write }) =>
      one(session, { type: 'setTasks', list: body.list as never }, write),
  }),
  route({
    method: 'PATCH',
    path: '/v1/sessions/{sessionId}/tasks/{itemId}',
    summary: 'Change one task; one with unmet criteria is lowered to in_progress',
    scope: 'write',
    reach: 'session',
    body: { schema: taskUpdate.omit({ itemId: true }) },
    answer: taskUpdated,
    codes: ['no_task_list', 'no_such_task', ...ended],
    handle: async ({ session, params, body, write }) =>
      written(await session.updateTask({ ...body, itemId: params.itemId ?? '' }, write)),
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/checkpoints',
    summary: 'Save a graph state of the thread',
    scope: 'write',
    reach: 'session',
    body: {
      schema: z.strictObject({
        checkpointId: id.optional(),
        namespace: z.string().optional(),
        parentId: id.optional(),
        channels: z.record(z.string(), json),
      }),
      by: 'log',
    },
    status: 201,
    answer: checkpointSaved,
    codes: ended,
    handle: async ({ session, body, write }) =>
      written(await session.putCheckpoint(given(body) as never, write), 201),
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/checkpoints',
    summary: 'A checkpoint by its id, else the newest of the thread',
    scope: 'read',
    reach: 'session',
    query: {
      namespace: word(z.string(), 'of the graph that saved; default the root graph'),
      checkpointId: word(id, 'which one; default the newest'),
    },
    answer: checkpoint,
    handle: async ({ session, query }) => {
      const saved = await session.getCheckpoint(query)
      if (saved) return found(saved)
      throw new HoldfastError('not_found', 'there is no such checkpoint.')
    },
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/attachments',
    summary: 'Keep a file, by the SHA-256 of its bytes',
    scope: 'write',
    reach: 'session',
    query: { name: word(z.string().max(512), "the file's name") },
    once: 'answer',
    body: 'file',
    status: 201,
    answer: fileReference,
    codes: ['version_conflict', 'contention', 'session_read_only', ...ended],
    handle: async ({ session, body, query, request, write }) => {
      const mediaType = request.headers.get('content-type') ?? 'application/octet-stream'
      const file = { bytes: body, mediaType, ...(query.name !== undefined && { name: query.name }) }
      return { status: 201, json: await session.putAttachment(file, write) }
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/attachments/{hash}',
    summary: 'The bytes of a file, or of one range of them',
    scope: 'read',
    reach: 'session',
    answer: 'file',
    codes: ['range_not_satisfiable'],
    handle: async ({ session, params: { hash = '' }, request, broken }) => {
      const file = await session.openAttachment(hash)
      if (file) return fileAnswer(request, { file, hash }, broken)
      throw new HoldfastError('not_found', 'there is no such file.')
    },
  }),
]
