/** What a chat API takes of sessions whose parts have beside them what another format put there. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json, JsonObject } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importFile } from '../import-paths.ts'
import { openMemory, temporaryFolder } from '../testing/imported.ts'

async function asChat(format: 'openai-responses' | 'openai-chat', read: readonly Json[]) {
  const path = join(temporaryFolder(), 'items.json')
  writeFileSync(path, JSON.stringify(read))
  const holdfast = await openMemory()
  const { imported } = await importFile(holdfast, path, { format })
  let text = ''
  const write = async (piece: string) => {
    text += piece
  }
  const report = await exportSession(holdfast, imported[0]?.sessionId ?? '', 'openai-chat', { write })
  return { messages: JSON.parse(text).messages as JsonObject[], report }
}

const said = (type: string, text: string) => ({ type, text, annotations: [], logprobs: [] })
const message = (role: string, ...content: Json[]) => ({ type: 'message', id: 'm', role, content })
const question = message('user', { type: 'input_text', text: 'go' })
const answer = message('assistant', said('output_text', 'gone'))
const call = { type: 'function_call', id: 'fc', call_id: 'a', name: 'look', arguments: '{}' }
const seen = (output: Json) => ({ type: 'function_call_output', call_id: 'a', output })
const png = 'data:image/png;base64,AAAA'

describe('of a session of the Responses API', () => {
  test('texts have nothing beside them, and a single one is a text', async () => {
    const { messages } = await asChat('openai-responses', [question, answer])
    expect(messages).toEqual([
      { role: 'user', content: 'go' },
      { role: 'assistant', content: 'gone' },
    ])
  })

  test('several texts are parts of a text each', async () => {
    const { messages } = await asChat('openai-responses', [question, answer, answer])
    const part = { type: 'text', text: 'gone' }
    expect(messages[1]).toEqual({ role: 'assistant', content: [part, part] })
  })

  test('a text that stands alone once the rest has no place is a text', async () => {
    const search = { type: 'web_search_call', id: 'ws', status: 'completed' }
    const { messages, report } = await asChat('openai-responses', [question, search, answer])
    expect(messages[1]).toEqual({ role: 'assistant', content: 'gone' })
    expect([...report.dropped]).toEqual([['data parts', 1]])
  })

  test('a message of which nothing has a place is left out', async () => {
    const search = { type: 'web_search_call', id: 'ws', status: 'completed' }
    const { messages } = await asChat('openai-responses', [question, search])
    expect(messages).toEqual([{ role: 'user', content: 'go' }])
  })

  test.each<[string, Json, Json]>([
    ['a single text', [{ type: 'input_text', text: 'seen' }], 'seen'],
    [
      'texts',
      [said('input_text', 'seen'), said('input_text', 'twice')],
      [
        { type: 'text', text: 'seen' },
        { type: 'text', text: 'twice' },
      ],
    ],
    [
      'a text and an image',
      [
        { type: 'input_text', text: 'seen' },
        { type: 'input_image', image_url: png },
      ],
      'seen',
    ],
    ['an image alone', [{ type: 'input_image', image_url: png }], '[{"type":"input_image"}]'],
    [
      'a picture of the screen',
      { type: 'computer_screenshot', image_url: png },
      '{"type":"computer_screenshot"}',
    ],
    [
      'an image among what is no text',
      [{ type: 'input_image', image_url: png }, 1],
      '[{"type":"input_image"},1]',
    ],
    ['an empty list', [], ''],
    ['nothing', null, 'null'],
    ['a list that holds no texts', [1, { exit_code: 0 }], '[1,{"exit_code":0}]'],
  ])('a result is text: %s', async (_what, output, content) => {
    const { messages } = await asChat('openai-responses', [question, call, seen(output), answer])
    expect(messages[2]).toEqual({ role: 'tool', tool_call_id: 'a', content })
  })
})

test('an image in a result is told of as left out, once', async () => {
  const image = { type: 'input_image', image_url: png }
  for (const output of [[image], [image, 1], [image, { type: 'input_text', text: 'seen' }], { ...image }]) {
    const { report } = await asChat('openai-responses', [question, call, seen(output), answer])
    expect([...report.dropped]).toEqual([['files in tool outputs', 1]])
  }
})

test('what a chat itself had beside its parts goes back', async () => {
  const chat = [
    { role: 'user', content: [{ type: 'text', text: 'go', cache_control: { type: 'ephemeral' } }] },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: png, detail: 'low' } }] },
    { role: 'assistant', content: [{ type: 'text', text: 'gone', annotations: [] }] },
  ]
  const { messages } = await asChat('openai-chat', chat)
  expect(messages).toEqual(chat)
})
