import { limits } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { Caller } from './testing/caller.ts'
import { eachServer } from './testing/each-server.ts'

const text = (words: string, role = 'user') => ({ role, parts: [{ type: 'text', text: words }] })

async function made(caller: Caller, body: object = {}): Promise<string> {
  const { id } = (await caller.post('/v1/sessions', { agentId: 'agent', ...body })).json
  return `/v1/sessions/${id}`
}

eachServer('runs, children and context over HTTP', {}, (place) => {
  it('a worker elsewhere starts a run, writes to it under its epoch, and ends it', async () => {
    const { caller } = place
    const path = await made(caller)
    await caller.post(`${path}/messages`, text('Where is it?'))
    const started = await caller.post(`${path}/run`, { owner: 'w1', ttlMs: 60_000 })
    expect([started.status, started.json.state]).toEqual([201, 'initializing'])
    const { epoch } = started.json
    const batch = (...commands: object[]) => caller.post(`${path}/run/batch`, { epoch, commands })
    expect((await batch({ type: 'startRound' })).json).toMatchObject({
      changed: true,
      state: 'running',
      epoch,
    })
    expect((await caller.post(`${path}/run/heartbeat`, { epoch, ttlMs: 1_000 })).json.epoch).toBe(epoch)
    const answered = await batch(
      { type: 'append', message: text('On its way.', 'assistant') },
      { type: 'completeRound' },
      { type: 'completeRun' },
    )
    expect(answered.json).toMatchObject({ state: 'completed', messages: [{ seq: expect.any(Number) }] })
    expect((await caller.get(path)).json).toMatchObject({ status: 'idle', counters: { turnCount: 1 } })
    const late = await batch({ type: 'startRound' })
    expect(late.json.code).toBe('no_live_run')
    expect((await batch({ type: 'erase' })).json.code).toBe('invalid_input')
  })

  it('a run whose worker is gone is taken over, and the old worker must stop', async () => {
    const { caller, clock } = place
    const path = await made(caller)
    await caller.post(`${path}/messages`, text('go'))
    const { epoch } = (await caller.post(`${path}/run`, { owner: 'w1', ttlMs: 1_000 })).json
    const takeOver = { owner: 'w2', ttlMs: 1_000 }
    expect((await caller.post(`${path}/run/take-over`, takeOver)).json.code).toBe('lease_held')
    clock.advance(limits.leaseTtlMs)
    const taken = await caller.post(`${path}/run/take-over`, takeOver)
    expect(taken.json.epoch).toBe(epoch + 1)
    for (const [what, body] of [
      ['heartbeat', { epoch, ttlMs: 1_000 }],
      ['batch', { epoch, commands: [{ type: 'startRound' }] }],
    ] as const) {
      expect((await caller.post(`${path}/run/${what}`, body)).json.code).toBe('stale_epoch')
    }
  })

  it('a suspended run is resumed or cancelled, a live one asked to stop', async () => {
    const { caller } = place
    const path = await made(caller)
    await caller.post(`${path}/messages`, text('go'))
    const lease = { owner: 'w1', ttlMs: 60_000 }
    const { epoch } = (await caller.post(`${path}/run`, lease)).json
    expect((await caller.post(`${path}/run/cancel`, {})).json.code).toBe('run_live')
    const suspend = { type: 'suspendRun', reason: 'approval' }
    await caller.post(`${path}/run/batch`, { epoch, commands: [suspend] })
    const resumed = await caller.post(`${path}/run/resume`, lease)
    expect(resumed.json.epoch).toBe(epoch + 1)
    expect((await caller.post(`${path}/run/stop`, { reason: 'late' })).json.changed).toBe(true)
    expect((await caller.get(path)).json.run.stopRequested).toBe(true)
    await caller.post(`${path}/run/batch`, { epoch: epoch + 1, commands: [suspend] })
    expect((await caller.post(`${path}/run/cancel`, { reason: 'enough' })).json.changed).toBe(true)
    expect((await caller.post(`${path}/run/resume`, lease)).json.code).toBe('illegal_transition')
  })

  it('children are spawned once, listed and finished', async () => {
    const { caller } = place
    const path = await made(caller, { ownerUserId: 'u1' })
    const child = { agentId: 'courier', childId: 'child-1', grant: { tokens: 100 } }
    const first = await caller.post(`${path}/children`, child)
    expect([first.status, first.json.childId]).toEqual([201, 'child-1'])
    expect((await caller.post(`${path}/children`, child)).json).toEqual(first.json)
    const { data } = (await caller.get(`${path}/children`)).json
    expect(data).toMatchObject([{ id: 'child-1', ownerUserId: 'u1', lineage: 'child' }])
    const ended = { outcome: 'completed', spent: { tokens: 7, costMicrocents: 0, toolCalls: 0 } }
    expect((await caller.post(`${path}/children/child-1/finish`, ended)).json.changed).toBe(true)
    expect((await caller.post(`${path}/children/child-9/finish`, ended)).json.code).toBe('child_not_open')
  })

  it('the context is measured, trimmed and cleared, a prompt kept, metadata replaced', async () => {
    const { caller } = place
    const path = await made(caller, { metadata: { a: 1 } })
    const { messages } = (await caller.post(`${path}/messages`, { messages: [text('one'), text('two')] }))
      .json
    const usage = { totalTokens: 90, budgetTokens: 100 }
    await caller.post(`${path}/context/usage`, { usage })
    const prompt = { sections: [{ name: 'role', text: 'Be kind.' }], effectiveText: 'Be kind.' }
    await caller.call('PUT', `${path}/prompt`, { body: { prompt } })
    await caller.call('PUT', `${path}/metadata`, { body: { values: { b: 2 } } })
    expect((await caller.get(path)).json).toMatchObject({
      contextUsage: usage,
      promptSnapshot: prompt,
      metadata: { b: 2 },
    })
    const trim = { trimmed: 1, throughSeq: messages[0].seq }
    expect((await caller.post(`${path}/context/trim`, trim)).json.changed).toBe(true)
    expect((await caller.post(`${path}/context/clear`)).json.changed).toBe(true)
    expect((await caller.get(path)).json.contextUsage).toBeUndefined()
    expect((await caller.get(`${path}/messages?after=0`)).json.data).toHaveLength(2)
    const compact = { record: {}, pathSeq: 1, summary: 's', summaryTokens: 1 }
    expect((await caller.post(`${path}/context/compact`, compact)).json.code).toBe('invalid_input')
  })

  it('a session is exported, deleted elsewhere, and comes back as the same log', async () => {
    const { caller } = place
    const path = await made(caller)
    const file = (await caller.call('POST', `${path}/attachments`, { raw: 'bytes' })).json
    await caller.post(`${path}/messages`, {
      role: 'user',
      parts: [
        { type: 'text', text: 'größer\u2028?' },
        { type: 'file', ...file },
      ],
    })
    const log = await caller.get(`${path}/events`)
    const exported = await caller.get(`${path}/export`)
    expect(exported.headers.get('content-type')).toBe('application/x-ndjson')
    const other = await caller.get(`${path}/export?format=openai-chat`)
    expect(other.text).toContain('größer')
    const again = await caller.call('POST', '/v1/imports', { raw: exported.text })
    expect(again.json).toMatchObject({ isNew: false, events: 0 })
    await place.fresh()
    const came = await place.caller.call('POST', '/v1/imports', { raw: exported.text })
    expect(came.json).toMatchObject({ isNew: true, events: log.json.data.length })
    expect((await place.caller.get(`${path}/events`)).text).toBe(log.text)
    expect((await place.caller.get(`${path}/attachments/${file.hash}`)).text).toBe('bytes')
  })

  it('an import that is no export is refused, and one that is broken keeps what stood before', async () => {
    const { caller } = place
    for (const raw of ['', '{"a":1}', 'x', '[]', '{"holdfast":9,"sessionId":"s"}', new Uint8Array([0xff])])
      expect((await caller.call('POST', '/v1/imports', { raw })).json.code, String(raw)).toBe('invalid_input')
    const long = `{"holdfast":1,"x":"${'x'.repeat(limits.lineBytes)}`
    expect((await caller.call('POST', '/v1/imports', { raw: long })).json.code).toBe('limit_exceeded')
    expect((await caller.get('/v1/sessions/none/export')).json.code).toBe('not_found')
    const path = await made(caller)
    expect((await caller.get(`${path}/export?format=codex2`)).json.code).toBe('invalid_input')
  })
})
