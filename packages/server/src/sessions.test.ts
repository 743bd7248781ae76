import { expect, it } from 'vitest'
import { eachServer } from './testing/each-server.ts'

const text = (words: string, role = 'user') => ({ role, parts: [{ type: 'text', text: words }] })

eachServer('sessions over HTTP', {}, (place) => {
  async function made(body: object = {}): Promise<string> {
    const { status, json } = await place.caller.post('/v1/sessions', { agentId: 'agent', ...body })
    expect(status).toBe(201)
    return json.id
  }

  it('are made, read and listed', async () => {
    const { caller } = place
    const answer = await caller.post('/v1/sessions', { agentId: 'support', ownerUserId: 'u1' })
    expect(answer.status).toBe(201)
    expect(answer.json).toMatchObject({ agentId: 'support', ownerUserId: 'u1', status: 'created', seq: 1 })
    expect(answer.headers.get('location')).toBe(`/v1/sessions/${answer.json.id}`)
    const read = await caller.get(`/v1/sessions/${answer.json.id}`)
    expect(read.json).toEqual(answer.json)
    expect(read.headers.get('etag')).toBe('"1"')
    const list = await caller.get('/v1/sessions?ownerUserId=u1')
    expect(list.json).toMatchObject({ data: [{ id: answer.json.id }], next: null })
    expect((await caller.get('/v1/sessions?ownerUserId=u2')).json).toEqual({ data: [], next: null })
  })

  it('are listed page by page, and a cursor is good only for its filters', async () => {
    const { caller } = place
    for (let n = 0; n < 5; n++) await made({ agentId: 'a' })
    const seen: string[] = []
    let after = ''
    for (;;) {
      const { json } = await caller.get(`/v1/sessions?agentId=a&limit=2${after && `&after=${after}`}`)
      seen.push(...json.data.map(({ id }: { id: string }) => id))
      if (json.next === null) break
      after = json.next
    }
    expect(new Set(seen).size).toBe(5)
    const other = await caller.get(`/v1/sessions?agentId=b&limit=2&after=${after}`)
    expect([other.status, other.json.code]).toEqual([400, 'invalid_cursor'])
  })

  it('made twice with one idempotency key are one, and the replay is marked', async () => {
    const { caller } = place
    const key = { 'idempotency-key': 'k1' }
    const first = await caller.post('/v1/sessions', { agentId: 'agent' }, key)
    const again = await caller.post('/v1/sessions', { agentId: 'agent' }, key)
    expect(again.text).toBe(first.text)
    expect(first.headers.has('idempotency-replayed')).toBe(false)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    const other = await caller.post('/v1/sessions', { agentId: 'another' }, key)
    expect([other.status, other.json.code]).toEqual([422, 'key_conflict'])
  })

  it('take messages, and give them back', async () => {
    const { caller } = place
    const id = await made()
    const first = await caller.post(`/v1/sessions/${id}/messages`, text('Where is my order?'))
    expect(first.status).toBe(201)
    expect(first.json).toMatchObject({ changed: true, messages: [{ id: '3', seq: 3 }] })
    const batch = await caller.post(`/v1/sessions/${id}/messages`, {
      messages: [text('It arrives on Thursday.', 'assistant'), text('Thanks')],
    })
    expect(batch.json.messages).toHaveLength(2)
    const { json } = await caller.get(`/v1/sessions/${id}/messages`)
    expect(json.data.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant', 'user'])
    expect(json).toMatchObject({ older: null, next: '5' })
    expect((await caller.get(`/v1/sessions/${id}/messages?limit=1`)).json.older).toBe('5')
    const { json: context } = await caller.get(`/v1/sessions/${id}/context`)
    expect(context.data).toHaveLength(3)
  })

  it('answer a replayed append with the very same body', async () => {
    const id = await made()
    const key = { 'idempotency-key': 'm1' }
    const first = await place.caller.post(`/v1/sessions/${id}/messages`, text('once'), key)
    await place.restart()
    const again = await place.caller.post(`/v1/sessions/${id}/messages`, text('once'), key)
    expect(again.text).toBe(first.text)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect((await place.caller.get(`/v1/sessions/${id}/messages`)).json.data).toHaveLength(1)
  })

  it('refuse a write whose version is not theirs any more', async () => {
    const { caller } = place
    const id = await made()
    const tag = (await caller.get(`/v1/sessions/${id}`)).headers.get('etag') ?? ''
    const renamed = await caller.call('PATCH', `/v1/sessions/${id}`, {
      body: { title: 'One' },
      headers: { 'if-match': tag },
    })
    expect(renamed.json).toMatchObject({ changed: true, version: 2 })
    expect(renamed.headers.get('etag')).toBe('"2"')
    const stale = await caller.call('PATCH', `/v1/sessions/${id}`, {
      body: { title: 'Two' },
      headers: { 'if-match': tag },
    })
    expect([stale.status, stale.json.code, stale.json.retry]).toEqual([412, 'version_conflict', 'reload'])
    const odd = await caller.call('PATCH', `/v1/sessions/${id}`, {
      body: { title: 'Two' },
      headers: { 'if-match': '*' },
    })
    expect([odd.status, odd.json.code]).toEqual([400, 'invalid_input'])
  })

  it('refuse a version where there is none to hold it against', async () => {
    const { caller } = place
    const id = await made()
    const fork = await caller.call('POST', `/v1/sessions/${id}/fork`, { headers: { 'if-match': '"1"' } })
    expect([fork.status, fork.json.code]).toEqual([400, 'invalid_input'])
    const read = await caller.call('GET', `/v1/sessions/${id}`, { headers: { 'if-match': '"9"' } })
    expect(read.status).toBe(200)
  })

  it('change all that a patch names, or nothing', async () => {
    const { caller } = place
    const id = await made()
    await caller.call('PUT', '/v1/personas/p1', { body: { name: 'Ada' } })
    const patch = { title: 'T', pinned: true, metadata: { a: 1 }, personaId: 'p1', reasoningEffort: 'low' }
    expect((await caller.call('PATCH', `/v1/sessions/${id}`, { body: patch })).status).toBe(200)
    expect((await caller.get(`/v1/sessions/${id}`)).json).toMatchObject(patch)
    const none = await caller.call('PATCH', `/v1/sessions/${id}`, { body: { title: 'U', personaId: 'p2' } })
    expect(none.json.code).toBe('not_found')
    expect((await caller.get(`/v1/sessions/${id}`)).json.title).toBe('T')
    expect((await caller.call('PATCH', `/v1/sessions/${id}`, { body: {} })).json.code).toBe('invalid_input')
  })

  it('are edited, truncated, undone and redone', async () => {
    const { caller } = place
    const id = await made()
    const texts = async (): Promise<string[]> =>
      (await caller.get(`/v1/sessions/${id}/messages`)).json.data.map(
        ({ parts }: { parts: { text: string }[] }) => parts[0]?.text,
      )
    await caller.post(`/v1/sessions/${id}/messages`, { messages: [text('a'), text('b', 'assistant')] })
    const [first] = (await caller.get(`/v1/sessions/${id}/messages`)).json.data
    await caller.call('PUT', `/v1/sessions/${id}/messages/${first.id}`, { body: text('c') })
    expect(await texts()).toEqual(['c'])
    await caller.post(`/v1/sessions/${id}/undo`)
    expect(await texts()).toEqual([])
    await caller.post(`/v1/sessions/${id}/redo`, {})
    expect(await texts()).toEqual(['c'])
    expect((await caller.post(`/v1/sessions/${id}/redo`)).json.code).toBe('nothing_to_redo')
    await caller.post(`/v1/sessions/${id}/truncate`, { seq: 2 })
    expect(await texts()).toEqual([])
  })

  it('are forked, compared and shown as a tree', async () => {
    const { caller } = place
    const id = await made()
    await caller.post(`/v1/sessions/${id}/messages`, { messages: [text('a'), text('b', 'assistant')] })
    const fork = await caller.post(`/v1/sessions/${id}/fork`, { atSeq: 3, title: 'Branch' })
    expect([fork.status, fork.json.forkedFrom]).toEqual([201, { sessionId: id, seq: 3 }])
    const { json } = await caller.get(`/v1/sessions/${id}/compare?with=${fork.json.id}`)
    expect(json.commonSeq).toBe(3)
    expect((await caller.get(`/v1/sessions/${id}/compare`)).json.code).toBe('invalid_input')
    const tree = await caller.get(`/v1/sessions/${id}/tree`)
    expect(tree.json).toMatchObject({ session: { id }, children: [] })
    expect((await caller.call('DELETE', `/v1/sessions/${id}`)).json.code).toBe('has_forks')
    const gone = await caller.call('DELETE', `/v1/sessions/${id}?cascade=true`)
    expect(gone.json.sessionIds.sort()).toEqual([id, fork.json.id].sort())
    expect((await caller.get(`/v1/sessions/${id}`)).status).toBe(404)
  })

  it('are closed once, and then only read', async () => {
    const { caller } = place
    const id = await made()
    await caller.post(`/v1/sessions/${id}/activate`)
    expect((await caller.post(`/v1/sessions/${id}/close`, { outcome: 'completed' })).json.changed).toBe(true)
    expect((await caller.post(`/v1/sessions/${id}/close`)).json).toEqual({ changed: false })
    const late = await caller.post(`/v1/sessions/${id}/messages`, text('late'))
    expect([late.status, late.json.code]).toEqual([409, 'session_closed'])
    expect((await caller.get(`/v1/sessions/${id}`)).json.status).toBe('completed')
  })

  it('give their log as a page of whole events', async () => {
    const { caller } = place
    const id = await made()
    await caller.post(`/v1/sessions/${id}/messages`, { messages: [text('a'), text('b', 'assistant')] })
    const page = await caller.get(`/v1/sessions/${id}/events?after=0&limit=2`)
    expect(page.json.data.map(({ type }: { type: string }) => type)).toEqual([
      'session.created',
      'session.activated',
    ])
    expect(page.json.next).toBe('2')
    const rest = await caller.get(`/v1/sessions/${id}/events?after=${page.json.next}`)
    expect([rest.json.data.length, rest.json.next]).toEqual([2, null])
    expect(
      (await caller.get(`/v1/sessions/${id}/events`, { headers: { 'last-event-id': '3' } })).json.data,
    ).toHaveLength(1)
    expect((await caller.get(`/v1/sessions/${id}/events?after=x`)).json.code).toBe('invalid_cursor')
  })

  it('want no body where the caller says so', async () => {
    const id = await made()
    const prefer = { prefer: 'return=minimal' }
    const created = await place.caller.post(`/v1/sessions/${id}/messages`, text('a'), prefer)
    expect([created.status, created.text]).toEqual([201, ''])
    const closed = await place.caller.post(`/v1/sessions/${id}/close`, {}, prefer)
    expect([closed.status, closed.text, closed.headers.get('preference-applied')]).toEqual([
      204,
      '',
      'return=minimal',
    ])
  })
})
