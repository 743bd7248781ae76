/** Agents that work in the server, asked over HTTP. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { askQuestion, defineAgent, defineTool, hostAgents } from '@holdfast/agent'
import { type Asked, type ScriptEntry, scriptedModel } from '@holdfast/agent/testing'
import { createClient, type HoldfastClient } from '@holdfast/client'
import type { Holdfast } from '@holdfast/core'
import { tenantId } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { z } from 'zod'
import type { Keys } from './access/keys.ts'
import { Caller } from './testing/caller.ts'
import { eachServer, pepper, type TestServer } from './testing/each-server.ts'
import { type Frame, framesOf } from './testing/sse.ts'

const sky = defineTool({
  name: 'sky',
  description: 'How the sky is',
  input: z.object({}),
  execute: () => 'clear',
})

/** A model that waits to be let on. */
let gate = Promise.withResolvers<void>()

function script({ lastUserText, results }: Asked): ScriptEntry | Promise<ScriptEntry> {
  if (results.length > 0) return `It is ${results.map(({ output }) => output).join()}.`
  if (lastUserText === 'sky?') return { parts: [{ type: 'tool_call', name: 'sky', input: {} }] }
  if (lastUserText === 'ask me')
    return { parts: [{ type: 'tool_call', name: 'ask_question', input: { question: 'Which?' } }] }
  if (lastUserText === 'wait') return gate.promise.then(() => 'Waited.')
  return `You said ${lastUserText}.`
}

function agentsOn(holdfast: Holdfast, clock: () => number) {
  const helper = defineAgent({
    id: 'helper',
    model: scriptedModel({ script }),
    tools: [sky, askQuestion],
    name: 'Helper',
  })
  return { agents: hostAgents(holdfast, { agents: [helper], clock, pollMs: 0 }), heartbeatMs: 5 }
}

async function untilState({ caller }: TestServer, path: string, state: string): Promise<void> {
  while ((await caller.get(path)).json.run?.state !== state) await nextTurn()
}

async function untilWaiting({ caller }: TestServer, path: string): Promise<void> {
  const appended = async () => JSON.stringify((await caller.get(`${path}/events`)).json)
  while (!(await appended()).includes('"waiting"')) await nextTurn()
}

async function made(caller: Caller, body: object = {}): Promise<string> {
  const { id } = (await caller.post('/v1/sessions', { agentId: 'helper', ...body })).json
  return `/v1/sessions/${id}`
}

function clientOf({ server }: TestServer): HoldfastClient {
  return createClient({ url: 'http://localhost', fetch: async (request) => server.fetch(request) })
}

eachServer('turns over HTTP', agentsOn, (place) => {
  it('an answer in JSON comes at the end of the turn, with its usage', async () => {
    const path = await made(place.caller)
    const { status, headers, json } = await place.caller.post(`${path}/turns`, { input: 'sky?' })
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(json).toMatchObject({
      outcome: 'completed',
      text: 'It is clear.',
      message: { role: 'assistant' },
      usage: { attempts: 2, costUnknown: 2 },
    })
    expect(json.usage.promptTokens).toBeGreaterThan(0)
    expect((await place.caller.get(path)).json).toMatchObject({ status: 'idle', counters: { turnCount: 1 } })
  })

  it('white space keeps the connection of who waits, until the answer', async () => {
    const path = await made(place.caller)
    gate = Promise.withResolvers()
    const caller = new Caller((request) => place.server.fetch(request))
    const response = await caller.open('POST', `${path}/turns`, { body: { input: 'wait' } })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const first = await reader.read()
    expect(new TextDecoder().decode(first.value)).toBe(' ')
    gate.resolve()
    let text = ''
    for (let read = await reader.read(); !read.done; read = await reader.read())
      text += new TextDecoder().decode(read.value)
    expect(JSON.parse(text)).toMatchObject({ outcome: 'completed', text: 'Waited.' })
  })

  it('a stream has the events of the log, from the input to the end of the run, and then ends', async () => {
    const path = await made(place.caller)
    const headers = { accept: 'text/event-stream' }
    const response = await place.caller.open('POST', `${path}/turns`, { body: { input: 'sky?' }, headers })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const frames: Frame[] = []
    for await (const frame of framesOf(response.body as ReadableStream<Uint8Array>)) frames.push(frame)
    const sent = frames.filter(({ event }) => event && !event.startsWith('draft'))
    const { data } = (await place.caller.get(`${path}/events`)).json
    expect(sent.map((frame) => JSON.parse(frame.data ?? ''))).toEqual(data.slice(-sent.length))
    expect(sent[0]?.event).toMatch(/^session\.activated|message\.appended$/)
    expect(sent.at(-1)?.event).toBe('run.completed')
    expect(frames.some(({ event }) => event === 'draft')).toBe(true)
  })

  it('the same input under one key is one turn, and the second answer says so', async () => {
    const path = await made(place.caller)
    const ask = () => place.caller.post(`${path}/turns`, { input: 'hello' }, { 'idempotency-key': 'k' })
    const first = await ask()
    const second = await ask()
    expect(second.json).toEqual(first.json)
    expect([first, second].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    expect((await place.caller.get(path)).json.counters.turnCount).toBe(1)
  })

  it('who does not wait is told from where to follow', async () => {
    const path = await made(place.caller)
    const { json } = await place.caller.post(`${path}/turns`, { input: 'hello', wait: false })
    expect(json).toEqual({ after: expect.any(String), messageId: expect.any(String), waiting: false })
  })

  it('a client follows a turn to its end, and stops it', async () => {
    const client = clientOf(place)
    const { id } = await client.sessions.create({ agentId: 'helper' })
    const turn = client.sessions.turn(id, 'sky?')
    const types: string[] = []
    for await (const item of turn) if (item.type === 'event') types.push(item.event.type)
    expect(types.at(-1)).toBe('run.completed')
    expect(await turn.result).toMatchObject({ outcome: 'completed', text: 'It is clear.' })
    gate = Promise.withResolvers()
    const waiting = client.sessions.turn(id, 'wait')
    await waiting.accepted()
    await client.sessions.stopRun(id)
    expect((await waiting.result).outcome).toBe('cancelled')
    gate.resolve()
  })

  it('a question ends the wait, and its answer goes on with the run', async () => {
    const client = clientOf(place)
    const { id } = await client.sessions.create({ agentId: 'helper' })
    const asked = (await place.caller.post(`/v1/sessions/${id}/turns`, { input: 'ask me' })).json
    expect(asked).toMatchObject({ outcome: 'suspended', question: { question: 'Which?' } })
    const { seq } = await client.sessions.get(id)
    await client.sessions.answer(id, asked.question.questionId, 'this one')
    for await (const item of client.sessions.follow(id, { after: String(seq) }))
      if (item.type === 'event' && item.event.type === 'run.completed') break
    const { data } = await client.sessions.messages(id)
    expect(JSON.stringify(data.at(-1))).toContain('this one')
  })

  it('a session with a goal is worked on without input, once', async () => {
    const path = await made(place.caller, { purpose: 'autonomous', goalText: 'peace' })
    const first = (await place.caller.post(`${path}/turns`, {})).json
    expect(first).toMatchObject({ outcome: 'completed', text: 'You said peace.' })
    expect((await place.caller.post(`${path}/turns`, {})).json.runId).toBe(first.runId)
    const without = await made(place.caller)
    expect((await place.caller.post(`${without}/turns`, {})).json.code).toBe('invalid_input')
  })

  it('the context is compacted when somebody asks', async () => {
    const path = await made(place.caller)
    expect((await place.caller.post(`${path}/compact`)).json).toEqual({ compacted: false })
    for (const input of ['one', 'two', 'three', 'four', 'five', 'six'])
      await place.caller.post(`${path}/turns`, { input })
    const { json } = await place.caller.post(`${path}/compact`, { instructions: 'Keep names.' })
    expect(json).toEqual({ compacted: true })
  })

  it('what the model would be sent is shown, and nothing is written for it', async () => {
    const path = await made(place.caller)
    await place.caller.post(`${path}/turns`, { input: 'sky?' })
    const { seq } = (await place.caller.get(path)).json
    const { status, json } = await place.caller.get(`${path}/context/model`)
    expect([status, json.tools, json.messages.length]).toEqual([200, ['sky', 'ask_question'], 4])
    expect(json.tokens.total).toBeGreaterThan(0)
    expect((await place.caller.get(path)).json.seq).toBe(seq)
  })

  it('a session has what its agent says, unless its maker says otherwise', async () => {
    const path = await made(place.caller)
    const named = await made(place.caller, { agentName: 'Mine' })
    expect((await place.caller.get(path)).json.agentName).toBe('Helper')
    expect((await place.caller.get(named)).json.agentName).toBe('Mine')
  })

  it('a turn put down when the server stopped is answered by the next one, under the same key', async () => {
    const path = await made(place.caller)
    gate = Promise.withResolvers()
    const caller = new Caller((request) => place.server.fetch(request))
    const ask = () => caller.post(`${path}/turns`, { input: 'wait' }, { 'idempotency-key': 'k' })
    const left = expect(ask()).rejects.toThrow()
    await untilState(place, path, 'running')
    await place.restart()
    await left
    gate.resolve()
    place.server.agents?.in(place.holdfast.tenantId).wake(path.split('/').at(-1) ?? '')
    expect((await ask()).json).toMatchObject({ outcome: 'completed', text: 'Waited.' })
  })

  it('who waits behind a turn hears it when the session is closed', async () => {
    const path = await made(place.caller)
    gate = Promise.withResolvers()
    const caller = new Caller((request) => place.server.fetch(request))
    const first = caller.post(`${path}/turns`, { input: 'wait' })
    await untilState(place, path, 'running')
    const second = caller.post(`${path}/turns`, { input: 'and then?' })
    await untilWaiting(place, path)
    await caller.post(`${path}/close`, { cancel: true })
    gate.resolve()
    expect((await first).json.outcome).toBe('cancelled')
    expect((await second).json).toMatchObject({ outcome: 'cancelled', text: '' })
  })

  it('who leaves before the answer is waited for no more', async () => {
    const path = await made(place.caller)
    gate = Promise.withResolvers()
    const caller = new Caller((request) => place.server.fetch(request))
    const response = await caller.open('POST', `${path}/turns`, { body: { input: 'wait' } })
    expect(place.server.followers).toBe(1)
    await response.body?.cancel()
    expect(place.server.followers).toBe(0)
    gate.resolve()
  })

  it('an agent that does not work here is said not to', async () => {
    const path = await made(place.caller, { agentId: 'other' })
    for (const what of ['turns', 'compact']) {
      const { status, json } = await place.caller.post(
        `${path}/${what}`,
        what === 'turns' ? { input: 'x' } : {},
      )
      expect([status, json.code, json.detail]).toEqual([409, 'no_agent', expect.stringContaining('helper')])
    }
  })
})

eachServer(
  'turns of callers with keys',
  (holdfast, clock) => ({ ...agentsOn(holdfast, clock), pepper }),
  (place) => {
    it('what is said is said by the caller, and what is done by the agent', async () => {
      const keys = place.server.keys as Keys
      const { key } = await keys.create(tenantId('theirs'), {
        name: 'k',
        scopes: ['write', 'read'],
        userId: 'u1',
      })
      const caller = place.caller.withKey(key)
      const path = await made(caller, { ownerUserId: 'u1' })
      await caller.post(`${path}/turns`, { input: 'hello' })
      const { data } = (await caller.get(`${path}/events`)).json
      const by = Object.fromEntries(
        data.map(({ type, actor }: { type: string; actor: { kind: string } }) => [type, actor.kind]),
      )
      expect(by).toMatchObject({ 'run.started': 'user', 'run.completed': 'host' })
    })
  },
)
