import { type TenantId, tenantId, toTime } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { serverLimits } from '../limits.ts'
import type { Caller } from '../testing/caller.ts'
import { eachServer, pepper } from '../testing/each-server.ts'
import { serverTenant } from './credential.ts'
import { Keys, type NewKey } from './keys.ts'

const a = tenantId('a')

eachServer('keys', { pepper }, (place) => {
  async function keyOf(asked: Partial<NewKey> = {}, tenant: TenantId = a): Promise<Caller> {
    const made = await place.server.keys?.create(tenant, {
      name: 'test',
      scopes: ['read', 'write', 'answer', 'run', 'admin'],
      ...asked,
    })
    return place.caller.withKey(made?.key ?? '')
  }

  const made = async (caller: Caller, body: object = {}): Promise<string> =>
    (await caller.post('/v1/sessions', { agentId: 'agent', ...body })).json.id

  it('are 256 random bits, shown once and never kept', async () => {
    const admin = await keyOf()
    const { status, json } = await admin.post('/v1/keys', { name: 'second', scopes: ['read'] })
    expect(status).toBe(201)
    expect(json.key).toMatch(/^hf_[\w-]{43}$/)
    expect((await place.caller.withKey(json.key).get('/v1/sessions')).status).toBe(200)
    const list = await admin.get('/v1/keys')
    expect(list.json.data).toHaveLength(2)
    expect(list.text).not.toContain(json.key.slice(3, 20))
    const kept = await place.holdfast.forTenant(serverTenant).apiKeys.list()
    expect(JSON.stringify(kept)).not.toContain(json.key.slice(3, 20))
  })

  it('open nothing that is not theirs: no key, a wrong one, one of another pepper', async () => {
    const caller = await keyOf()
    expect((await caller.get('/v1/sessions')).status).toBe(200)
    for (const wrong of ['', 'hf_x', `hf_${'a'.repeat(43)}`, 'hfs_x.y', 'hfs_']) {
      const { status, json, headers } = await place.caller.withKey(wrong).get('/v1/sessions')
      expect([status, json.code]).toEqual([401, 'unauthenticated'])
      expect(headers.get('www-authenticate')).toBe('Bearer')
    }
    const others = new Keys({
      holdfast: place.holdfast,
      pepper: pepper.toUpperCase(),
      clock: place.clock.now,
    })
    const { key } = await others.create(a, { name: 'x', scopes: ['read'] })
    expect((await place.caller.withKey(key).get('/v1/sessions')).status).toBe(401)
    expect(() => new Keys({ holdfast: place.holdfast, pepper: 'short', clock: place.clock.now })).toThrow(
      '32 bytes',
    )
  })

  it('end at their time', async () => {
    const caller = await keyOf({ expiresAt: toTime(place.clock.now() + 1_000) })
    expect((await caller.get('/v1/sessions')).status).toBe(200)
    place.clock.advance(1_000)
    expect((await caller.get('/v1/sessions')).status).toBe(401)
  })

  it('end when they are revoked, at once here and in seconds elsewhere', async () => {
    const admin = await keyOf()
    const { json } = await admin.post('/v1/keys', { name: 'x', scopes: ['read'] })
    const caller = place.caller.withKey(json.key)
    expect((await caller.get('/v1/sessions')).status).toBe(200)
    const elsewhere = new Keys({ holdfast: place.holdfast, pepper, clock: place.clock.now })
    await elsewhere.credentialOf(json.key)
    expect((await admin.call('DELETE', `/v1/keys/${json.id}`)).json.revokedAt).toBeDefined()
    expect((await caller.get('/v1/sessions')).status).toBe(401)
    await elsewhere.credentialOf(json.key)
    place.clock.advance(5_000)
    await expect(elsewhere.credentialOf(json.key)).rejects.toMatchObject({ code: 'unauthenticated' })
    expect((await admin.call('DELETE', `/v1/keys/${json.id}`)).status).toBe(200)
  })

  it('of one tenant say nothing of those of another', async () => {
    const ours = await keyOf()
    const theirs = await keyOf({}, tenantId('b'))
    const [{ id }] = (await ours.get('/v1/keys')).json.data
    expect((await theirs.get('/v1/keys')).json.data).toHaveLength(1)
    expect((await theirs.call('DELETE', `/v1/keys/${id}`)).json.code).toBe('not_found')
    await expect(
      place.server.keys?.create(tenantId(serverTenant), { name: 'x', scopes: ['read'] }),
    ).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })

  it('that are bound to a user make and see what is of that user alone', async () => {
    const all = await keyOf()
    const bound = await keyOf({ userId: 'u1' })
    const theirs = await made(all, { ownerUserId: 'u2' })
    await all.post(`/v1/sessions/${theirs}/messages`, {
      role: 'user',
      parts: [{ type: 'text', text: 'purple' }],
    })
    const own = await made(bound)
    expect((await bound.get(`/v1/sessions/${own}`)).json.ownerUserId).toBe('u1')
    expect((await bound.post('/v1/sessions', { agentId: 'x', ownerUserId: 'u2' })).json.code).toBe(
      'forbidden',
    )
    expect((await bound.post(`/v1/sessions/${own}/fork`, { ownerUserId: 'u2' })).json.code).toBe('forbidden')
    expect((await bound.get('/v1/sessions')).json.data).toMatchObject([{ id: own }])
    expect((await bound.get('/v1/sessions?ownerUserId=u2')).json.data).toEqual([])
    expect((await bound.get('/v1/questions?ownerUserId=u2')).json.data).toEqual([])
    expect((await bound.get('/v1/search?q=purple')).json.data).toEqual([])
    expect((await all.get('/v1/search?q=purple')).json.data).toHaveLength(1)
    expect((await bound.get(`/v1/sessions/${own}/compare?with=${theirs}`)).json.code).toBe('not_found')
    await bound.post(`/v1/sessions/${own}/messages`, {
      role: 'user',
      parts: [{ type: 'text', text: 'mine' }],
    })
    const { data } = (await bound.get(`/v1/sessions/${own}/events`)).json
    expect(data.at(-1).actor).toEqual({ kind: 'user', id: 'u1' })
  })

  it('share one session for a while, by a token that dies with them', async () => {
    const admin = await keyOf()
    const { json: second } = await admin.post('/v1/keys', { name: 'x', scopes: ['read', 'write'] })
    const sharing = place.caller.withKey(second.key)
    const id = await made(sharing)
    const share = (body: object) => sharing.post(`/v1/sessions/${id}/share`, body)
    const { json } = await share({ ttlSecs: 60 })
    const guest = place.caller.withKey(json.token)
    expect((await guest.get(`/v1/sessions/${id}`)).status).toBe(200)
    expect((await guest.post(`/v1/sessions/${id}/close`)).json.code).toBe('forbidden')
    expect((await guest.get(`/v1/sessions/${await made(sharing)}`)).json.code).toBe('not_found')
    expect((await guest.get('/v1/sessions')).json.code).toBe('forbidden')
    const [head, signature] = json.token.split('.')
    expect((await place.caller.withKey(`${head}x.${signature}`).get(`/v1/sessions/${id}`)).status).toBe(401)
    expect((await share({ scopes: ['answer'] })).json.code).toBe('forbidden')
    expect((await share({ ttlSecs: serverLimits.tokenSecs + 1 })).json.details.limit).toBe('tokenSecs')
    const { json: other } = await share({})
    place.clock.advance(60_000)
    expect((await guest.get(`/v1/sessions/${id}`)).status).toBe(401)
    const longer = place.caller.withKey(other.token)
    expect((await longer.get(`/v1/sessions/${id}`)).status).toBe(200)
    await admin.call('DELETE', `/v1/keys/${second.id}`)
    expect((await longer.get(`/v1/sessions/${id}`)).status).toBe(401)
  })
})

eachServer('a server without keys', {}, (place) => {
  it('has none to give', async () => {
    const { status, json } = await place.caller.post('/v1/keys', { name: 'x' })
    expect([status, json.code]).toEqual([403, 'forbidden'])
  })
})
