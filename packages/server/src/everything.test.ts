import { limits, toTime } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { serverLimits } from './limits.ts'
import type { Caller } from './testing/caller.ts'
import { eachServer } from './testing/each-server.ts'

const text = (words: string, role = 'user') => ({ role, parts: [{ type: 'text', text: words }] })

async function made(caller: Caller, body: object = {}): Promise<string> {
  return (await caller.post('/v1/sessions', { agentId: 'agent', ...body })).json.id
}

eachServer('everything else over HTTP', {}, (place) => {
  it('questions are asked, found in the inbox, answered once, or withdrawn', async () => {
    const { caller } = place
    const id = await made(caller, { ownerUserId: 'u1' })
    const asked = { questionId: 'q1', question: 'Sure?', options: ['yes', 'no'], allowCustom: false }
    const first = await caller.post(`/v1/sessions/${id}/questions`, asked)
    expect([first.status, first.json.questionId]).toEqual([201, 'q1'])
    expect((await caller.get('/v1/questions')).json.data).toMatchObject([{ id, openQuestionId: 'q1' }])
    const answer = (value: unknown) =>
      caller.post(`/v1/sessions/${id}/questions/q1/answer`, { answer: value })
    expect((await answer('maybe')).json.code).toBe('invalid_answer')
    expect((await answer('yes')).json.changed).toBe(true)
    expect((await answer('yes')).json.code).toBe('question_not_open')
    expect((await caller.get('/v1/questions')).json.data).toEqual([])
    await caller.post(`/v1/sessions/${id}/questions`, { ...asked, questionId: 'q2' })
    const withdrawn = await caller.post(`/v1/sessions/${id}/questions/q2/withdraw`, { reason: 'late' })
    expect(withdrawn.json.changed).toBe(true)
  })

  it('tasks are set and worked on', async () => {
    const { caller } = place
    const id = await made(caller)
    expect((await caller.get(`/v1/sessions/${id}/tasks`)).json.code).toBe('no_task_list')
    const list = { items: [{ id: 't1', description: 'Look', completionCriteria: ['seen'] }] }
    await caller.call('PUT', `/v1/sessions/${id}/tasks`, { body: { list } })
    const done = await caller.call('PATCH', `/v1/sessions/${id}/tasks/t1`, { body: { status: 'completed' } })
    expect(done.json).toMatchObject({ itemId: 't1', status: 'in_progress' })
    expect((await caller.get(`/v1/sessions/${id}/tasks`)).json.items).toHaveLength(1)
    const none = await caller.call('PATCH', `/v1/sessions/${id}/tasks/t9`, { body: { status: 'completed' } })
    expect([none.status, none.json.code]).toEqual([404, 'no_such_task'])
  })

  it('checkpoints and files are kept', async () => {
    const { caller } = place
    const id = await made(caller)
    expect((await caller.get(`/v1/sessions/${id}/checkpoints`)).json.code).toBe('not_found')
    await caller.post(`/v1/sessions/${id}/checkpoints`, { checkpointId: 'c1', channels: { a: [1] } })
    expect((await caller.get(`/v1/sessions/${id}/checkpoints`)).json).toMatchObject({
      checkpointId: 'c1',
      channels: { a: [1] },
    })
    const raw = new Uint8Array([0, 255, 10])
    const kept = await caller.call('POST', `/v1/sessions/${id}/attachments?name=a.bin`, { raw })
    expect(kept.json).toMatchObject({ bytes: 3, name: 'a.bin', mediaType: 'application/octet-stream' })
    const back = await caller.open('GET', `/v1/sessions/${id}/attachments/${kept.json.hash}`)
    expect(new Uint8Array(await back.arrayBuffer())).toEqual(raw)
    expect(back.headers.get('content-disposition')).toBe('attachment')
    expect((await caller.get(`/v1/sessions/${id}/attachments/${'0'.repeat(64)}`)).json.code).toBe('not_found')
  })

  it('usage is recorded once, listed, summed and rolled up', async () => {
    const { caller } = place
    const id = await made(caller)
    const usage = { attemptId: 'x1', promptTokens: 10, completionTokens: 5, model: 'm' }
    expect((await caller.post(`/v1/sessions/${id}/usage`, usage)).status).toBe(201)
    expect((await caller.post(`/v1/sessions/${id}/usage`, usage)).json).toEqual({ changed: false })
    expect((await caller.get(`/v1/sessions/${id}/usage`)).json.data).toMatchObject([{ attemptId: 'x1' }])
    expect((await caller.get(`/v1/sessions/${id}/usage/totals?tree=true`)).json).toMatchObject({
      rows: 1,
      promptTokens: 10,
    })
    const rolled = await caller.get('/v1/usage?by=model,day&agentId=agent')
    expect(rolled.json.data).toMatchObject([{ key: { model: 'm' }, rows: 1, costUnknown: 1 }])
    expect((await caller.get('/v1/usage?by=nothing')).json.code).toBe('invalid_input')
    expect((await caller.get('/v1/sessions/none/usage')).json.code).toBe('not_found')
  })

  it('price books are kept, one of them is current, and old usage is rated by another', async () => {
    const { caller } = place
    const book = { prices: {} }
    expect((await caller.call('PUT', '/v1/price-books/b1', { body: book })).status).toBe(200)
    expect((await caller.get('/v1/current-price-book')).json).toEqual({ priceBookId: null })
    await caller.call('PUT', '/v1/current-price-book', { body: { priceBookId: 'b1' } })
    expect((await caller.get('/v1/current-price-book')).json).toEqual({ priceBookId: 'b1' })
    expect((await caller.call('PUT', '/v1/current-price-book', { body: { priceBookId: 'b2' } })).status).toBe(
      404,
    )
    expect((await caller.get('/v1/usage/rerated/b1')).json).toEqual({ data: [], next: null })
  })

  it('search finds words, and says where', async () => {
    const { caller } = place
    const id = await made(caller)
    await caller.post(`/v1/sessions/${id}/messages`, text('a purple elephant'))
    const { json } = await caller.get('/v1/search?q=purple%20elephant')
    expect(json).toMatchObject({ data: [{ sessionId: id, seq: 3 }], next: null, behind: false })
    expect((await caller.get('/v1/search')).json.code).toBe('invalid_input')
  })

  it('records are put, read, listed by page, and guarded by their version', async () => {
    const { caller } = place
    for (const id of ['a1', 'a2', 'a3']) await caller.call('PUT', `/v1/agents/${id}`, { body: { name: id } })
    const page = await caller.get('/v1/agents?limit=2')
    expect([page.json.data.length, page.json.next]).toEqual([2, 'a2'])
    expect((await caller.get('/v1/agents?after=a2')).json.data).toMatchObject([{ id: 'a3', version: 1 }])
    const put = (headers: Record<string, string>) =>
      caller.call('PUT', '/v1/agents/a1', { body: { name: 'new' }, headers })
    expect((await put({ 'if-match': '"1"' })).json.version).toBe(2)
    expect((await put({ 'if-match': '"1"' })).json.code).toBe('version_conflict')
    const seed = (goal: string) => caller.call('PUT', '/v1/seeds/s1', { body: { goal } })
    expect((await seed('one')).status).toBe(200)
    expect((await seed('one')).status).toBe(200)
    expect((await seed('two')).json.code).toBe('id_taken')
    await caller.call('PUT', '/v1/conversations/c1', { body: {} })
    await caller.call('PUT', '/v1/participants/p1', { body: { conversationId: 'c1', kind: 'user' } })
    expect((await caller.get('/v1/participants?conversationId=c1')).json.data).toHaveLength(1)
    expect((await caller.get('/v1/participants?conversationId=c2')).json.data).toHaveLength(0)
    expect((await caller.get('/v1/personas/none')).json.code).toBe('not_found')
  })

  it('sessions are pruned, held, erased; people are forgotten', async () => {
    const { caller } = place
    const id = await made(caller, { ownerUserId: 'u1' })
    await caller.post(`/v1/sessions/${id}/messages`, { messages: [text('secret'), text('also secret')] })
    place.clock.advance(10_000)
    expect((await caller.post('/v1/prune', { olderThanMs: 1_000, dryRun: true })).json.sessionIds).toEqual([
      id,
    ])
    await caller.post(`/v1/sessions/${id}/hold`, { held: true })
    expect((await caller.call('DELETE', `/v1/sessions/${id}?force=true`)).json.code).toBe('session_held')
    await caller.post(`/v1/sessions/${id}/hold`, { held: false })
    expect((await caller.post(`/v1/sessions/${id}/erase`, { seqs: [3] })).json).toMatchObject({ sessions: 1 })
    await caller.post(`/v1/sessions/${id}/messages/4/erase?scrub=false`)
    expect((await caller.get(`/v1/sessions/${id}/events`)).text).not.toContain('secret')
    expect((await caller.post('/v1/users/u1/erase', {})).json.deletedSessions).toBe(1)
    expect((await caller.post('/v1/scrub')).json.finalAt).toBe(toTime(place.clock.now()))
  })

  describe('what cannot be taken is refused', () => {
    it('by what is wrong with it', async () => {
      const { caller } = place
      const id = await made(caller)
      const path = `/v1/sessions/${id}/messages`
      const json = { 'content-type': 'application/json' }
      const refused = async (sent: Parameters<Caller['call']>[2], to = path, method = 'POST') => {
        const { status, json: body, headers } = await caller.call(method, to, sent)
        expect(headers.get('content-type')).toBe('application/problem+json')
        expect(body.requestId).toBe(headers.get('x-request-id'))
        return [status, body.code]
      }
      expect(await refused({ raw: '{}' })).toEqual([415, 'unsupported_media_type'])
      expect(await refused({ raw: '{', headers: json })).toEqual([400, 'invalid_input'])
      expect(await refused({ raw: '[1]', headers: json })).toEqual([400, 'invalid_input'])
      expect(await refused({ headers: json })).toEqual([400, 'invalid_input'])
      expect(await refused({ raw: '{"a":1,"a":2}', headers: json })).toEqual([400, 'invalid_input'])
      expect(await refused({ raw: new Uint8Array([0x7b, 0xff]), headers: json })).toEqual([
        400,
        'invalid_input',
      ])
      expect(await refused({ body: { role: 'user' } })).toEqual([400, 'invalid_input'])
      expect(await refused({ raw: '['.repeat(10_000), headers: json })).toEqual([413, 'limit_exceeded'])
      expect(await refused({ body: text('x') }, `${path}?policy=never`)).toEqual([400, 'invalid_input'])
      expect(await refused({ body: text('x') }, `${path}?polcy=steer`)).toEqual([400, 'invalid_input'])
      expect(await refused({ body: text('x'), headers: { 'idempotency-key': 'a b' } })).toEqual([
        400,
        'invalid_input',
      ])
      expect(await refused({}, '/v1/nothing', 'GET')).toEqual([404, 'unknown_route'])
      expect(await refused({}, '/v1/sessions/a b%zz', 'GET')).toEqual([404, 'not_found'])
      expect(await refused({}, path, 'DELETE')).toEqual([405, 'method_not_allowed'])
      expect((await caller.call('DELETE', path)).headers.get('allow')).toBe('POST, GET')
    })

    it('when it is larger than serverLimits.requestBytes, whether or not it says so', async () => {
      const path = `/v1/sessions/${await made(place.caller)}/messages`
      const headers = { 'content-type': 'application/json' }
      const details = { limit: 'requestBytes', max: serverLimits.requestBytes }
      const large = 'x'.repeat(serverLimits.requestBytes + 1)
      const said = await place.caller.call('POST', path, {
        raw: large,
        headers: { ...headers, 'content-length': String(large.length) },
      })
      expect([said.status, said.json.details]).toEqual([413, { ...details, actual: large.length }])
      const unsaid = await place.caller.call('POST', path, { raw: large, headers })
      expect([unsaid.status, unsaid.json.details.limit]).toEqual([413, 'requestBytes'])
      const file = await place.caller.call('POST', path.replace('messages', 'attachments'), {
        raw: new Uint8Array(limits.attachmentBytes + 1),
      })
      expect([file.status, file.json.details.limit]).toEqual([413, 'attachmentBytes'])
    })

    it.each([
      ['that it is long', {}, 413, limits.attachmentBytes],
      ['that it is longer than it said', { 'content-length': '3' }, 400, 0],
    ])('while its file is still coming: %s, and nothing of it is kept', async (_, headers, status, most) => {
      const id = await made(place.caller)
      const mebibyte = 1024 * 1024
      let sent = 0
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
        sent += mebibyte
        controller.enqueue(new Uint8Array(mebibyte))
      }
      const request = new Request(`http://localhost/v1/sessions/${id}/attachments`, {
        method: 'POST',
        headers,
        body: new ReadableStream({ pull }, { highWaterMark: 0 }),
        duplex: 'half',
      } as RequestInit)
      expect((await place.server.fetch(request)).status).toBe(status)
      expect(sent).toBeLessThanOrEqual(most + 2 * mebibyte)
      expect((await place.caller.get(`/v1/sessions/${id}/events`)).json.data).toHaveLength(1)
    })

    it('when its address is longer than serverLimits.urlBytes', async () => {
      const { status, json } = await place.caller.get(
        `/v1/sessions?agentId=${'a'.repeat(serverLimits.urlBytes)}`,
      )
      expect([status, json.details.limit]).toEqual([413, 'urlBytes'])
    })

    it('when it would wait longer than serverLimits.waitSecs', async () => {
      const id = await made(place.caller)
      const { json } = await place.caller.get(`/v1/sessions/${id}/events?wait=${serverLimits.waitSecs + 1}`)
      expect(json.details.limit).toBe('waitSecs')
    })
  })

  it('a request keeps the id that it came with, and every answer is closed to browsers', async () => {
    const { headers } = await place.caller.get('/healthz', { headers: { 'x-request-id': 'mine-1' } })
    expect(headers.get('x-request-id')).toBe('mine-1')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('access-control-allow-origin')).toBeNull()
    const odd = await place.caller.get('/healthz', { headers: { 'x-request-id': 'a b' } })
    expect(odd.headers.get('x-request-id')).not.toBe('a b')
  })

  it('health is told apart from readiness', async () => {
    const { caller } = place
    expect((await caller.get('/healthz')).json).toEqual({ status: 'ok' })
    expect((await caller.get('/readyz')).json.status).toBe('ready')
    place.server.drain()
    expect((await caller.get('/healthz')).status).toBe(200)
    const { status, json, headers } = await caller.get('/readyz')
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'server_draining', '1'])
  })
})
