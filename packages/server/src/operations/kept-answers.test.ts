import { limits, type TenantId, tenantId } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { Answer } from '../answer.ts'
import { eachServer, pepper, type TestServer } from '../testing/each-server.ts'
import { KeptAnswers } from './kept-answers.ts'

const once = { 'idempotency-key': 'k-1' }
const every = ['read', 'write', 'answer', 'run', 'admin'] as const

async function keyed(place: TestServer, userId?: string) {
  const asked = { name: 'k', scopes: every, userId }
  return place.caller.withKey((await place.server.keys?.create(tenantId('a'), asked))?.key ?? '')
}

function keptOf(place: TestServer) {
  return place.holdfast.forTenant('_keys').keptAnswers
}

eachServer('an idempotency key that no log knows', { pepper }, (place) => {
  it('gives the first answer again, marked, also when what it was about is gone', async () => {
    const caller = await keyed(place, 'u1')
    const { id } = (await caller.post('/v1/sessions', { agentId: 'agent' })).json
    const first = await caller.call('DELETE', `/v1/sessions/${id}`, { headers: once })
    await place.restart()
    const again = await caller.call('DELETE', `/v1/sessions/${id}`, { headers: once })
    expect([again.status, again.text]).toEqual([first.status, first.text])
    expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    expect((await caller.call('DELETE', `/v1/sessions/${id}`)).json.code).toBe('not_found')
  })

  it('stands for one request of one caller', async () => {
    const [caller, other] = [await keyed(place), await keyed(place)]
    const put = (who: typeof caller, path: string, body: object, headers: Record<string, string> = once) =>
      who.call('PUT', path, { body, headers })
    const first = await put(caller, '/v1/agents/a1', { name: 'n' })
    expect((await put(caller, '/v1/agents/a1', { name: 'else' })).json.code).toBe('key_conflict')
    expect((await put(caller, '/v1/agents/a2', { name: 'n' })).json.code).toBe('key_conflict')
    expect((await put(caller, '/v1/agents/a1', { name: 'else' }, {})).json.version).toBe(2)
    expect((await put(caller, '/v1/agents/a1', { name: 'n' })).json).toEqual(first.json)
    expect((await put(other, '/v1/agents/a1', { name: 'n' })).json.version).toBe(3)
    expect((await caller.get('/v1/agents/a1')).json.version).toBe(3)
  })

  it('is not used up by a refusal', async () => {
    const caller = await keyed(place)
    const current = () =>
      caller.call('PUT', '/v1/current-price-book', { body: { priceBookId: 'b' }, headers: once })
    expect((await current()).json.code).toBe('not_found')
    await caller.call('PUT', '/v1/price-books/b', { body: { prices: {} } })
    expect([(await current()).status, (await current()).headers.get('idempotency-replayed')]).toEqual([
      200,
      'true',
    ])
  })

  it('is of the lines of an import too', async () => {
    const caller = await keyed(place)
    const { id } = (await caller.post('/v1/sessions', { agentId: 'agent' })).json
    const { text } = await caller.get(`/v1/sessions/${id}/export`)
    const send = (raw: string) => caller.call('POST', '/v1/imports', { raw, headers: once })
    const copy = text.replaceAll(id, 'copy')
    expect((await send(copy)).json).toMatchObject({ sessionId: 'copy', isNew: true })
    expect((await send(copy)).json).toMatchObject({ sessionId: 'copy', isNew: true })
    expect((await send(text.replaceAll(id, 'other'))).json.code).toBe('key_conflict')
    expect((await caller.get('/v1/sessions/other')).status).toBe(404)
  })

  it('is forgotten after a day, and its place is used again', async () => {
    const caller = await keyed(place)
    const put = () => caller.call('PUT', '/v1/agents/a1', { body: { name: 'n' }, headers: once })
    for (let day = 1; day <= 3; day++) {
      expect((await put()).json.version).toBe(day)
      expect((await put()).json.version).toBe(day)
      place.clock.advance(limits.keyTtlMs)
    }
    expect((await keptOf(place).list()).records).toHaveLength(1)
  })

  it('leaves in the store nothing that can be read without it', async () => {
    const caller = await keyed(place)
    const body = { conversationId: 'c', kind: 'user', name: 'canary-person' }
    await caller.call('PUT', '/v1/participants/p1', { body, headers: { 'idempotency-key': 'canary-key' } })
    const { records } = await keptOf(place).list()
    expect(records).toHaveLength(1)
    expect(JSON.stringify(records)).not.toMatch(/canary/)
  })

  it('of a change whose outcome is not known has it finished, and not done twice', async () => {
    const kept = new KeptAnswers(place.holdfast, place.clock.now)
    const credential = { tenantId: 'a' as TenantId, scopes: new Set(every), actor: { kind: 'host' } as const }
    const use = { credential, key: 'k' }
    const asked = { method: 'PUT', url: 'http://h/x', body: { a: 1 } }
    const answer: Answer = { status: 200, json: { a: 1 } }
    const tries: boolean[] = []
    const lost = async (mayBeDone: boolean): Promise<Answer> => {
      tries.push(mayBeDone)
      throw new Error('the process died')
    }
    const done = async (mayBeDone: boolean): Promise<Answer> => {
      tries.push(mayBeDone)
      return answer
    }
    await expect(kept.once(use, asked, lost)).rejects.toThrow('died')
    await expect(kept.once(use, { ...asked, body: {} }, done)).rejects.toMatchObject({ code: 'key_conflict' })
    expect(await kept.once(use, asked, done)).toEqual(answer)
    expect(await kept.once(use, asked, done)).toMatchObject(answer)
    expect(tries).toEqual([false, true])
  })
})
