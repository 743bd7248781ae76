import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json, JsonObject, UsageRecord } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import { detectFormat } from '../formats.ts'
import { importFile } from '../import-paths.ts'
import { allEvents, allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'

async function imported(value: Json | string, into = openMemory()) {
  const path = join(temporaryFolder(), 'responses.json')
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
  const holdfast = await into
  const { imported: sessions, report } = await importFile(holdfast, path)
  const session = await holdfast.sessions.open(sessions[0]?.sessionId ?? '')
  const found = await allMessages(session)
  const messages = found.map(({ role, parts, at }) => {
    const said = parts.map((part) => ('text' in part ? part.text : part.type)).join()
    return [role, said, at]
  })
  return { path, holdfast, session, report, found, messages, said: messages.map((each) => each.slice(0, 2)) }
}

const text = (type: string, words: string) => ({ type, text: words })
const asked = { type: 'message', role: 'user', content: [text('input_text', 'look')] }
const answered = { type: 'message', role: 'assistant', content: [text('output_text', 'I see')] }
const call = { type: 'function_call', call_id: 'a', name: 'look', arguments: '{}' }
const seen = {
  type: 'function_call_output',
  call_id: 'a',
  output: [text('input_text', 'here it is'), { type: 'input_image', image_url: 'https://x/y.png' }],
}

const response = {
  id: 'resp_1',
  object: 'response',
  created_at: 1741476542,
  status: 'completed',
  model: 'gpt-5.2',
  instructions: 'You are terse.',
  previous_response_id: null,
  temperature: 0.5,
  input: 'Tell me a story',
  output: [{ type: 'reasoning', id: 'rs_1', summary: [] }, answered],
  usage: {
    input_tokens: 36,
    input_tokens_details: { cached_tokens: 6 },
    output_tokens: 87,
    output_tokens_details: { reasoning_tokens: 7 },
    total_tokens: 123,
  },
}
const at = '2025-03-08T23:29:02.000Z'

test('a result whose output is a list stays a result', async () => {
  const { found } = await imported([asked, call, seen, answered])
  expect(found[2]?.parts).toMatchObject([{ type: 'tool_result', callId: 'a', output: seen.output }])
})

describe('a response', () => {
  test.each([
    [{ service_tier: 'default' }, { costMicrocents: 1_000, status: 'ok' }],
    [{ service_tier: 'priority' }, { costSource: 'unknown', status: 'ok' }],
    [{ status: 'failed' }, { costMicrocents: 1_000, status: 'failed' }],
    [{ status: 'cancelled' }, { costMicrocents: 1_000, status: 'aborted' }],
  ])('is paid for as it was made: %o', async (beside, row) => {
    const path = join(temporaryFolder(), 'responses.json')
    writeFileSync(path, JSON.stringify({ ...response, ...beside }))
    const holdfast = await openMemory()
    const price = (usage: UsageRecord) => {
      return { ...usage, costMicrocents: 1_000, costSource: 'price_book' as const }
    }
    const { imported: sessions } = await importFile(holdfast, path, { prices: async () => price })
    const session = await holdfast.sessions.open(sessions[0]?.sessionId ?? '')
    const rows = (await allEvents(session)).filter(({ type }) => type === 'usage.recorded')
    expect(rows.map(({ data }) => data)).toMatchObject([row])
  })

  test('is what was asked and what was answered, at its time', async () => {
    const { messages, session } = await imported(response)
    expect(messages).toEqual([
      ['system', 'You are terse.', at],
      ['user', 'Tell me a story', at],
      ['assistant', ',I see', at],
    ])
    expect((await session.view()).createdAt).toBe(at)
  })

  test('tells its model and what it cost', async () => {
    const { session } = await imported(response)
    const rows = (await allEvents(session)).filter(({ type }) => type === 'usage.recorded')
    expect(rows.map(({ data }) => data)).toMatchObject([
      {
        attemptId: 'response.resp_1',
        model: 'gpt-5.2',
        promptTokens: 36,
        cachedReadTokens: 6,
        completionTokens: 87,
        reasoningTokens: 7,
        raw: response.usage,
      },
    ])
    expect((await session.view()).model).toBe('gpt-5.2')
  })

  test('of which more stands beside that, tells what is left out', async () => {
    const { report } = await imported({ ...response, status: 'incomplete', usage: { total_tokens: 1 } })
    expect([...report.dropped.keys()]).toEqual(['response.status', 'response.temperature', 'response.usage'])
  })

  test('after another with the same instructions does not repeat them', async () => {
    const next = { ...response, id: 'resp_2', input: 'Another', output: [answered] }
    const lines = (...values: Json[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')
    const { said, session, path, holdfast } = await imported(lines(response, next))
    expect(said.map(([role]) => role)).toEqual(['system', 'user', 'assistant', 'user', 'assistant'])
    expect((await session.view()).counters).toMatchObject({ promptTokens: 72, roundCount: 2 })
    writeFileSync(path, lines(response, next, { ...next, id: 'resp_3' }))
    const { report } = await importFile(holdfast, path)
    expect((await session.view()).counters).toMatchObject({ promptTokens: 108, roundCount: 3 })
    expect([...report.dropped]).toEqual([['response.temperature', 1]])
  })
})

test('a turn is made with the model of its own response', async () => {
  const next = { ...response, id: 'resp_2', model: 'gpt-6', output: [answered] }
  const { session } = await imported([response, next])
  const runs = (await allEvents(session)).filter(({ type }) => type === 'run.started')
  expect(runs.map(({ data }) => data)).toMatchObject([{ model: 'gpt-5.2' }, { model: 'gpt-6' }])
})

test('a list of items is read as these', async () => {
  const list: JsonObject = { object: 'list', data: [asked, answered], first_id: 'a', has_more: false }
  const { said, path, report } = await imported(list)
  expect((await detectFormat(path)).name).toBe('openai-responses')
  expect(said).toEqual([
    ['user', 'look'],
    ['assistant', 'I see'],
  ])
  expect([...report.dropped.keys()]).toEqual(['list.first_id', 'list.has_more'])
})

test('images of a turn that goes on are there when it was read again', async () => {
  const image = (text: string) => {
    const url = `data:image/png;base64,${Buffer.from(text).toString('base64')}`
    return { type: 'input_image', image_url: url }
  }
  const shown = { ...asked, content: [image('one'), image('two')] }
  const seenToo = { ...seen, output: [image('two'), image('three')] }
  const again = { ...call, call_id: 'b' }
  const items = [asked, answered, shown, call, seenToo, again, { ...seenToo, call_id: 'b' }, answered, asked]
  const whole = await imported(items)
  for (let cut = 1; cut < items.length; cut++) {
    const { path, holdfast, session } = await imported(items.slice(0, cut))
    writeFileSync(path, JSON.stringify(items))
    expect((await importFile(holdfast, path)).failed).toEqual([])
    const messages = await allMessages(session)
    expect(messages.map(({ role, parts }) => ({ role, parts }))).toEqual(
      whole.found.map(({ role, parts }) => ({ role, parts })),
    )
    const hashes = JSON.stringify(messages).matchAll(/"hash":"(\w+)"/g)
    const files = await Promise.all([...hashes].map(([, hash]) => session.getAttachment(String(hash))))
    expect(
      files.map((file) => file && Buffer.from(file).toString()),
      `cut at ${cut}`,
    ).toEqual(['one', 'two', 'two', 'three', 'two', 'three'])
  }
})
