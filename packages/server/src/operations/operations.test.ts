import { type Scope, scope, tenantId } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { theOnlyCaller } from '../access/credential.ts'
import type { NewKey } from '../access/keys.ts'
import type { Route } from '../route.ts'
import { routes } from '../routes/index.ts'
import type { Caller, Reply } from '../testing/caller.ts'
import { eachServer, pepper, type TestServer } from '../testing/each-server.ts'
import { samples } from '../testing/samples.ts'
import type { Answered } from './answered.ts'

const every: readonly Scope[] = scope.options
const answered: Answered[] = []

function nameOf({ method, path }: Route): string {
  return `${method} ${path}`
}

/** The sample of the route, to what is not there. */
function sent(caller: Caller, route: Route, headers: Record<string, string>): Promise<Reply> {
  const body = samples[nameOf(route)]
  const what = typeof route.body === 'string' ? { raw: 'x' } : body !== undefined && { body }
  return caller.call(route.method, route.path.replaceAll(/\{\w+\}/g, 'missing'), { ...what, headers })
}

async function keyed(place: TestServer, tenant: string, asked: Partial<NewKey> = {}): Promise<Caller> {
  const made = await place.server.keys?.create(tenantId(tenant), { name: 'k', scopes: every, ...asked })
  return place.caller.withKey(made?.key ?? '')
}

eachServer('operating a server', { pepper, onAnswer: (one) => answered.push(one) }, (place) => {
  it('an operator names tenants and makes their first keys; others may not', async () => {
    const operator = await keyed(place, 'default')
    const put = await operator.call('PUT', '/v1/tenants/acme', {
      body: { name: 'Acme', quotas: { requestsPerMin: 100 } },
    })
    expect(put.json).toEqual({ id: 'acme', name: 'Acme', quotas: { requestsPerMin: 100 } })
    expect((await operator.get('/v1/tenants')).json.data).toEqual([put.json])
    const made = await operator.post('/v1/tenants/acme/keys', { name: 'first', scopes: ['admin', 'read'] })
    const acme = place.caller.withKey(made.json.key)
    expect((await acme.get('/v1/keys')).json.data).toMatchObject([{ name: 'first' }])
    expect((await acme.get('/v1/tenants')).json.code).toBe('forbidden')
    expect((await acme.get('/metrics')).json.code).toBe('forbidden')
    expect((await (await keyed(place, 'default', { userId: 'u1' })).get('/v1/tenants')).status).toBe(403)
    for (const [method, path, body] of [
      ['PUT', '/v1/tenants/_keys', {}],
      ['POST', '/v1/tenants/_keys/keys', { name: 'k' }],
    ] as const)
      expect((await operator.call(method, path, { body })).json.code).toBe('invalid_input')
  })

  it('a key is made once under one idempotency key, and for another one refused', async () => {
    const admin = await keyed(place, 'a')
    const once = { 'idempotency-key': 'k-1' }
    const copies = await Promise.all(
      Array.from({ length: 20 }, () => admin.post('/v1/keys', { name: 'bot' }, once)),
    )
    const made = copies.filter(({ status }) => status === 201)
    expect(new Set(made.map(({ text }) => text)).size).toBe(1)
    const again = await admin.post('/v1/keys', { name: 'bot' }, once)
    expect([again.text, again.headers.get('idempotency-replayed')]).toEqual([made[0]?.text, 'true'])
    expect((await admin.get('/v1/keys')).json.data).toHaveLength(2)
    expect((await admin.post('/v1/keys', { name: 'other' }, once)).json.code).toBe('key_conflict')
    const other = await (await keyed(place, 'b')).post('/v1/keys', { name: 'bot' }, once)
    expect(other.json.key).not.toBe(again.json.key)
  })

  it('a key that asks too often waits, and so does its tenant; time gives room again', async () => {
    const operator = await keyed(place, 'default')
    await operator.call('PUT', '/v1/tenants/acme', { body: { quotas: { requestsPerMin: 5 } } })
    const [slow, other] = [await keyed(place, 'acme', { perMin: 2 }), await keyed(place, 'acme')]
    const first = await slow.get('/v1/sessions')
    expect(first.headers.get('ratelimit-policy')).toBe('"key";q=2;w=60')
    expect(first.headers.get('ratelimit')).toBe('"key";r=1;t=30')
    await slow.get('/v1/sessions')
    const refused = await slow.get('/v1/sessions')
    expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      '30',
    ])
    await other.get('/v1/sessions')
    await other.get('/v1/sessions')
    const tenant = await other.get('/v1/sessions')
    expect([tenant.status, tenant.headers.get('ratelimit-policy')]).toEqual([429, '"tenant";q=5;w=60'])
    expect((await operator.get('/metrics')).text).toContain('\nholdfast_tenants_limited 1\n')
    place.clock.advance(30_000)
    expect((await slow.get('/v1/sessions')).status).toBe(200)
    place.clock.advance(60_000)
    expect((await operator.get('/metrics')).text).toContain('\nholdfast_tenants_limited 0\n')
  })

  it('a tenant that wrote enough for a day writes no more, and may still read and delete; time gives room again', async () => {
    const operator = await keyed(place, 'default')
    const quotas = { sessionsPerDay: 2, eventsPerDay: 6 }
    await operator.call('PUT', '/v1/tenants/acme', { body: { quotas } })
    const acme = await keyed(place, 'acme')
    const create = () => acme.post('/v1/sessions', { agentId: 'agent' })
    const first = await create()
    expect(first.headers.get('ratelimit-policy')).toBe('"events";q=6;w=86400')
    const { id } = first.json
    const append = () =>
      acme.post(`/v1/sessions/${id}/messages`, { role: 'user', parts: [{ type: 'text', text: 'x' }] })
    expect((await acme.post(`/v1/sessions/${id}/fork`, {})).status).toBe(201)
    const third = await create()
    expect([third.status, third.json.code, third.headers.get('ratelimit-policy')]).toEqual([
      429,
      'rate_limited',
      '"sessions";q=2;w=86400',
    ])
    expect(third.headers.get('retry-after')).toBe('43200')
    expect([await append(), await append(), await append()].map(({ status }) => status)).toEqual([
      201, 201, 201,
    ])
    const late = await append()
    expect([late.status, late.headers.get('ratelimit')]).toEqual([429, '"events";r=0;t=14400'])
    expect((await operator.get('/metrics')).text).toContain('\nholdfast_tenants_over_quota 1\n')
    expect((await acme.get(`/v1/sessions/${id}`)).status).toBe(200)
    expect((await acme.call('DELETE', `/v1/sessions/${id}?cascade=true`)).status).toBe(200)
    await place.restart()
    expect((await create()).json.code).toBe('rate_limited')
    place.clock.advance(86_400_000)
    expect((await create()).status).toBe(201)
    expect((await operator.get('/metrics')).text).toContain('\nholdfast_tenants_over_quota 0\n')
  })

  it('refusals of access are told of, and a flood of them in a few entries', async () => {
    const [admin, reader] = [await keyed(place, 'a'), await keyed(place, 'a', { scopes: ['read'] })]
    const bound = await keyed(place, 'a', { userId: 'u2' })
    const { id } = (await admin.post('/v1/sessions', { agentId: 'agent', ownerUserId: 'u1' })).json
    await reader.post('/v1/keys', { name: 'mine' })
    await bound.get(`/v1/sessions/${id}`)
    expect((await admin.get('/v1/audit')).json.data).toMatchObject([
      { action: 'POST /v1/keys', outcome: 'forbidden', keyId: expect.any(String) },
      { action: 'GET /v1/sessions/{sessionId}', ids: { sessionId: id }, outcome: 'not_found', userId: 'u2' },
    ])
    for (let n = 0; n < 150; n++) await reader.post('/v1/keys', { name: 'mine' })
    const entries = async () => (await admin.get('/v1/audit?limit=1000')).json.data
    expect(await entries()).toHaveLength(100)
    place.clock.advance(3_600_000)
    await reader.post('/v1/keys', { name: 'mine' })
    expect((await entries()).at(-1)).toMatchObject({ outcome: 'forbidden', untold: 52 })
    await place.caller.get('/v1/sessions')
    const operator = await keyed(place, 'default')
    const { data } = (await operator.get('/v1/audit')).json
    expect(data).toMatchObject([{ action: 'GET /v1/sessions', outcome: 'unauthenticated' }])
  })

  it('administration is told of in the tenant that it was done in, failures too, and is never changed', async () => {
    const [admin, other] = [await keyed(place, 'a'), await keyed(place, 'b')]
    const { id } = (await admin.post('/v1/sessions', { agentId: 'agent' })).json
    await admin.post(`/v1/sessions/${id}/hold`, { held: true }, { 'x-request-id': 'r-1' })
    await admin.call('DELETE', '/v1/keys/none')
    await admin.post(`/v1/sessions/${id}/share`, {})
    await other.get(`/v1/sessions/${id}/export`)
    const { data, next } = (await admin.get('/v1/audit')).json
    expect(data).toMatchObject([
      {
        action: 'POST /v1/sessions/{sessionId}/hold',
        ids: { sessionId: id },
        outcome: 'done',
        requestId: 'r-1',
        keyId: expect.any(String),
      },
      { action: 'DELETE /v1/keys/{keyId}', ids: { keyId: 'none' }, outcome: 'not_found' },
      { action: 'POST /v1/sessions/{sessionId}/share', outcome: 'done' },
    ])
    expect(next).toBeNull()
    expect((await other.get('/v1/audit')).json.data).toMatchObject([{ outcome: 'not_found' }])
    const entries = place.holdfast.forTenant('_keys').auditEntries
    const changed = { ...data[0], tenantId: 'a', outcome: 'nothing' }
    delete changed.id
    await expect(entries.put(data[0].id, changed)).rejects.toMatchObject({ code: 'id_taken' })
  })

  it('figures name every route that was asked, and no id', async () => {
    const operator = await keyed(place, 'default')
    const { id } = (await operator.post('/v1/sessions', { agentId: 'agent' })).json
    await operator.get(`/v1/sessions/${id}`)
    await operator.get('/v1/sessions/none')
    const { text, headers } = await operator.get('/metrics')
    expect(headers.get('content-type')).toContain('text/plain')
    const route = 'method="GET",route="/v1/sessions/{sessionId}"'
    expect(text).toContain(`holdfast_requests_total{${route},status="200",code=""} 1\n`)
    expect(text).toContain(`holdfast_requests_total{${route},status="404",code="not_found"} 1\n`)
    expect(text).toContain(`holdfast_request_seconds_count{${route}} 2\n`)
    expect(text).toContain(`holdfast_request_seconds_bucket{${route},le="+Inf"} 2\n`)
    expect(text).toContain('\nholdfast_streams 0\n')
    expect(text).toContain('\nholdfast_stream_lag_seconds 0\n')
    expect(text).toContain('\nholdfast_appended_events_total 1\n')
    for (const name of ['seconds', 'writes', 'bytes'])
      expect(text).toContain(`\nholdfast_commit_${name}_count 1\n`)
    expect(text).toContain('\nholdfast_commit_writes_bucket{le="1"} 1\n')
    expect(text).not.toContain(id)
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [\d.e+-]+)$/)
  })

  it('figures tell of each sync where the store can tell it from the rest', async () => {
    const operator = await keyed(place, 'default')
    const syncs = async () => {
      const { text } = await operator.get('/metrics')
      expect(text).toContain('# TYPE holdfast_sync_seconds histogram\n')
      return Number(/\nholdfast_sync_seconds_count (\d+)\n/.exec(text)?.[1] ?? 0)
    }
    const before = await syncs()
    await operator.post('/v1/sessions', { agentId: 'agent' })
    const syncsToo = place.holdfast.info().engine === 'sqlite'
    expect(await syncs()).toBe(before + (syncsToo ? 1 : 0))
  })

  it('each answer is told of once, with its trace, and without what was asked', async () => {
    answered.splice(0)
    const admin = await keyed(place, 'a')
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01` }
    await admin.get('/v1/search?q=secret-words', { headers })
    await admin.get('/nowhere', { headers: { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` } })
    expect(answered).toMatchObject([
      { method: 'GET', path: '/v1/search', status: 200, traceId: trace, tenantId: 'a' },
      { method: 'GET', path: 'none', status: 404, error: { code: 'unknown_route' } },
    ])
    expect(answered[1]).not.toHaveProperty('traceId')
    expect(JSON.stringify(answered)).not.toMatch(/secret-words|hf_/)
  })

  it('the reference has every route and every error, and needs nothing from elsewhere', async () => {
    const { text, headers } = await place.caller.get('/v1/reference')
    expect(headers.get('content-type')).toContain('text/html')
    for (const { method, path } of routes) expect(text).toContain(`<b>${method}</b> <code>${path}</code>`)
    for (const [, code] of text.matchAll(/href="#(\w+)">\1</g)) expect(text).toContain(`id="${code}"`)
    expect(text).not.toMatch(/<script|https?:\/\/(?!json-schema\.org)|src=/)
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; /,
    )
  })
})

const page = { origin: 'https://app.example' }
const own = { origin: 'http://localhost' }
const someone = theOnlyCaller(tenantId('default'))
const changing = routes.filter(({ method }) => method !== 'GET')
const preflight = { ...page, 'access-control-request-method': 'POST' }

eachServer('a server that pages elsewhere may call', { origins: [page.origin] }, (place) => {
  it('answers the pages that are named, and asks of browsers what they may ask', async () => {
    const { caller } = place
    const allowed = await caller.get('/v1/sessions', { headers: page })
    expect(allowed.headers.get('access-control-allow-origin')).toBe(page.origin)
    expect(allowed.headers.get('vary')).toBe('origin')
    expect((await caller.get('/v1/sessions/none', { headers: page })).headers.get('vary')).toBe('origin')
    const asked = await caller.call('OPTIONS', '/v1/sessions', { headers: preflight })
    expect([asked.status, asked.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, POST, PUT, PATCH, DELETE',
    ])
    const other = await caller.get('/v1/sessions', { headers: { origin: 'https://evil.example' } })
    expect(other.headers.has('access-control-allow-origin')).toBe(false)
  })

  it('lets the pages that are named change something, and no other', async () => {
    const { caller } = place
    const create = (headers: Record<string, string>) =>
      caller.post('/v1/sessions', { agentId: 'agent' }, headers)
    expect((await create({ ...page, 'sec-fetch-site': 'cross-site' })).status).toBe(201)
    expect((await create({ ...page, origin: 'https://evil.example' })).status).toBe(403)
    expect((await create({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  })
})

eachServer('a server as it comes', {}, (place) => {
  it('lets no page elsewhere call it', async () => {
    const plain = await place.caller.get('/v1/sessions', { headers: page })
    expect(plain.headers.has('access-control-allow-origin')).toBe(false)
    expect((await place.caller.call('OPTIONS', '/v1/sessions', { headers: preflight })).status).toBe(405)
    expect(plain.headers.get('cross-origin-resource-policy')).toBe('same-origin')
  })
  it.each<[string, Record<string, string>]>([
    ['elsewhere', { origin: 'https://evil.example' }],
    ['at another port', { origin: 'http://localhost:3000' }],
    ['that hides where it is', { origin: 'null' }],
    ['elsewhere, which does not say where', { 'sec-fetch-site': 'cross-site' }],
    ['at another name of the site', { origin: 'http://localhost', 'sec-fetch-site': 'same-site' }],
  ])('lets no page %s change anything', async (_where, headers) => {
    for (const route of changing) {
      const reply = await sent(place.caller, route, headers)
      expect([reply.status, reply.json.code], nameOf(route)).toEqual([403, 'forbidden'])
    }
    const { id } = (await place.caller.post('/v1/sessions', { agentId: 'agent' })).json
    const raw = { raw: 'a file', headers: { ...headers, 'content-type': 'text/plain' } }
    expect((await place.caller.call('POST', `/v1/sessions/${id}/attachments`, raw)).status).toBe(403)
    expect((await place.caller.post(`/v1/sessions/${id}/close`, undefined, headers)).status).toBe(403)
    expect((await place.caller.get(`/v1/sessions/${id}`, { headers })).json.status).toBe('created')
  })

  it('lets its own pages, and programs, which name none, do everything', async () => {
    for (const route of changing) {
      for (const headers of [{ ...own, 'sec-fetch-site': 'same-origin' }, own, {}])
        expect((await sent(place.caller, route, headers)).text, nameOf(route)).not.toContain('origin')
    }
  })
})

eachServer('a server whose callers need keys', { pepper }, (place) => {
  it('takes a key from a page wherever it is, as behind a proxy that calls the server by another name', async () => {
    const caller = await keyed(place, 'default')
    const headers = { origin: 'https://app.example', 'sec-fetch-site': 'same-origin' }
    expect((await caller.post('/v1/sessions', { agentId: 'agent' }, headers)).status).toBe(201)
  })
})

eachServer('a server that knows its callers by another way', { authenticate: () => someone }, (place) => {
  it('lets no page elsewhere change anything in their name', async () => {
    const create = (headers: Record<string, string>) =>
      place.caller.post('/v1/sessions', { agentId: 'agent' }, headers)
    expect((await create({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await create(own)).status).toBe(201)
  })
})
