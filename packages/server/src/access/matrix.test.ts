/**
 * The wall, made from the route table: every route, by every kind of caller, with each id in it being somebody else's. What
 * is not a caller's answers byte for byte as what is not there, and is the same afterwards.
 */
import { type Scope, scope, toTime } from '@holdfast/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Route } from '../route.ts'
import { routes } from '../routes/index.ts'
import type { Caller, Reply } from '../testing/caller.ts'
import { eachServer } from '../testing/each-server.ts'
import { samples } from '../testing/samples.ts'
import { canary, furnished, type Ids, keyed, nameless, withAgents, worldOf } from '../testing/wall.ts'

const guarded = routes.filter(({ reach }) => reach !== 'public')

/** What says nothing of any user may be read by keys that are bound to another one. */
function isShared(route: Route): boolean {
  return ['GET /v1/agents/{recordId}', 'GET /v1/personas/{recordId}'].includes(nameOf(route))
}

function nameOf({ method, path }: Route): string {
  return `${method} ${path}`
}

function idsIn({ path }: Route): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')
}

function pathWith(route: Route, ids: Ids): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'missing')
}

function ask(caller: Caller, route: Route, ids: Ids): Promise<Reply> {
  const headers = { 'x-request-id': 'same' }
  if (typeof route.body === 'string')
    return caller.call(route.method, pathWith(route, ids), { raw: 'x', headers })
  const body = route.body && samples[nameOf(route)]
  return caller.call(route.method, pathWith(route, ids), { ...(body !== undefined && { body }), headers })
}

it('every route that takes a body has a sample', () => {
  const taking = routes.filter(({ body }) => typeof body === 'object').map(nameOf)
  expect(Object.keys(samples).sort()).toEqual(taking.sort())
})

it('every route with a session in its path is guarded as one', () => {
  const unguarded = routes.filter(
    (route) => (route.reach === 'session') !== idsIn(route).includes('sessionId'),
  )
  expect(unguarded.map(nameOf)).toEqual([])
})

it('only these routes are open to everyone', () => {
  const open = routes.filter(({ reach }) => reach === 'public').map(nameOf)
  expect(open).toEqual(['GET /v1/openapi.json', 'GET /v1/reference', 'GET /healthz', 'GET /readyz'])
})

eachServer('the wall', withAgents, (place) => {
  let ours: Caller
  let ids: Ids
  let before: string

  beforeEach(async () => {
    ours = await keyed(place, {})
    ids = await furnished(ours)
    before = await worldOf(ours, ids)
  })

  /** Nobody else's request changed anything, or was told anything. */
  async function untouched(replies: readonly Reply[]): Promise<void> {
    for (const { text } of replies) expect(text).not.toContain(canary)
    expect(await worldOf(ours, ids)).toBe(before)
  }

  it('has agents behind it, that answer whom they may', async () => {
    for (const what of ['turns', 'compact', 'context/model']) {
      const { id } = (await ours.post('/v1/sessions', { agentId: canary })).json
      const route = guarded.find(({ path }) => path === `/v1/sessions/{sessionId}/${what}`) as Route
      expect((await ask(ours, route, { sessionId: id })).status, what).toBe(200)
    }
  })

  it('keeps out whoever has no key, or one that is expired or revoked', async () => {
    const expired = await keyed(place, { expiresAt: toTime(place.clock.now() + 1) })
    const revoked = await keyed(place, {}, 'ours', true)
    place.clock.advance(1)
    const replies: Reply[] = []
    for (const caller of [place.caller, expired, revoked]) {
      for (const route of guarded) replies.push(await ask(caller, route, ids))
    }
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(replies[0]?.status).toBe(401)
    await untouched(replies)
  })

  describe.each(['another tenant', 'another user'])('by %s', (kind) => {
    it('every id of ours is as one that is not there', async () => {
      const caller =
        kind === 'another tenant' ? await keyed(place, {}, 'theirs') : await keyed(place, { userId: 'u2' })
      const replies: Reply[] = []
      for (const route of guarded.filter((one) => kind === 'another tenant' || !isShared(one))) {
        for (const position of idsIn(route)) {
          const real = await ask(caller, route, ids)
          const missing = await ask(caller, route, { ...ids, [position]: `none-${position}` })
          expect(nameless(real, ids), nameOf(route)).toBe(
            nameless(missing, { [position]: `none-${position}` }, ids),
          )
          replies.push(real)
        }
      }
      await untouched(replies)
    })
  })

  it.each(scope.options)(
    'lets a key with the scope %s alone do what needs it, and nothing else',
    async (only: Scope) => {
      const caller = await keyed(place, { scopes: [only] })
      const replies: Reply[] = []
      for (const route of guarded) {
        if (route.scope === only && route.reach !== 'operator') {
          const unknown = await ask(caller, route, {})
          if (idsIn(route).length > 0) expect([401, 403], nameOf(route)).not.toContain(unknown.status)
        } else {
          const reply = await ask(caller, route, ids)
          expect([reply.status, reply.json.code], nameOf(route)).toEqual([403, 'forbidden'])
          replies.push(reply)
        }
      }
      for (const { text } of replies) expect(text).not.toContain(canary)
    },
  )

  it('lets a share token and a key that is bound to a session see that session, and nothing else', async () => {
    const { json } = await ours.post('/v1/sessions', { agentId: 'agent' })
    const { token } = (await ours.post(`/v1/sessions/${json.id}/share`, {})).json
    const callers = [place.caller.withKey(token), await keyed(place, { sessionIds: [json.id] })]
    const replies: Reply[] = []
    for (const caller of callers) {
      for (const route of guarded) {
        const reply = await ask(caller, route, ids)
        const missing = await ask(caller, route, { ...ids, sessionId: 'none' })
        expect([403, 404], nameOf(route)).toContain(reply.status)
        if (route.reach === 'session') expect(reply.text, nameOf(route)).toBe(missing.text)
        replies.push(reply)
      }
      expect((await caller.get(`/v1/sessions/${json.id}`)).status).toBe(200)
    }
    await untouched(replies)
  })
})
