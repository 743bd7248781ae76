/** A request for each route that changes something, by its method and path, and what must have gone before. */
import type { Web } from './web.ts'

/** What stands in the path and in the bodies. */
export type Ids = Readonly<Record<string, string>>

export interface Change {
  /** On a new session; what it gives stands in the path. */
  prepare?(web: Web, session: string): Promise<Ids | undefined>
  /** Of the request: JSON, or text that is sent as it is. */
  body?(session: string, ids: Ids): unknown
  /** Another request of the same kind, which the same key does not stand for. */
  other?(session: string, ids: Ids): unknown
  query?: string
}

/** Ages are told by the second. */
const wholeSecondMs = 1_100

type Prepare = NonNullable<Change['prepare']>

const said = (words: string) => ({ role: 'user', parts: [{ type: 'text', text: words }] })
const lease = { owner: 'prover', ttlMs: 60_000 }
const always =
  <T>(body: T) =>
  () =>
    body

/** Bodies that depend on nothing. */
function sending(body: unknown, other?: unknown, more: Partial<Change> = {}): Change {
  return { body: always(body), ...(other !== undefined && { other: always(other) }), ...more }
}

function after(...requests: readonly (readonly [method: string, path: string, body?: unknown])[]): Prepare {
  return async (web, session) => {
    for (const [method, path, body] of requests)
      await web.change(method, `/v1/sessions/${session}${path}`, body)
    return undefined
  }
}

const talk = after(['POST', '/messages', { messages: [said('one'), said('two')] }])
const question = ['POST', '/questions', { questionId: 'q1', question: 'Which?' }] as const
const asked = after(question)
const listed = after(['PUT', '/tasks', { list: { items: [{ id: 't1', description: 'first' }] } }])
const running = after(['POST', '/messages', said('go')], ['POST', '/run', lease])
const suspended = after(
  ['POST', '/messages', said('go')],
  ['POST', '/run', lease],
  ['POST', '/run/batch', { epoch: 1, commands: [{ type: 'suspendRun', reason: 'approval' }] }],
)
const spawned = after(['POST', '/children', { agentId: 'child' }])

/** A record under the session's id. */
function record(body: object, other: object): Change {
  return sending(body, other, { prepare: async (_web, session) => ({ recordId: session }) })
}

const compaction = {
  record: {
    compactionId: 'x1',
    from: 3,
    to: 4,
    trigger: 'manual',
    tokensBefore: 9,
    tokensAfter: 1,
    messagesCovered: 2,
  },
  pathSeq: 0,
  summary: 'two words',
  summaryTokens: 2,
}

export const changes: Readonly<Record<string, Change>> = {
  'POST /v1/sessions': {
    body: (session) => ({ agentId: `of ${session}` }),
    other: (session) => ({ agentId: `of ${session}`, title: 'T' }),
  },
  'PATCH /v1/sessions/{sessionId}': sending({ title: 'T', pinned: true }, { title: 'U' }),
  'DELETE /v1/sessions/{sessionId}': { prepare: talk },
  'POST /v1/sessions/{sessionId}/activate': sending({}, { model: 'm' }),
  'POST /v1/sessions/{sessionId}/close': sending({}, { reason: 'else' }, { prepare: talk }),
  'POST /v1/sessions/{sessionId}/fork': {
    prepare: talk,
    body: (session) => ({ agentId: `of ${session}` }),
    other: (session) => ({ agentId: `of ${session}`, title: 'T' }),
  },
  'POST /v1/sessions/{sessionId}/undo': sending({}, undefined, { prepare: talk }),
  'POST /v1/sessions/{sessionId}/redo': sending({}, undefined, {
    prepare: after(['POST', '/messages', { messages: [said('one'), said('two')] }], ['POST', '/undo', {}]),
  }),
  'POST /v1/sessions/{sessionId}/truncate': sending({ seq: 3 }, { seq: 4 }, { prepare: talk }),
  'POST /v1/sessions/{sessionId}/hold': sending({ held: true, reason: 'law' }, { held: true }),
  'POST /v1/sessions/{sessionId}/messages': sending(
    { messages: [said('a'), said('b'), said('c')] },
    said('else'),
  ),
  'PUT /v1/sessions/{sessionId}/messages/{messageId}': sending(said('instead'), said('else'), {
    prepare: async (web, session) => {
      await talk(web, session)
      return { messageId: '3' }
    },
  }),
  'POST /v1/sessions/{sessionId}/turns': sending({ input: 'Say it again.' }, { input: 'else' }),
  'POST /v1/sessions/{sessionId}/notes': sending({ kind: 'k', text: 'n' }, { kind: 'else' }),
  'POST /v1/sessions/{sessionId}/questions': sending(question[2], { questionId: 'q2', question: 'Else?' }),
  'POST /v1/sessions/{sessionId}/questions/{questionId}/answer': sending(
    { answer: 'that' },
    { answer: 'else' },
    { prepare: preparing(asked, { questionId: 'q1' }) },
  ),
  'POST /v1/sessions/{sessionId}/questions/{questionId}/withdraw': sending(
    { reason: 'no more' },
    { reason: 'else' },
    { prepare: preparing(asked, { questionId: 'q1' }) },
  ),
  'PUT /v1/sessions/{sessionId}/tasks': sending(
    { list: { items: [{ id: 't1', description: 'first' }] } },
    { list: null },
  ),
  'PATCH /v1/sessions/{sessionId}/tasks/{itemId}': sending(
    { status: 'completed' },
    { status: 'blocked' },
    { prepare: preparing(listed, { itemId: 't1' }) },
  ),
  'POST /v1/sessions/{sessionId}/checkpoints': sending({ channels: { a: 1 } }, { channels: { a: 2 } }),
  'POST /v1/sessions/{sessionId}/attachments': sending('bytes', 'else', { query: '?name=a.bin' }),
  'PUT /v1/sessions/{sessionId}/metadata': sending({ values: { a: 1 } }, { values: null }),
  'PUT /v1/sessions/{sessionId}/prompt': sending(
    { prompt: { sections: [], effectiveText: 'x' } },
    { prompt: { sections: [], effectiveText: 'else' } },
  ),
  'POST /v1/sessions/{sessionId}/context/usage': sending(
    { usage: { totalTokens: 1, budgetTokens: 2 } },
    { usage: { totalTokens: 2, budgetTokens: 2 } },
  ),
  'POST /v1/sessions/{sessionId}/context/trim': sending(
    { trimmed: 1, throughSeq: 3 },
    { trimmed: 2, throughSeq: 3 },
    { prepare: talk },
  ),
  'POST /v1/sessions/{sessionId}/context/clear': sending({}, undefined, {
    prepare: after(['POST', '/context/usage', { usage: { totalTokens: 1, budgetTokens: 2 } }]),
  }),
  'POST /v1/sessions/{sessionId}/context/compact': sending(
    compaction,
    { ...compaction, summary: 'else' },
    { prepare: talk },
  ),
  'POST /v1/sessions/{sessionId}/children': {
    body: (session) => ({ agentId: `of ${session}` }),
    other: (session) => ({ agentId: `of ${session}`, title: 'T' }),
  },
  'POST /v1/sessions/{sessionId}/children/{childId}/finish': sending(
    { outcome: 'completed', spent: { tokens: 1, costMicrocents: 0, toolCalls: 0 } },
    { outcome: 'failed', spent: { tokens: 0, costMicrocents: 0, toolCalls: 0 } },
    {
      prepare: async (web, session) => {
        await spawned(web, session)
        const { data } = (await web.get(`/v1/sessions/${session}/children`)) as { data: { id: string }[] }
        return { childId: data[0]?.id ?? '' }
      },
    },
  ),
  'POST /v1/sessions/{sessionId}/run': sending(
    lease,
    { ...lease, owner: 'else' },
    {
      prepare: after(['POST', '/messages', said('go')]),
    },
  ),
  'POST /v1/sessions/{sessionId}/run/take-over': sending(
    lease,
    { ...lease, owner: 'else' },
    {
      prepare: async (web, session) => {
        const short = { owner: 'gone', ttlMs: 1 }
        await after(['POST', '/messages', said('go')], ['POST', '/run', short])(web, session)
        await new Promise((resolve) => setTimeout(resolve, 5))
        return undefined
      },
    },
  ),
  'POST /v1/sessions/{sessionId}/run/resume': sending(
    lease,
    { ...lease, owner: 'else' },
    { prepare: suspended },
  ),
  'POST /v1/sessions/{sessionId}/run/batch': sending(
    { epoch: 1, commands: [{ type: 'startRound' }, { type: 'completeRound' }, { type: 'completeRun' }] },
    { epoch: 1, commands: [{ type: 'completeRun' }] },
    { prepare: running },
  ),
  'POST /v1/sessions/{sessionId}/run/stop': sending({}, { reason: 'else' }, { prepare: running }),
  'POST /v1/sessions/{sessionId}/run/cancel': sending({}, { reason: 'else' }, { prepare: suspended }),
  'POST /v1/sessions/{sessionId}/usage': sending(
    { attemptId: 'a1', promptTokens: 1, completionTokens: 1 },
    { attemptId: 'a2', promptTokens: 1, completionTokens: 1 },
  ),
  'POST /v1/sessions/{sessionId}/share': sending({}, { ttlSecs: 60 }),
  'POST /v1/sessions/{sessionId}/erase': sending(
    { seqs: [3] },
    { seqs: [4] },
    { prepare: talk, query: '?scrub=false' },
  ),
  'POST /v1/sessions/{sessionId}/messages/{messageId}/erase': sending(
    {},
    { reason: 'else' },
    { prepare: preparing(talk, { messageId: '3' }), query: '?scrub=false' },
  ),
  'POST /v1/users/{userId}/erase': sending(
    {},
    { reason: 'else' },
    {
      prepare: async (web, session) => {
        await web.change('POST', '/v1/sessions', { agentId: `of ${session}`, ownerUserId: `user ${session}` })
        return { userId: `user ${session}` }
      },
      query: '?scrub=false',
    },
  ),
  'POST /v1/prune': {
    prepare: async (web, session) => {
      for (let n = 0; n < 3; n++) await web.change('POST', '/v1/sessions', { agentId: `of ${session}` })
      await new Promise((resolve) => setTimeout(resolve, wholeSecondMs))
      return undefined
    },
    body: (session) => ({ filter: { agentId: `of ${session}` }, olderThanMs: 1, limit: 1, scrub: false }),
    other: (session) => ({ filter: { agentId: `of ${session}` }, olderThanMs: 1, dryRun: true }),
  },
  'POST /v1/scrub': sending({}),
  'POST /v1/imports': {
    prepare: async (web, session) => {
      await talk(web, session)
      return { lines: await web.text(`/v1/sessions/${session}/export`) }
    },
    body: (session, { lines = '' }) => lines.replaceAll(session, `again-${session}`),
    other: (session, { lines = '' }) => lines.replaceAll(session, `else-${session}`),
  },
  'PUT /v1/agents/{recordId}': record({ name: 'n' }, { name: 'else' }),
  'PUT /v1/personas/{recordId}': record({ name: 'n' }, { name: 'else' }),
  'PUT /v1/seeds/{recordId}': record({ goal: 'g' }, { goal: 'else' }),
  'PUT /v1/conversations/{recordId}': record({ title: 't' }, {}),
  'PUT /v1/participants/{recordId}': record(
    { conversationId: 'c', kind: 'user' },
    { conversationId: 'c', kind: 'ai_agent' },
  ),
  'PUT /v1/price-books/{recordId}': record({ prices: {} }, { prices: { m: { model: 'm' } } }),
  'PUT /v1/current-price-book': {
    prepare: async (web, session) => {
      await web.change('PUT', `/v1/price-books/${session}`, { prices: {} })
      return undefined
    },
    body: (session) => ({ priceBookId: session }),
    other: () => ({ priceBookId: 'else' }),
  },
  'POST /v1/keys': { body: (session) => ({ name: session }), other: () => ({ name: 'else' }) },
  'DELETE /v1/keys/{keyId}': {
    prepare: async (web, session) => {
      const { id } = (await web.change('POST', '/v1/keys', { name: session })) as { id: string }
      return { keyId: id }
    },
  },
  'PUT /v1/tenants/{tenantId}': {
    prepare: async (_web, session) => ({ tenantId: session }),
    ...sending({ name: 'n' }, { name: 'else' }),
  },
  'POST /v1/tenants/{tenantId}/keys': {
    prepare: async (_web, session) => ({ tenantId: session }),
    body: (session) => ({ name: session }),
    other: () => ({ name: 'else' }),
  },
}

function preparing(prepare: Prepare, ids: Ids): Prepare {
  return async (web, session) => {
    await prepare(web, session)
    return ids
  }
}
