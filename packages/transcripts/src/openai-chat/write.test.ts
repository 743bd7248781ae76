import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ActiveSession } from '@holdfast/core'
import type { Json, JsonObject } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importFile } from '../import-paths.ts'
import { openMemory, temporaryFolder } from '../testing/imported.ts'

async function throughHoldfast(messages: readonly Json[]) {
  const path = join(temporaryFolder(), 'chat.json')
  writeFileSync(path, JSON.stringify({ messages }))
  const holdfast = await openMemory()
  const { imported, report: read } = await importFile(holdfast, path)
  const session = await holdfast.sessions.open(imported[0]?.sessionId ?? '')
  const write = async () => {
    let text = ''
    const report = await exportSession(holdfast, session.id, 'openai-chat', {
      write: async (piece) => {
        text += piece
      },
    })
    return { messages: JSON.parse(text).messages as JsonObject[], report }
  }
  return { session, read, write }
}

function calling(...ids: string[]): JsonObject {
  const calls = ids.map((id) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } }))
  return { role: 'assistant', content: null, tool_calls: calls }
}

function result(id: string, content: string): JsonObject {
  return { role: 'tool', tool_call_id: id, content }
}

const go = { role: 'user', content: 'go' }
const done = { role: 'assistant', content: 'done' }
const refusal = { role: 'assistant', content: null, refusal: 'I refuse' }
const oldCall = { role: 'assistant', content: null, function_call: { name: 'old', arguments: '{}' } }
const oldResult = { role: 'function', name: 'old', content: 'found' }
const kept = 'notes of kind openai_chat.message'

describe('messages that fitted nowhere when they were read', () => {
  test('are written back where they stood', async () => {
    const messages = [
      go,
      oldCall,
      oldResult,
      refusal,
      go,
      calling('a'),
      result('a', '1'),
      refusal,
      done,
      refusal,
    ]
    const { write } = await throughHoldfast(messages)
    const written = await write()
    expect(written.messages).toEqual(messages)
    expect([...written.report.dropped]).toEqual([])
    expect(written.report.lines.get('opaque')).toBe(5)
  })

  test('come after the results between which they stood', async () => {
    const between = [go, calling('a', 'b'), result('a', '1'), oldResult, result('b', '2'), done]
    const { write } = await throughHoldfast(between)
    const after = [go, calling('a', 'b'), result('a', '1'), result('b', '2'), oldResult, done]
    expect((await write()).messages).toEqual(after)
  })

  test('come after results that the transcript does not have', async () => {
    const { write } = await throughHoldfast([go, calling('a'), refusal])
    const { messages } = await write()
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant'])
    expect(messages.at(-1)).toEqual(refusal)
  })

  test('are written back with the call that they answer', async () => {
    const messages = [go, calling(''), result('', '1'), done]
    const { write } = await throughHoldfast(messages)
    expect((await write()).messages).toEqual(messages)
  })

  test.each<[string, Json]>([
    ['a result of no call', result('nobody', '1')],
    ['a second result', result('a', 'again')],
    ['a role that no model knows', { role: 'martian', content: 'hi' }],
    ['a user who says nothing', { role: 'user', content: null }],
    ['an answer without content', { role: 'assistant', content: null }],
    ['an answer with no parts', { role: 'assistant', content: [], refusal: 'no' }],
    ['a result of a function without a name', { role: 'function', content: 'found' }],
    ['what is no message', 'hi'],
  ])('are told of when no provider would take them: %s', async (_what, message) => {
    const taken = [go, calling('a'), result('a', '1'), done]
    const { write } = await throughHoldfast([...taken.slice(0, 3), message, done])
    const { messages, report } = await write()
    expect(messages).toEqual(taken)
    expect(report.dropped.get(kept)).toBe(1)
  })

  test('lose none of their fields, and none is told of as lost', async () => {
    const { read } = await throughHoldfast([go, refusal, { ...result('nobody', '1'), extra: 1 }, oldCall])
    expect([...read.dropped]).toEqual([])
    expect(read.keptOpaque.get('assistant message')).toBe(2)
  })
})

test('fields of a message that was taken in are told of as before', async () => {
  const messages = [
    go,
    { ...calling('a'), audio: 1 },
    { ...result('a', '1'), extra: 1 },
    { ...done, refusal: 'no' },
  ]
  const { read } = await throughHoldfast(messages)
  expect(Object.fromEntries(read.dropped)).toEqual({
    'message.audio': 1,
    'message.extra': 1,
    'message.refusal': 1,
  })
})

test('notes of other kinds are told of by their kind', async () => {
  const { session, write } = await throughHoldfast([go, done])
  await (session as ActiveSession).addNote({ kind: 'mood', text: 'good' })
  expect(Object.fromEntries((await write()).report.dropped)).toEqual({ 'notes of kind mood': 1 })
})
