/** Making, finding and ending sessions. */
import type { Deleted, DeleteOptions, HostCommand, SessionFilters, SessionTree } from '@holdfast/core'
import {
  channel,
  comparison,
  createInput,
  deleted,
  externalId,
  HoldfastError,
  id,
  isHoldfastError,
  jsonObject,
  limits,
  lineage,
  outcome,
  purpose,
  reasoningEffort,
  receipt,
  session,
  sessionCount,
  sessionPage,
  sessionStatus,
  sessionTree,
  time,
  tokenBudget,
} from '@holdfast/protocol'
import { z } from 'zod'
import { requireOwnSeed, requireOwnSession } from '../access/guard.ts'
import { narrowed, ownerOf } from '../access/owner.ts'
import { type Answer, found, page, writeHeaders, written } from '../answer.ts'
import { after, flag, limit, several, word } from '../http/query.ts'
import { type Call, route } from '../route.ts'

export const sessionFilters = {
  ownerUserId: word(externalId, 'sessions of this user'),
  agentId: word(externalId, 'sessions of this agent'),
  conversationId: word(externalId, 'sessions of this conversation'),
  threadId: word(externalId, 'sessions of this thread'),
  rootSessionId: word(id, 'the tree below this root'),
  parentSessionId: word(id, 'children of this session'),
  purpose: word(purpose, 'sessions with this purpose'),
  lineage: word(lineage, 'roots or children'),
  status: several(sessionStatus, 'sessions with one of these statuses'),
  channel: word(channel, 'sessions of this channel'),
  model: word(externalId, 'sessions with this model'),
  providerId: word(externalId, 'sessions with this provider'),
  pinned: flag('pinned ones, or not'),
  held: flag('under a legal hold, or not'),
  hasQuestion: flag('with an open question: longest waiting first'),
  updatedSince: word(time, 'changed at this time or later'),
}

/** What no write to a session takes that has ended. */
export const ended = ['session_closed', 'session_expired'] as const

const noBody = z.strictObject({})

const sessionPatch = z.strictObject({
  title: z.string().nullable().optional(),
  pinned: z.boolean().optional(),
  /** Sets the given keys; null removes one. */
  metadata: jsonObject.optional(),
  providerId: externalId.optional(),
  model: externalId.optional(),
  personaId: id.nullable().optional(),
  seedId: id.nullable().optional(),
  reasoningEffort: reasoningEffort.nullable().optional(),
  compressionInstructions: z.string().nullable().optional(),
  budget: tokenBudget.nullable().optional(),
})

const forkInput = z.strictObject({
  /** The fork's prefix ends here; absent: at the end. */
  atSeq: z.int().min(1).optional(),
  id: id.optional(),
  conversationId: externalId.optional(),
  threadId: externalId.optional(),
  agentId: externalId.optional(),
  agentName: externalId.optional(),
  ownerUserId: externalId.optional(),
  title: z.string().optional(),
  providerId: externalId.optional(),
  model: externalId.optional(),
  ttlSecs: z.int().min(1).nullable().optional(),
  ttlSliding: z.boolean().optional(),
})

const closing = z.strictObject({
  outcome: outcome.optional(),
  reason: z.string().optional(),
  /** Cancels a live or suspended run; without it that is `run_live`. */
  cancel: z.boolean().optional(),
})

export const sessionRoutes = [
  route({
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Make a session',
    scope: 'write',
    reach: 'own',
    writes: 'session',
    body: { schema: createInput, by: 'log' },
    status: 201,
    answer: session,
    codes: ['not_found', 'id_taken', 'key_conflict'],
    handle: async (call) => {
      const { body, credential, holdfast, service, write } = call
      requireOwnSeed(credential, body.seedId)
      const input = { ...service.agents?.defaultsOf(body.agentId), ...ownerOf(credential, body) }
      const made = await holdfast.sessions.create(input, write)
      return made201(call, made)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions',
    summary: 'List sessions, those changed last first',
    scope: 'read',
    reach: 'own',
    query: { ...sessionFilters, limit, after },
    answer: sessionPage,
    codes: ['invalid_cursor'],
    handle: async ({ query: { limit, after, ...filters }, credential, holdfast }) => {
      const own = narrowed(credential, filters)
      if (!own) return page([], undefined)
      const { sessions, next, damaged } = await holdfast.sessions.list(
        own as SessionFilters,
        paging(limit, after),
      )
      return page(sessions, next, damaged && { damaged })
    },
  }),
  route({
    method: 'GET',
    path: '/v1/session-count',
    summary:
      'How many sessions pass the filters: a bounded stretch in each call, to be added up while there is `next`',
    scope: 'read',
    reach: 'own',
    query: { ...sessionFilters, after },
    answer: sessionCount,
    codes: ['invalid_cursor'],
    handle: async ({ query: { after, ...filters }, credential, holdfast }) => {
      const own = narrowed(credential, filters)
      return found(own ? await counted(holdfast, own as SessionFilters, after) : { count: 0, next: null })
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}',
    summary: 'Read a session',
    scope: 'read',
    reach: 'session',
    answer: session,
    handle: async (call) => viewed(call),
  }),
  route({
    method: 'PATCH',
    path: '/v1/sessions/{sessionId}',
    summary: 'Change what a session is: all that is given, or nothing',
    scope: 'write',
    reach: 'session',
    body: { schema: sessionPatch },
    answer: receipt,
    codes: [...ended, 'model_locked'],
    handle: async ({ session, body, write, holdfast, credential }) => {
      requireOwnSeed(credential, body.seedId)
      const commands = await patching(body, holdfast)
      const { messages: _none, ...done } = await session.batch(commands, write)
      return written(done)
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/sessions/{sessionId}',
    summary: 'Delete a session with its children',
    scope: 'write',
    reach: 'session',
    query: {
      cascade: flag('also what was forked from it'),
      force: flag('also when it is pinned or its run did not end'),
      scrub: flag('final at once; costs the size of the store'),
    },
    once: 'answer',
    answer: deleted,
    codes: ['has_forks', 'session_held', 'session_pinned', 'run_live'],
    handle: async (call) => found(await deletedSession(call)),
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/activate',
    summary: 'Activate a session without a message: locks its model unless it may switch',
    scope: 'write',
    reach: 'session',
    body: {
      schema: z.strictObject({ providerId: externalId.optional(), model: externalId.optional() }),
      optional: true,
    },
    answer: receipt,
    codes: [...ended, 'model_locked'],
    handle: async ({ session, body = {}, write }) =>
      one(session, { type: 'activate', ...given(body) }, write),
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/close',
    summary: 'Close a session; again is no change',
    scope: 'write',
    reach: 'session',
    body: { schema: closing, optional: true },
    answer: receipt,
    codes: ['run_live', 'session_expired'],
    handle: async ({ session, body = {}, write }) =>
      one(session, { type: 'close', ...given(body), cancel: body.cancel ?? false }, write),
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/fork',
    summary: 'Branch off a session at a seq, without copying',
    scope: 'write',
    reach: 'session',
    writes: 'session',
    body: { schema: forkInput, optional: true },
    status: 201,
    answer: session,
    codes: ['fork_inside_round', 'fork_too_deep', 'not_on_path', 'id_taken', 'key_conflict'],
    handle: async (call) => {
      const { atSeq, ...input } = ownerOf(call.credential, call.body ?? {})
      const terms = { ...call.write, ...(atSeq !== undefined && { atSeq }) }
      return made201(call, await call.session.fork(given(input), terms))
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/tree',
    summary: 'The tree that a root session spawned, with status, usage and open questions',
    scope: 'read',
    reach: 'session',
    answer: sessionTree,
    handle: async ({ holdfast, params, credential }) => {
      const tree = await holdfast.sessions.tree(params.sessionId ?? '')
      return found(credential.userId === undefined ? tree : ownTree(tree, credential.userId))
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/compare',
    summary: 'Two branches side by side',
    scope: 'read',
    reach: 'session',
    query: { with: word(id, 'the other session') },
    answer: comparison,
    handle: async ({ session, query, credential, holdfast }) => {
      const other = query.with
      if (other === undefined) throw new HoldfastError('invalid_input', 'with: name the other session.')
      await requireOwnSession(credential, holdfast, other)
      return found(await session.compare(other))
    },
  }),
  ...(['undo', 'redo'] as const).map((type) =>
    route({
      method: 'POST',
      path: `/v1/sessions/{sessionId}/${type}`,
      summary:
        type === 'undo' ? 'Drop the last user message and what follows' : 'Restore what was undone last',
      scope: 'write',
      reach: 'session',
      body: { schema: noBody, optional: true },
      answer: receipt,
      codes: [type === 'undo' ? 'nothing_to_undo' : 'nothing_to_redo', 'run_live', ...ended],
      handle: async ({ session, write }) => one(session, { type }, write),
    }),
  ),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/truncate',
    summary: 'Keep what is visible through a seq',
    scope: 'write',
    reach: 'session',
    body: { schema: z.strictObject({ seq: z.int().min(1) }) },
    answer: receipt,
    codes: ['not_on_path', 'fork_inside_round', 'run_live', ...ended],
    handle: async ({ session, body, write }) => one(session, { type: 'truncate', seq: body.seq }, write),
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/hold',
    summary: 'Put a legal hold on a session, or lift it',
    scope: 'admin',
    reach: 'session',
    body: { schema: z.strictObject({ held: z.boolean(), reason: z.string().optional() }) },
    answer: receipt,
    handle: async ({ session, body, write }) =>
      one(session, { type: 'hold', ...given(body) } as HostCommand, write),
  }),
]

const pagesCounted = 20

async function counted(
  { sessions }: Call['holdfast'],
  filters: SessionFilters,
  after: string | undefined,
): Promise<{ count: number; next: string | null }> {
  let count = 0
  let next = after
  for (let pages = 0; pages < pagesCounted; pages++) {
    const page = await sessions.list(filters, paging(limits.pageItems, next))
    count += page.sessions.length
    next = page.next
    if (next === undefined) break
  }
  return { count, next: next ?? null }
}

/** One command, and what it did. */
export async function one(
  session: Call['session'],
  command: HostCommand,
  write: Call['write'],
): Promise<Answer> {
  const { messages: _none, ...done } = await session.batch([command], write)
  return written(done)
}

/** Without the fields that have no value. */
export function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}

export function paging(limit: number | undefined, after: string | undefined) {
  return { ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) }
}

/** One that is gone after a try whose answer is not known was deleted by that. */
async function deletedSession({
  holdfast,
  session,
  query,
  mayBeDone,
}: Pick<Call<DeleteOptions>, 'holdfast' | 'session' | 'query' | 'mayBeDone'>): Promise<Deleted> {
  try {
    return await holdfast.sessions.delete(session.id, query)
  } catch (error) {
    if (!mayBeDone || !isHoldfastError(error, 'not_found')) throw error
    return { sessionIds: [session.id], events: 0, outside: [] }
  }
}

async function viewed({ session }: Pick<Call, 'session'>): Promise<Answer> {
  const view = await session.view()
  return found(view, view.version)
}

async function made201(
  { holdfast }: Pick<Call, 'holdfast'>,
  made: { id: string; replayed: boolean },
): Promise<Answer> {
  const view = await holdfast.sessions.at(made.id).view()
  const headers = { location: `/v1/sessions/${made.id}`, ...writeHeaders(made.replayed, view.version) }
  return { status: 201, json: view, headers }
}

/** The session keeps seed and persona as they are now. */
async function patching(
  { title, pinned, metadata, providerId, model, ...rest }: z.output<typeof sessionPatch>,
  holdfast: Call['holdfast'],
): Promise<HostCommand[]> {
  const { personaId, seedId, reasoningEffort: effort, compressionInstructions, budget } = rest
  const commands: HostCommand[] = []
  if (title !== undefined) commands.push({ type: 'rename', title, automatic: false })
  if (pinned !== undefined) commands.push({ type: 'pin', pinned })
  if (metadata !== undefined) commands.push({ type: 'patchMetadata', values: metadata })
  if (model !== undefined || providerId !== undefined)
    commands.push({ type: 'setModel', ...given({ providerId, model }) })
  if (personaId !== undefined)
    commands.push({
      type: 'setPersona',
      personaId,
      ...(await copied(holdfast.personas, 'persona', personaId)),
    })
  if (seedId !== undefined)
    commands.push({ type: 'setSeed', seedId, ...(await copied(holdfast.seeds, 'seed', seedId)) })
  if (effort !== undefined) commands.push({ type: 'setEffort', reasoningEffort: effort })
  if (compressionInstructions !== undefined)
    commands.push({ type: 'setInstructions', instructions: compressionInstructions })
  if (budget !== undefined) commands.push({ type: 'setBudget', budget })
  if (commands.length === 0) throw new HoldfastError('invalid_input', 'body: nothing to change.')
  return commands
}

async function copied(
  records: { get(id: string): Promise<{ body: object } | undefined> },
  kind: 'persona' | 'seed',
  recordId: string | null,
): Promise<object> {
  if (recordId === null) return {}
  const record = await records.get(recordId)
  if (!record) throw new HoldfastError('not_found', `there is no ${kind} ${recordId}`)
  return { [kind]: record.body }
}

/** Children that belong to somebody else are left out, with what is below them. */
function ownTree({ session, children }: SessionTree, userId: string): SessionTree {
  const own = children.filter((child) => child.session.ownerUserId === userId)
  return { session, children: own.map((child) => ownTree(child, userId)) }
}
