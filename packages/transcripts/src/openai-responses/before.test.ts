/** Sessions that an earlier version imported: it read neither instructions nor words alone, and its positions count so. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { importFile } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'

const item = (role: string, text: string): JsonObject => {
  const type = role === 'assistant' ? 'output_text' : 'input_text'
  return { type: 'message', role, content: [{ type, text }] }
}
const [id, name] = [sessionIdOf('default', 'openai-responses', 'r'), 'r.jsonl']

function hashOf(items: readonly JsonObject[]): string {
  return createHash('sha256')
    .update(items.map((each) => `${JSON.stringify(each)}\n`).join(''))
    .digest('hex')
}

/** As that version left it. */
async function importedBefore(items: readonly JsonObject[]) {
  const holdfast = await openMemory()
  const user = items.findIndex(({ role }) => role === 'user')
  const begin = user < 0 ? {} : { begin: hashOf(items.slice(0, user + 1)) }
  const metadata = { source: { format: 'openai-responses', sourceId: 'r', ...begin } }
  const input = { id, agentId: 'a', modelPolicy: 'switchable' as const, metadata }
  const session = await (await holdfast.sessions.create(input)).activate()
  await session.append({ role: 'user', parts: [{ type: 'text', text: 'as it was' }] })
  await session.addNote({
    kind: 'import.position',
    data: { items: items.length, sha256: hashOf(items) },
  })
  const path = join(temporaryFolder(), name)
  const goOn = async (values: readonly JsonObject[]) => {
    writeFileSync(path, values.map((value) => `${JSON.stringify(value)}\n`).join(''))
    const { failed, events } = await importFile(holdfast, path)
    expect(failed).toEqual([])
    const { sessions } = await holdfast.sessions.list()
    const messages = await allMessages(session)
    const said = messages.map(({ parts }) => parts.map((part) => 'text' in part && part.text).join())
    return { sessions: sessions.length, events, said }
  }
  return { goOn, holdfast, path }
}

const response = (number: number, fields: JsonObject): JsonObject => ({
  id: `resp_${number}`,
  object: 'response',
  model: 'gpt-5',
  input: [item('user', `q${number}`)],
  output: [item('assistant', `a${number}`)],
  ...fields,
})

test.each<[string, (number: number) => JsonObject, string[]]>([
  ['with instructions', (number) => response(number, { instructions: 'Be kind.' }), ['Be kind.']],
  ['asked in words alone', (number) => response(number, { input: `q${number}` }), []],
  ['of the same items in both', (number) => response(number, {}), []],
])('responses %s go on where they stood', async (_what, made, told) => {
  const values = [1, 2, 3, 4].map(made)
  const lists = ({ input, output }: JsonObject) => [input, output].filter((list) => Array.isArray(list))
  const items = values.slice(0, 2).flatMap((value) => lists(value).flat() as JsonObject[])
  const { goOn } = await importedBefore(items)
  expect(await goOn(values.slice(0, 2))).toEqual({ sessions: 1, events: 0, said: ['as it was'] })
  const third = ['as it was', ...told, 'q3', 'a3']
  expect(await goOn(values.slice(0, 3))).toMatchObject({ sessions: 1, said: third })
  expect(await goOn(values)).toMatchObject({ sessions: 1, said: [...third, 'q4', 'a4'] })
  expect(await goOn(values)).toMatchObject({ sessions: 1, events: 0 })
})

test('a result with a list, of which each part was an item', async () => {
  const call = { type: 'function_call', name: 'f', arguments: '{}', call_id: 'c' }
  const part = { type: 'input_text', text: 'out' }
  const result = { type: 'function_call_output', call_id: 'c', output: [part] }
  const [asked, answered] = [item('user', 'q'), item('assistant', 'a')]
  const { goOn } = await importedBefore([asked, call, part, answered])
  const values = [asked, call, result, answered, item('user', 'q2'), call, result]
  expect(await goOn(values)).toMatchObject({ sessions: 1, said: ['as it was', 'q2', 'false', 'false'] })
})

test('what began otherwise is refused', async () => {
  const { holdfast, path } = await importedBefore([item('user', 'q1'), item('assistant', 'other')])
  writeFileSync(path, `${JSON.stringify(response(1, { instructions: 'Be kind.' }))}\n`)
  await expect(importFile(holdfast, path)).rejects.toThrow('no longer begins as it was imported')
})

test('the same question with other instructions, asked today, is a conversation of its own', async () => {
  const holdfast = await openMemory()
  for (const fields of [{}, { instructions: 'Be kind.' }, { instructions: 'Be terse.' }]) {
    const path = join(temporaryFolder(), name)
    writeFileSync(path, `${JSON.stringify(response(1, fields))}\n`)
    expect((await importFile(holdfast, path)).failed).toEqual([])
  }
  expect((await holdfast.sessions.list()).sessions).toHaveLength(3)
})
