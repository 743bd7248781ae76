/** What was deleted here stays so, whatever its file tells; the rest of the file comes in. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import { exportSession, importPaths } from '@holdfast/transcripts'
import { expect, test } from 'vitest'
import { sessionIdOf } from '../src/session-id.ts'
import { answers, calls, result, save, says, text } from '../src/testing/claude-lines.ts'
import { openMemory, temporaryFolder } from '../src/testing/imported.ts'

const dropped = 'conversations whose sessions were deleted here, or may not be seen'
const idOf = (name: string) => sessionIdOf('default', 'claude-code', name)

async function goOn(holdfast: Holdfast, folder: string) {
  const { failed, report, imported, events } = await importPaths(holdfast, [folder])
  expect(failed).toEqual([])
  return { left: report.dropped.get(dropped) ?? 0, imported, events }
}

const talk = [says(1, null, 'One.'), answers(2, 1, 'msg_1', text('a'))]
const more = [says(3, 2, 'Two.'), answers(4, 3, 'msg_2', text('b'))]

test('a file that grew after its session was deleted is left out, once', async () => {
  const [holdfast, folder] = [await openMemory(), temporaryFolder()]
  save(folder, { 's.jsonl': talk })
  await goOn(holdfast, folder)
  await holdfast.sessions.delete(idOf('s'))
  save(folder, { 's.jsonl': [...talk, ...more], 't.jsonl': talk })
  expect(await goOn(holdfast, folder)).toMatchObject({ left: 1, imported: [{ isNew: true }] })
  expect(await holdfast.sessions.get(idOf('s'))).toBeUndefined()
  expect(await goOn(holdfast, folder)).toEqual({ left: 0, imported: [], events: 0 })
})

test('a session goes on whose sub-agent or branch was deleted', async () => {
  const [holdfast, folder] = [await openMemory(), temporaryFolder()]
  const lines = [
    says(1, null, 'One.'),
    answers(2, 1, 'msg_1', calls('c1', 'Task')),
    result(3, 2, 'c1', { toolUseResult: { agentId: 'a1' } }),
    answers(4, 3, 'msg_2', text('a')),
    says(5, 4, 'Left.'),
    answers(6, 5, 'msg_3', text('b')),
    says(7, 4, 'Taken.'),
    answers(8, 7, 'msg_4', text('c')),
  ]
  const agent = [says(11, null, 'Do it.'), answers(12, 11, 'msg_5', text('Done.'))]
  const files = { 's/subagents/agent-a1.jsonl': agent }
  save(folder, { 's.jsonl': lines, ...files })
  await goOn(holdfast, folder)
  const { sessions } = await holdfast.sessions.list()
  for (const { id } of sessions) if (id !== idOf('s')) await holdfast.sessions.delete(id)
  save(folder, { 's.jsonl': [...lines, says(9, 8, 'Three.'), answers(10, 9, 'msg_6', text('d'))], ...files })
  expect((await goOn(holdfast, folder)).left).toBe(2)
  const { sessions: left } = await holdfast.sessions.list()
  expect(left.map(({ id }) => id)).toEqual([idOf('s')])
  const { messages } = await (await holdfast.sessions.open(idOf('s'))).messages()
  expect(messages.at(-1)?.parts).toMatchObject([{ text: 'd' }])
})

test('the other conversations of a file go on when one of them was deleted', async () => {
  const [holdfast, folder] = [await openMemory(), temporaryFolder()]
  const chatId = (name: string) => sessionIdOf('default', 'openai-chat', name)
  const chat = (id: string, ...said: string[]) => ({
    id,
    messages: said.flatMap((content) => [
      { role: 'user', content },
      { role: 'assistant', content: 'Done.' },
    ]),
  })
  save(folder, { 'all.jsonl': [chat('a', 'One.'), chat('b', 'Two.')] })
  await goOn(holdfast, folder)
  await holdfast.sessions.delete(chatId('all/a'))
  save(folder, { 'all.jsonl': [chat('a', 'One.'), chat('b', 'Two.', 'More.'), chat('c', 'Three.')] })
  expect((await goOn(holdfast, folder)).left).toBe(1)
  const { sessions } = await holdfast.sessions.list()
  expect(sessions.map(({ id }) => id).sort()).toEqual([chatId('all/b'), chatId('all/c')].sort())
  const { messages } = await (await holdfast.sessions.open(chatId('all/b'))).messages()
  expect(messages).toHaveLength(4)
})

test('an export of ours is not brought back', async () => {
  const [holdfast, folder] = [await openMemory(), temporaryFolder()]
  const session = await holdfast.sessions.create({ agentId: 'a' })
  await session.append({ role: 'user', parts: [{ type: 'text', text: 'hello' }] })
  const path = join(folder, 'own.jsonl')
  await exportSession(holdfast, session.id, 'holdfast', { write: async (text) => appendFileSync(path, text) })
  await holdfast.sessions.delete(session.id)
  expect(await goOn(holdfast, folder)).toMatchObject({ left: 1, events: 0 })
})
