/** What the document says may go wrong is what goes wrong: each error of each route is met here, and none that it does not say. */
import { setTimeout as pause } from 'node:timers/promises'
import { type ErrorCode, HoldfastError, limits, scope } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { serverLimits } from '../limits.ts'
import type { Route } from '../route.ts'
import { routes } from '../routes/index.ts'
import { failureOf, type Ids, Provoked, stallMs } from '../testing/provoked.ts'
import { childIdOf, placeOf, type State, said, spawn, states, talk } from '../testing/states.ts'
import { troubles } from '../testing/troubles.ts'
import { codesOf } from './codes.ts'

const ids: Ids = { questionId: 'q1', itemId: 't1', recordId: 'one', userId: 'u1' }

function idsOf(sessionId: string): Ids {
  return { ...ids, sessionId, childId: childIdOf(sessionId) }
}
const hourMs = 3_600_000
const guarded = routes.filter(({ reach }) => reach !== 'public')
const ofSessions = routes.filter(({ reach }) => reach === 'session')
const changing = routes.filter(({ method }) => method !== 'GET')

/** Between them, every command has something to do in one. */
const writable: Readonly<Record<string, State>> = {
  new: states.new,
  'much happened in': {
    create: { ownerUserId: 'u1' },
    steps: [
      ['POST', '/messages', { ...said('one'), id: 'missing' }],
      ['PUT', '/tasks', { list: { items: [{ id: 't1', description: 'a' }] } }],
      ['POST', '/questions', { questionId: 'q1', question: '?' }],
      spawn,
    ],
  },
  undone: { steps: [talk, ['POST', '/undo']] },
  running: states.running,
  suspended: states.suspended,
}

/** What a store says to who comes too late. */
const beaten = {
  deleteSession: () => ({ status: 'moved', seq: 1 }),
  commit: () => [{ status: 'conflict', seq: 1 }],
}

let server: Provoked
beforeAll(async () => {
  server = await Provoked.open()
})
afterAll(() => server.close())

/** The named routes, each asked what it refuses for this. */
function documenting(code: ErrorCode): Route[] {
  return routes.filter((route) => codesOf(route).includes(code))
}

async function refused(code: ErrorCode, reply: Promise<{ status: number; text: string }>, what: string) {
  const { status, text } = await reply
  expect(status, `${what}: ${text}`).toBeGreaterThanOrEqual(400)
  expect(JSON.parse(text).code, what).toBe(code)
}

it('any request may be wrong, or too long, or at another host', async () => {
  for (const route of routes) {
    const name = `${route.method} ${route.path}`
    await refused('invalid_input', server.ask(route, { query: '?nonsense=1' }), name)
    await refused('limit_exceeded', server.ask(route, { query: `?q=${'x'.repeat(9_000)}` }), name)
    const elsewhere = new Request(`http://elsewhere${route.path}`, { method: route.method })
    expect((await server.fetch(elsewhere)).status, name).toBe(403)
  }
})

it('any but a public one needs a key, which has a scope and a rate', async () => {
  for (const route of guarded) {
    const name = `${route.method} ${route.path}`
    await refused('unauthenticated', server.ask(route, { caller: server.bare }), name)
    const scopes = scope.options.filter((one) => one !== route.scope)
    await refused('forbidden', server.ask(route, { caller: await server.keyed({ scopes }) }), name)
    const slow = await server.keyed({ perMin: 1 })
    await slow.get('/v1/questions')
    await refused('rate_limited', server.ask(route, { caller: slow }), name)
  }
})

it.each(['store_busy', 'store_unavailable', 'store_corrupt'] as const)(
  'any that asks the store may hear %s',
  async (code) => {
    await failing(() => planted(code), documenting(code), code)
  },
)

it('a fault that nobody thought of is a failure of the server', async () => {
  await failing(
    () => {
      throw new TypeError('planted')
    },
    documenting('server_failed'),
    'server_failed',
  )
})

function planted(code: ErrorCode): never {
  throw new HoldfastError(code, 'planted')
}

async function failing(make: () => never, some: readonly Route[], code: ErrorCode): Promise<void> {
  server.store.fail(make)
  for (const route of some) {
    // No key is believed any more.
    server.clock.advance(hourMs)
    await refused(code, server.ask(route), `${route.method} ${route.path}`)
  }
  server.store.heal()
}

it.each(['store_full', 'commit_unknown'] as const)(
  'a refusal that cannot be written down is answered with %s',
  async (code) => {
    for (const route of guarded) {
      // So that one more refusal is told of.
      server.clock.advance(hourMs)
      const scopes = scope.options.filter((one) => one !== route.scope)
      const caller = await server.keyed({ scopes })
      server.store.fail({ putRecord: () => planted(code) })
      await refused(code, server.ask(route, { caller }), `${route.method} ${route.path}`)
      server.store.heal()
    }
  },
)

it('a body is of the type that is taken', async () => {
  for (const route of documenting('unsupported_media_type')) {
    const sessionId = await server.session(states.new)
    const headers = { 'content-type': 'text/plain', 'content-encoding': 'gzip' }
    await refused('unsupported_media_type', server.ask(route, { ids: idsOf(sessionId), headers }), route.path)
  }
})

it.each(Object.entries(states))('a session that is %s', async (_name, state) => {
  for (const route of ofSessions) await server.ask(route, { ids: idsOf(await server.session(state)) })
})

it('what is not there', async () => {
  const bound = await server.keyed({ userId: 'u1' })
  for (const route of documenting('not_found')) await server.ask(route)
  await bound.get('/v1/search?q=x&sessionId=missing')
  await bound.post('/v1/sessions', { agentId: 'agent', seedId: 'missing' })
})

it('a session with an event of a newer version is only read', async () => {
  for (const route of documenting('session_read_only')) {
    const sessionId = await readOnly(await server.session(states.running))
    const reply = server.ask(route, { ids: idsOf(sessionId) })
    await refused('session_read_only', reply, `${route.method} ${route.path}`)
  }
})

/** Its copy, with an event at the end that nobody here knows. */
async function readOnly(sessionId: string): Promise<string> {
  const { text } = await server.caller.get(`/v1/sessions/${sessionId}/export`)
  const lines = text.replaceAll(sessionId, `newer-${sessionId}`).trim().split('\n')
  const last = JSON.parse(lines.at(-1) ?? '').event
  const event = { ...last, seq: last.seq + 1, type: 'session.haunted', critical: true, data: {} }
  const raw = [...lines, JSON.stringify({ event })].join('\n')
  const { status, text: answer } = await server.caller.call('POST', '/v1/imports', { raw })
  expect(status, answer).toBe(200)
  return `newer-${sessionId}`
}

it('an export that parts from the session that is there', async () => {
  const sessionId = await server.session(states['talked in'])
  const { text } = await server.caller.get(`/v1/sessions/${sessionId}/export`)
  const raw = text.replaceAll('"one"', '"else"')
  await refused('id_taken', server.caller.call('POST', '/v1/imports', { raw }), 'import')
})

it('a cursor of another list', async () => {
  for (const route of documenting('invalid_cursor').filter(({ method }) => method === 'GET')) {
    const sessionId = await server.session(states.new)
    const at = { ids: { ...idsOf(sessionId), priceBookId: await priceBook() } }
    await server.ask(route, { ...at, query: '?after=nowhere' })
    await server.ask(route, { ...at, headers: { 'last-event-id': 'nowhere' } })
  }
})

async function priceBook(): Promise<string> {
  await server.caller.call('PUT', '/v1/price-books/book', { body: { prices: {} } })
  return 'book'
}

it('a version that it is past, and a key that was used', async () => {
  for (const [n, route] of changing.entries()) {
    const sessionId = await server.session(states['talked in'])
    const at = { ids: idsOf(sessionId) }
    await server.ask(route, { ...at, headers: { 'if-match': '"99"' } })
    const headers = { 'idempotency-key': `used-${n}` }
    await use(headers, sessionId)
    await server.ask(route, { ...at, headers })
  }
})

/** By everyone who sees to keys. */
async function use(headers: Record<string, string>, sessionId: string): Promise<void> {
  const { caller } = server
  await caller.call('PUT', '/v1/agents/used', { body: { name: 'used' }, headers })
  await caller.post('/v1/sessions', { agentId: 'used' }, headers)
  await caller.post('/v1/keys', { name: 'used' }, headers)
  await caller.post('/v1/tenants/missing/keys', { name: 'used' }, headers)
  await caller.post(`/v1/sessions/${sessionId}/fork`, { title: 'used' }, headers)
  await caller.post(`/v1/sessions/${sessionId}/notes`, { kind: 'used' }, headers)
}

it.each(Object.entries(writable))('others that go on writing in one %s', async (_name, state) => {
  for (const route of documenting('contention')) {
    const sessionId = await server.session(state)
    server.store.fail(beaten)
    await server.ask(route, { ids: idsOf(sessionId) })
    server.store.heal()
  }
})

it('a fork of a fork, and so on', async () => {
  let sessionId = await server.session(states['talked in'])
  for (let n = 0; n < limits.forkSegments; n++) {
    sessionId = (await server.caller.post(`/v1/sessions/${sessionId}/fork`)).json.id
    await server.caller.post(`/v1/sessions/${sessionId}/messages`, said('more'))
  }
  await refused('fork_too_deep', server.caller.post(`/v1/sessions/${sessionId}/fork`), 'fork')
})

it.each(troubles)('%s: %o', async (code, { last, agentId: other, headers = {}, ...state }) => {
  const id = await server.session(other === undefined ? state : { ...state, create: { agentId: other } })
  if ('idempotency-key' in headers) await use(headers, id)
  const [method, path, body] = last
  const reply = server.caller.call(method, placeOf(id, path), { body, headers })
  await refused(code, reply, `${method} ${path}`)
})

it('a server that holds as many files as it may', async () => {
  const route = documenting('server_busy')
  const sessionId = await server.session(states.new)
  const slow = Array.from({ length: serverLimits.fileBytesHeld / limits.attachmentBytes }, () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const sent = server.caller.call('POST', `/v1/sessions/${sessionId}/attachments`, { raw: readable })
    return { sent, writable }
  })
  for (const one of route) await refused('server_busy', server.ask(one, { ids: { sessionId } }), one.path)
  for (const { writable } of slow) await writable.close()
  for (const { sent } of slow) expect((await sent).status).toBe(201)
})

const streaming = routes.filter(({ streams }) => streams)

it('a reader that stands still', async () => {
  for (const route of streaming) {
    const sessionId = await server.session(states.new)
    const stream = await server.stream(route, { sessionId })
    while (server.server.followers > 0) {
      await server.caller.post(`/v1/sessions/${sessionId}/messages`, said('more'))
      await pause(10)
      server.clock.advance(stallMs)
    }
    await stream.end()
  }
})

it('a server that stops', async () => {
  const open = []
  for (const route of streaming)
    open.push(await server.stream(route, { sessionId: await server.session(states.asked) }))
  server.server.drain()
  for (const stream of open) await stream.end()
  await server.caller.get('/readyz')
})

it('all that is documented was met', () => {
  const documented = routes.flatMap((route) => codesOf(route).map((code) => failureOf(route, code)))
  expect(documented.filter((failure) => !server.failures.has(failure))).toEqual([])
})
