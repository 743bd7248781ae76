import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import type { JsonObject } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importFile } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { openMemory, temporaryFolder, transcripts } from '../testing/imported.ts'

const owner = '0ccf1a04-1b4c-43b6-8aa5-79e41db43a68'
const agent = { isSidechain: true, agentId: 'worker', sessionId: 's' }

function idOf(source: string): string {
  return sessionIdOf('default', 'claude-code', source)
}

async function written(holdfast: Holdfast, id: string): Promise<string> {
  let text = ''
  await exportSession(holdfast, id, 'claude-code', {
    write: async (piece) => {
      text += piece
    },
  })
  return text
}

async function readAgain(text: string) {
  const path = join(temporaryFolder(), 'again.jsonl')
  writeFileSync(path, text)
  const holdfast = await openMemory()
  await importFile(holdfast, path)
  const { sessions } = await holdfast.sessions.list({}, { limit: 100 })
  return sessions
}

test('the file of a sub-agent is a conversation of its own, with its remarks in it', async () => {
  const holdfast = await openMemory()
  await importFile(holdfast, join(transcripts, 'claude-code', `${owner}.jsonl`))
  const { children } = await holdfast.sessions.tree(idOf(owner))
  expect(children).toHaveLength(5)
  for (const { session } of children) {
    const text = await written(holdfast, session.id)
    expect(text).not.toMatch(/"isSidechain":true|"agentId"/)
    const [again, ...others] = await readAgain(text)
    expect(others).toEqual([])
    expect(again?.counters.messageCount).toBe(session.counters.messageCount)
  }
})

test('what a sub-agent said on a branch that was left is no sub-agent of its own', async () => {
  const said = (uuid: string, parentUuid: string | null, content: string): JsonObject => {
    return { ...agent, type: 'user', uuid, parentUuid, message: { role: 'user', content } }
  }
  const lines: JsonObject[] = [
    { ...said('a', null, 'hire somebody'), isSidechain: false },
    said('b', null, 'work'),
    said('c', 'b', 'not so'),
    { ...agent, type: 'progress', uuid: 'd', parentUuid: 'b', data: {} },
    said('e', 'd', 'like this'),
  ]
  const path = join(temporaryFolder(), 'made.jsonl')
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const holdfast = await openMemory()
  await importFile(holdfast, path)
  const sessions = await readAgain(await written(holdfast, idOf('made/worker')))
  expect(sessions).toHaveLength(2)
  expect(sessions.filter(({ forkedFrom }) => forkedFrom !== undefined)).toHaveLength(1)
})

test('an image in a result of another format is an image in ours', async () => {
  const image =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const items = [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Look.' }] },
    { type: 'function_call', call_id: 'c1', name: 'view', arguments: '{}' },
    {
      type: 'function_call_output',
      call_id: 'c1',
      output: [
        { type: 'input_text', text: 'here' },
        { type: 'input_image', image_url: `data:image/png;base64,${image}` },
      ],
    },
  ]
  const path = join(temporaryFolder(), 'items.jsonl')
  writeFileSync(path, items.map((item) => `${JSON.stringify(item)}\n`).join(''))
  const holdfast = await openMemory()
  await importFile(holdfast, path)
  const { sessions } = await holdfast.sessions.list()
  const text = await written(holdfast, sessions[0]?.id ?? '')
  const result = text.split('\n').flatMap((line) => (line.includes('tool_result') ? [JSON.parse(line)] : []))
  expect(result[0]?.message.content[0].content).toEqual([
    { type: 'text', text: 'here' },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } },
  ])
})
