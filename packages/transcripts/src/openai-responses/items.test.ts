/** Items of each kind: what they are in a session, and that they are written back as they were. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json, JsonObject } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importFile } from '../import-paths.ts'
import { allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'
import { objectOf } from './json.ts'

async function throughHoldfast(items: readonly JsonObject[]) {
  const path = join(temporaryFolder(), 'items.json')
  writeFileSync(path, JSON.stringify(items))
  const holdfast = await openMemory()
  const { imported, report } = await importFile(holdfast, path, { format: 'openai-responses' })
  const session = await holdfast.sessions.open(imported[0]?.sessionId ?? '')
  const writeAs = async (format: string) => {
    let text = ''
    const write = async (piece: string) => {
      text += piece
    }
    const told = await exportSession(holdfast, session.id, format, { write })
    return { text, told }
  }
  const { text } = await writeAs('openai-responses')
  const written = JSON.parse(text) as JsonObject[]
  return { session, report, messages: await allMessages(session), written, writeAs }
}

const question = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go' }] }
const answer = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'gone' }] }
const bytes = Buffer.from('not quite a picture')
const png = `data:image/png;base64,${bytes.toString('base64')}`
const image = (address: Json, beside: JsonObject = {}) => {
  return { type: 'input_image', image_url: address, ...beside }
}

describe('a message of an agent', () => {
  const said = {
    type: 'agent_message',
    author: '/root/review_perf',
    recipient: '/root',
    content: [{ type: 'input_text', text: 'It is slow.' }],
  }

  test('is said by that agent, in the place of a user', async () => {
    const { messages, written } = await throughHoldfast([question, answer, said, answer])
    expect(messages[2]).toMatchObject({
      role: 'user',
      author: said.author,
      parts: [{ type: 'text', text: 'It is slow.' }],
    })
    expect(written).toEqual([question, answer, said, answer])
  })

  test('that only its provider can read is kept whole', async () => {
    const sealed = { ...said, content: [{ type: 'encrypted_content', encrypted_content: 'gAAA' }] }
    const { messages, written } = await throughHoldfast([question, sealed, answer])
    expect(messages).toHaveLength(2)
    expect(written).toEqual([question, sealed, answer])
  })

  test('is written without a name that a chat would not take', async () => {
    const { writeAs } = await throughHoldfast([said, answer])
    const { text, told } = await writeAs('openai-chat')
    expect(JSON.parse(text).messages[0]).toEqual({ role: 'user', content: 'It is slow.' })
    expect([...told.dropped.keys()]).toEqual(['authors whose names OpenAI does not take'])
  })
})

describe('an image', () => {
  const asked = (...content: JsonObject[]) => ({ type: 'message', role: 'user', content })
  const large = `data:image/png;base64,${Buffer.alloc(5_000_000, 'x').toString('base64')}`

  test.each<[string, JsonObject]>([
    ['alone', image(png)],
    ['with how closely to look', image(png, { detail: 'high' })],
    ['as the API lists it', image(png, { detail: 'auto', file_id: null })],
    ['larger than an event', image(large, { detail: 'original' })],
  ])('is kept by its bytes: %s', async (_what, part) => {
    const { messages, written, report } = await throughHoldfast([asked(part, image(png)), answer])
    expect(messages[0]?.parts.map(({ type }) => type)).toEqual(['image', 'image'])
    expect(written).toEqual([asked(part, image(png)), answer])
    expect([...report.dropped]).toEqual([])
  })

  test('in a result, or made by a tool, is kept by its bytes', async () => {
    const list = [{ type: 'input_text', text: 'here' }, image(large, { detail: 'high' }), image('https://x')]
    const items = [
      question,
      { type: 'function_call', call_id: 'a', name: 'view', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: list },
      { type: 'computer_call', call_id: 'b', action: { type: 'screenshot' }, status: 'completed' },
      {
        type: 'computer_call_output',
        call_id: 'b',
        output: { type: 'computer_screenshot', image_url: large },
      },
      { type: 'image_generation_call', id: 'ig', status: 'completed', result: large.split(',')[1] as string },
      answer,
    ]
    const { messages, written, report, session } = await throughHoldfast(items)
    expect(written).toEqual(items)
    expect([...report.dropped]).toEqual([])
    const [result] = messages[2]?.parts ?? []
    const [, shown] = (result?.type === 'tool_result' ? result.output : []) as JsonObject[]
    const reference = { hash: expect.any(String), mediaType: 'image/png', bytes: 5_000_000 }
    expect(shown).toEqual(image(reference, { detail: 'high' }))
    const { hash } = objectOf(shown?.image_url) ?? {}
    expect(await session.getAttachment(String(hash))).toHaveLength(5_000_000)
  })
})

describe('a call of a tool of the API itself', () => {
  const shell = {
    type: 'shell_call',
    id: 's',
    call_id: 'c',
    action: { commands: ['ls'] },
    status: 'completed',
  }
  const outcome = { type: 'exit', exit_code: 0 }
  const patch = { type: 'update_file', path: 'a.txt', diff: '@@' }
  const query = { query: 'calendar', limit: 1 }
  const exec = { type: 'exec', command: ['ls'] }
  const clicks = [{ type: 'click', x: 1, y: 2 }]

  test.each<[string, Json, JsonObject, JsonObject]>([
    [
      'shell',
      shell.action,
      shell,
      { type: 'shell_call_output', call_id: 'c', output: [{ stdout: 'a', stderr: '', outcome }] },
    ],
    [
      'apply_patch',
      patch,
      { type: 'apply_patch_call', call_id: 'c', operation: patch, status: 'completed' },
      { type: 'apply_patch_call_output', call_id: 'c', status: 'completed', output: 'ok' },
    ],
    [
      'computer',
      clicks,
      { type: 'computer_call', id: 'cu', call_id: 'c', actions: clicks, pending_safety_checks: [] },
      { type: 'computer_call_output', call_id: 'c', output: image('https://x/y.png') },
    ],
    [
      'computer',
      { type: 'wait' },
      { type: 'computer_call', id: 'cu', call_id: 'c', action: { type: 'wait' }, actions: null },
      { type: 'computer_call_output', call_id: 'c', output: image('https://x/y.png') },
    ],
    [
      'computer',
      clicks,
      { type: 'computer_call', id: 'cu', call_id: 'c', action: null, actions: clicks },
      { type: 'computer_call_output', call_id: 'c', output: image('https://x/y.png') },
    ],
    [
      'tool_search',
      query,
      { type: 'tool_search_call', call_id: 'c', status: 'completed', execution: 'client', arguments: query },
      { type: 'tool_search_output', call_id: 'c', status: 'completed', tools: [{ type: 'function' }] },
    ],
    [
      'local_shell',
      exec,
      { type: 'local_shell_call', id: 'lsh', call_id: null, status: 'completed', action: exec },
      { type: 'function_call_output', call_id: 'lsh', output: 'file' },
    ],
    [
      'local_shell',
      exec,
      { type: 'local_shell_call', id: 'lsh', call_id: null, status: 'completed', action: exec },
      { type: 'local_shell_call_output', id: 'lsh', output: '{}' },
    ],
  ])('is a call with its result: %s', async (name, input, call, result) => {
    const { messages, written } = await throughHoldfast([question, call, result, answer])
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant'])
    expect(messages[1]?.parts).toMatchObject([{ type: 'tool_call', name, input }])
    expect(messages[2]?.parts).toMatchObject([{ type: 'tool_result', outcome: 'ok' }])
    expect(written).toEqual([question, call, result, answer])
  })

  test('that was answered within itself stands where it was', async () => {
    const call = { type: 'mcp_call', id: 'm', server_label: 'x', name: 'roll', arguments: '{}', output: '4' }
    const { messages, written } = await throughHoldfast([question, call, answer])
    expect(messages[1]?.parts).toMatchObject([{ type: 'data', name: 'responses.mcp_call' }, { type: 'text' }])
    expect(written).toEqual([question, call, answer])
  })

  test('that cannot be answered is kept whole', async () => {
    const search = { type: 'tool_search_call', call_id: null, execution: 'server', arguments: {} }
    const { messages, written } = await throughHoldfast([question, search, answer])
    expect(messages).toHaveLength(2)
    expect(written).toEqual([question, search, answer])
  })
})

describe('a result', () => {
  const call = { type: 'function_call', call_id: 'a', name: 'run', arguments: '{}' }
  const wrapped = (code: number) => JSON.stringify({ output: 'x', metadata: { exit_code: code } })
  const exit = (code: number) => [{ stdout: '', stderr: '', outcome: { type: 'exit', exit_code: code } }]

  test.each<[string, JsonObject, 'ok' | 'error']>([
    ['status failed', { status: 'failed', output: 'x' }, 'error'],
    ['status incomplete', { status: 'incomplete', output: 'x' }, 'error'],
    ['an exit code beside it', { metadata: { exit_code: 2 }, output: 'x' }, 'error'],
    ['an exit code within it', { output: wrapped(1) }, 'error'],
    ['an exit code 0 within it', { output: wrapped(0) }, 'ok'],
    ['exit codes of commands', { output: [...exit(0), ...exit(1)] }, 'error'],
    ['how Codex says it', { output: 'Process exited with code 1\nOutput:\nx' }, 'error'],
    [
      'how Codex says it after more',
      { output: 'Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code 127\nOutput:\nx' },
      'error',
    ],
    ['how Codex said it', { output: 'Exit code: 1\nWall time: 1 seconds\nOutput:\nx' }, 'error'],
    ['an end that was good', { output: 'Exit code: 0\nOutput:\nExit code: 1\n' }, 'ok'],
    ['words about another end', { output: 'It said:\nProcess exited with code 1\n' }, 'ok'],
    ['a word that goes on', { output: 'Exit code: 1st of all' }, 'ok'],
    ['JSON of something else', { output: '{"exit_code":1}' }, 'ok'],
  ])('failed where it says so: %s', async (_what, fields, outcome) => {
    const result = { type: 'function_call_output', call_id: 'a', ...fields }
    const { messages, written } = await throughHoldfast([question, call, result, answer])
    expect(messages[2]?.parts).toMatchObject([{ type: 'tool_result', outcome }])
    expect(written).toEqual([question, call, result, answer])
  })
})

test.each<[string, JsonObject]>([
  ['null', { encrypted_content: null }],
  ['none', {}],
])('a thought that is no summary is shown, and written back as it was; sealed: %s', async (_what, beside) => {
  const content = [{ type: 'reasoning_text', text: 'Let me think deeply.' }]
  const thought = { type: 'reasoning', summary: [], content, ...beside }
  const { messages, written } = await throughHoldfast([question, thought, answer])
  expect(messages[1]?.parts[0]).toMatchObject({ type: 'reasoning', text: 'Let me think deeply.' })
  expect(written).toEqual([question, thought, answer])
})
