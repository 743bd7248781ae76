/**
 * The wall, for what a request names beside its session: each id in a path, a query or a body being somebody else's, in a
 * session of the caller's own. Made from the route table: an id that is new there fails until it is said what ours of it is.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Route } from '../route.ts'
import { routes } from '../routes/index.ts'
import type { Caller, Reply } from '../testing/caller.ts'
import { eachServer } from '../testing/each-server.ts'
import { idPositions, nameOf, type Position, placed } from '../testing/id-positions.ts'
import { samples } from '../testing/samples.ts'
import { canary, furnished, type Ids, keyed, otherAgent, withAgents, worldOf } from '../testing/wall.ts'

const guarded = routes.filter(({ reach }) => reach !== 'public')
const positions = guarded.flatMap((route) => idPositions(route).map((position) => ({ route, position })))

/** What it is that a name in a request names, by what we have. */
const named: Readonly<Record<string, string>> = {
  sessionId: 'sessionId',
  sessionIds: 'sessionId',
  rootSessionId: 'sessionId',
  parentSessionId: 'sessionId',
  with: 'sessionId',
  childId: 'childId',
  messageId: 'messageId',
  replyTo: 'messageId',
  answers: 'messageId',
  /** Of a new message, or of what the route makes. */
  id: 'messageId',
  questionId: 'questionId',
  itemId: 'itemId',
  dependsOn: 'itemId',
  parentId: 'itemId',
  hash: 'hash',
  checkpointId: 'checkpointId',
  runId: 'runId',
  roundId: 'roundId',
  attemptId: 'attemptId',
  compactionId: 'compactionId',
  contextId: 'contextId',
  callId: 'callId',
  toolCallId: 'callId',
  recordId: 'recordId',
  personaId: 'recordId',
  seedId: 'recordId',
  parentSeedId: 'recordId',
  priceBookId: 'priceBookId',
  conversationId: 'conversationId',
  threadId: 'threadId',
  agentId: 'agentId',
  providerId: 'providerId',
  userParticipantId: 'recordId',
  agentParticipantId: 'recordId',
  ownerUserId: 'userId',
  userId: 'userId',
  keyId: 'keyId',
  tenantId: 'tenantId',
}

it('every id that a request may name is one of these', () => {
  const names = new Set(positions.map(({ position }) => nameOf(position)))
  expect([...names].sort()).toEqual(Object.keys(named).sort())
})

/** Of a route that makes a session it is the id of that. */
const namedAnew: Readonly<Record<string, string>> = {
  'POST /v1/sessions id': 'sessionId',
  'POST /v1/sessions/{sessionId}/fork id': 'sessionId',
  'POST /v1/sessions/{sessionId}/children childId': 'sessionId',
}

/** What users of one tenant share: its personas and agents, and the ids of sessions, of which a new one cannot have one that is taken. */
function isShared(route: Route, position: Position): boolean {
  const name = nameOf(position)
  if (name === 'personaId') return true
  if (name === 'recordId') return /agents|personas/.test(route.path)
  return wordsOf(route, position) in namedAnew
}

function wordsOf({ method, path }: Route, position: Position): string {
  return `${method} ${path} ${nameOf(position)}`
}

eachServer('the wall, for what is named in a request', withAgents, (place) => {
  let ours: Caller
  let ids: Ids
  let before: string

  beforeEach(async () => {
    ours = await keyed(place, {})
    ids = await furnished(ours)
    before = await worldOf(ours, ids)
  })

  describe.each(['another tenant', 'another user'])('by %s', (kind) => {
    const isUser = kind === 'another user'
    let strangers = 0

    /** The answer to a stranger who was never here before, in a session of theirs, without what no two answers share. */
    async function ask(route: Route, position: Position, id: string): Promise<string> {
      const name = `stranger-${strangers++}`
      const caller = await keyed(place, isUser ? { userId: name } : {}, isUser ? 'ours' : name)
      const own = (await caller.post('/v1/sessions', { agentId: otherAgent })).json.id
      const { path, query, body } = requestOf(route, position, id, own)
      const headers = { 'x-request-id': 'same' }
      const sent = typeof route.body === 'string' ? { raw: 'x', headers } : { body, headers }
      return plain(await caller.call(route.method, `${path}${query}`, sent), [own, id, name])
    }

    it('ours is as what is not there', async () => {
      for (const { route, position } of positions) {
        if (isUser && isShared(route, position)) continue
        const what = `${wordsOf(route, position)} in the ${position.in}`
        const ourId = ids[namedAnew[wordsOf(route, position)] ?? named[nameOf(position)] ?? ''] ?? ''
        expect(ourId, what).not.toBe('')
        const real = await ask(route, position, ourId)
        expect(real, what).toBe(await ask(route, position, `none-${ourId}`.slice(0, 64)))
        expect(real, what).not.toContain(canary)
        expect(real, `${what}: for nothing but the id`).not.toMatch(/Invalid (input|option)/)
      }
      expect(await worldOf(ours, ids)).toBe(before)
    })
  })
})

function requestOf(route: Route, { in: where, at }: Position, id: string, sessionId: string) {
  const ids: Ids = { sessionId, ...(where === 'path' && { [at[0] ?? '']: id }) }
  const name = `${route.method} ${route.path}`
  const sample = fuller[`${name} ${at[0]}`] ?? samples[name]
  return {
    path: route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? `own-${name}`),
    query: where === 'query' ? `?${new URLSearchParams({ ...queries[route.path], [at[0] ?? '']: id })}` : '',
    body: where === 'body' ? placed(sample, at, id) : sample,
  }
}

/** What a query needs beside the id. */
const queries: Readonly<Record<string, Record<string, string>>> = { '/v1/search': { q: canary } }

/** Samples with something beside an id that the plain ones leave out. */
const fuller: Readonly<Record<string, unknown>> = {
  'POST /v1/sessions/{sessionId}/messages messages': {
    messages: [samples['POST /v1/sessions/{sessionId}/messages']],
  },
  'PUT /v1/sessions/{sessionId}/tasks list': { list: { items: [{ id: 't', description: 'd' }] } },
  'POST /v1/sessions/{sessionId}/usage context': {
    attemptId: 'x',
    promptTokens: 1,
    completionTokens: 1,
    context: { tokens: 1 },
  },
}

function plain({ status, text }: Reply, given: readonly string[]): string {
  // First what is random: an id as short as `u1` may stand in it.
  let rest = text.replaceAll(/hf_[\w-]{43}/g, 'KEY')
  for (const id of given) rest = rest.replaceAll(id, 'GIVEN')
  return `${status} ${rest
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replaceAll(/"id":"[0-9a-f]{32}"/g, '"id":"KEY"')}`
}
