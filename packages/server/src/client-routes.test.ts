/** Every route has a method of the client, which asks for it as it is declared. */
import { createClient, type HoldfastClient } from '@holdfast/client'
import { expect, it } from 'vitest'
import { routes } from './routes/index.ts'
import { samples } from './testing/samples.ts'

type Ask = (client: HoldfastClient) => Promise<unknown>

const message = { role: 'user' as const, parts: [{ type: 'text' as const, text: 'x' }] }
const lease = { owner: 'w', ttlMs: 1_000 }
const file = { bytes: new Uint8Array(1), mediaType: 'image/png' }
const spent = { tokens: 0, costMicrocents: 0, toolCalls: 0 }
const compaction = {
  record: {
    compactionId: 'x',
    from: 1,
    to: 2,
    trigger: 'manual',
    tokensBefore: 2,
    tokensAfter: 1,
    messagesCovered: 1,
  },
  pathSeq: 0,
  summary: 's',
  summaryTokens: 1,
} as const

const asks: Readonly<Record<string, Ask>> = {
  'POST /v1/sessions': (c) => c.sessions.create({ agentId: 'a' }),
  'GET /v1/sessions': (c) => c.sessions.list(),
  'GET /v1/session-count': (c) => c.sessions.count(),
  'GET /v1/sessions/{sessionId}': (c) => c.sessions.get('s'),
  'PATCH /v1/sessions/{sessionId}': (c) => c.sessions.patch('s', { title: 'T' }),
  'DELETE /v1/sessions/{sessionId}': (c) => c.sessions.delete('s'),
  'POST /v1/sessions/{sessionId}/activate': (c) => c.sessions.activate('s'),
  'POST /v1/sessions/{sessionId}/close': (c) => c.sessions.close('s'),
  'POST /v1/sessions/{sessionId}/fork': (c) => c.sessions.fork('s'),
  'GET /v1/sessions/{sessionId}/tree': (c) => c.sessions.tree('s'),
  'GET /v1/sessions/{sessionId}/compare': (c) => c.sessions.compare('s', 't'),
  'POST /v1/sessions/{sessionId}/undo': (c) => c.sessions.undo('s'),
  'POST /v1/sessions/{sessionId}/redo': (c) => c.sessions.redo('s'),
  'POST /v1/sessions/{sessionId}/truncate': (c) => c.sessions.truncate('s', 1),
  'POST /v1/sessions/{sessionId}/hold': (c) => c.sessions.hold('s', true),
  'POST /v1/sessions/{sessionId}/messages': (c) => c.sessions.append('s', message),
  'GET /v1/sessions/{sessionId}/messages': (c) => c.sessions.messages('s'),
  'PUT /v1/sessions/{sessionId}/messages/{messageId}': (c) => c.sessions.edit('s', 'm', message),
  'GET /v1/sessions/{sessionId}/context': (c) => c.sessions.context('s'),
  'POST /v1/sessions/{sessionId}/notes': (c) => c.sessions.addNote('s', { kind: 'k' }),
  'GET /v1/sessions/{sessionId}/events': (c) => c.sessions.events('s'),
  'GET /v1/fleet/events': (c) => c.followFleet().next(),
  'POST /v1/sessions/{sessionId}/turns': (c) => c.sessions.turn('s', 'hello').accepted(),
  'POST /v1/sessions/{sessionId}/compact': (c) => c.sessions.compactContext('s'),
  'GET /v1/questions': (c) => c.questions(),
  'POST /v1/sessions/{sessionId}/questions': (c) => c.sessions.ask('s', { questionId: 'q', question: '?' }),
  'POST /v1/sessions/{sessionId}/questions/{questionId}/answer': (c) => c.sessions.answer('s', 'q', 'yes'),
  'POST /v1/sessions/{sessionId}/questions/{questionId}/withdraw': (c) =>
    c.sessions.withdrawQuestion('s', 'q'),
  'GET /v1/sessions/{sessionId}/tasks': (c) => c.sessions.tasks('s'),
  'PUT /v1/sessions/{sessionId}/tasks': (c) => c.sessions.setTasks('s', null),
  'PATCH /v1/sessions/{sessionId}/tasks/{itemId}': (c) =>
    c.sessions.updateTask('s', { itemId: 't', status: 'completed' }),
  'POST /v1/sessions/{sessionId}/checkpoints': (c) => c.sessions.putCheckpoint('s', { channels: {} }),
  'GET /v1/sessions/{sessionId}/checkpoints': (c) => c.sessions.getCheckpoint('s'),
  'POST /v1/sessions/{sessionId}/attachments': (c) => c.sessions.putAttachment('s', file),
  'GET /v1/sessions/{sessionId}/attachments/{hash}': (c) => c.sessions.getAttachment('s', 'h'),
  'POST /v1/sessions/{sessionId}/context/usage': (c) =>
    c.sessions.measureContext('s', { totalTokens: 1, budgetTokens: 2 }),
  'POST /v1/sessions/{sessionId}/context/trim': (c) =>
    c.sessions.trimContext('s', { trimmed: 1, throughSeq: 1 }),
  'POST /v1/sessions/{sessionId}/context/clear': (c) => c.sessions.clearContext('s'),
  'POST /v1/sessions/{sessionId}/context/compact': (c) => c.sessions.compact('s', compaction),
  'PUT /v1/sessions/{sessionId}/prompt': (c) =>
    c.sessions.setPrompt('s', { sections: [], effectiveText: 'x' }),
  'PUT /v1/sessions/{sessionId}/metadata': (c) => c.sessions.replaceMetadata('s', null),
  'POST /v1/sessions/{sessionId}/children': (c) => c.sessions.spawnChild('s', { agentId: 'a' }),
  'GET /v1/sessions/{sessionId}/children': (c) => c.sessions.children('s'),
  'POST /v1/sessions/{sessionId}/children/{childId}/finish': (c) =>
    c.sessions.finishChild('s', { childId: 'c', outcome: 'completed', spent }),
  'POST /v1/sessions/{sessionId}/run': (c) => c.sessions.startRun('s', lease),
  'POST /v1/sessions/{sessionId}/run/take-over': (c) => c.sessions.takeOverRun('s', lease),
  'POST /v1/sessions/{sessionId}/run/resume': (c) => c.sessions.resumeRun('s', lease),
  'POST /v1/sessions/{sessionId}/run/heartbeat': (c) => c.sessions.heartbeat('s', 1, 1_000),
  'POST /v1/sessions/{sessionId}/run/batch': (c) => c.sessions.writeRun('s', 1, [{ type: 'completeRun' }]),
  'POST /v1/sessions/{sessionId}/run/stop': (c) => c.sessions.stopRun('s'),
  'POST /v1/sessions/{sessionId}/run/cancel': (c) => c.sessions.cancelRun('s'),
  'GET /v1/sessions/{sessionId}/export': (c) => c.sessions.export('s'),
  'POST /v1/imports': (c) => c.importSession('x'),
  'POST /v1/sessions/{sessionId}/usage': (c) =>
    c.sessions.recordUsage('s', { attemptId: 'x', promptTokens: 1, completionTokens: 1 }),
  'GET /v1/sessions/{sessionId}/usage': (c) => c.sessions.usage('s'),
  'GET /v1/sessions/{sessionId}/usage/totals': (c) => c.sessions.usageTotals('s'),
  'GET /v1/usage': (c) => c.rollUp(),
  'GET /v1/usage/rerated/{priceBookId}': (c) => c.rerate('b'),
  'GET /v1/current-price-book': (c) => c.currentPriceBook(),
  'PUT /v1/current-price-book': (c) => c.setCurrentPriceBook('b'),
  'GET /v1/search': (c) => c.search('words'),
  'POST /v1/prune': (c) => c.prune({ olderThanMs: 1 }),
  'POST /v1/sessions/{sessionId}/erase': (c) => c.sessions.erase('s', [1]),
  'POST /v1/sessions/{sessionId}/messages/{messageId}/erase': (c) => c.sessions.eraseMessage('s', 'm'),
  'POST /v1/users/{userId}/erase': (c) => c.eraseUser('u'),
  'POST /v1/scrub': (c) => c.scrub(),
  'POST /v1/keys': (c) => c.createKey({ name: 'n' }),
  'GET /v1/keys': (c) => c.keys(),
  'DELETE /v1/keys/{keyId}': (c) => c.revokeKey('k'),
  'POST /v1/sessions/{sessionId}/share': (c) => c.sessions.share('s'),
  'GET /v1/tenants': (c) => c.tenants(),
  'PUT /v1/tenants/{tenantId}': (c) => c.putTenant('t', {}),
  'POST /v1/tenants/{tenantId}/keys': (c) => c.createTenantKey('t', { name: 'n' }),
  'GET /v1/audit': (c) => c.audit(),
  'GET /v1/openapi.json': (c) => c.openapi(),
  'GET /v1/reference': (c) => c.reference(),
  'GET /metrics': (c) => c.metrics(),
  'GET /healthz': (c) => c.health(),
  'GET /readyz': (c) => c.ready(),
  ...ofRecords(
    'agents',
    (c) => c.agents.put('r', { name: 'n' }),
    (c) => c.agents,
  ),
  ...ofRecords(
    'personas',
    (c) => c.personas.put('r', { name: 'n' }),
    (c) => c.personas,
  ),
  ...ofRecords(
    'seeds',
    (c) => c.seeds.put('r', { goal: 'g' }),
    (c) => c.seeds,
  ),
  ...ofRecords(
    'conversations',
    (c) => c.conversations.put('r', {}),
    (c) => c.conversations,
  ),
  ...ofRecords(
    'participants',
    (c) => c.participants.put('r', { conversationId: 'c', kind: 'user' }),
    (c) => c.participants,
  ),
  ...ofRecords(
    'price-books',
    (c) => c.priceBooks.put('r', { prices: {} }),
    (c) => c.priceBooks,
  ),
}

function ofRecords(
  path: string,
  put: Ask,
  of: (client: HoldfastClient) => { get(id: string): Promise<unknown>; list(): Promise<unknown> },
): Record<string, Ask> {
  return {
    [`PUT /v1/${path}/{recordId}`]: put,
    [`GET /v1/${path}/{recordId}`]: (client) => of(client).get('r'),
    [`GET /v1/${path}`]: (client) => of(client).list(),
  }
}

const answer = { data: [], next: null, count: 0 }

it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s',
  async (name, route) => {
    const requests: Request[] = []
    const fetch = (request: Request): Response => {
      requests.push(request)
      // A stream that is refused for good ends at once.
      return name === 'GET /v1/fleet/events' ? new Response('no', { status: 400 }) : Response.json(answer)
    }
    const client = createClient({ url: 'http://host', fetch })
    await Promise.allSettled([asks[name]?.(client)])
    const [request] = requests
    expect(requests, 'the client has no method for it').toHaveLength(1)
    const { pathname } = new URL(request?.url ?? '')
    expect(request?.method).toBe(route.method)
    expect(pathname).toMatch(
      new RegExp(`^${route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    )
    expect(request?.headers.has('idempotency-key')).toBe(route.method !== 'GET')
    if (samples[name] === undefined) return
    if (route.body && typeof route.body === 'object' && !route.body.optional)
      expect(route.body.schema.safeParse(await request?.json()).error).toBeUndefined()
  },
)
