import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ActiveSession } from '@holdfast/core'
import type { JsonObject } from '@holdfast/protocol'
import { importPaths } from '@holdfast/transcripts'
import { describe, expect, test } from 'vitest'
import { allMessages, openMemory, seqs, temporaryFolder } from '../src/testing/imported.ts'

function claudeLines(words: readonly string[], run: number): string {
  const uuidOf = (line: number) => `00000000-0000-4000-8000-${String(run * 100 + line).padStart(12, '0')}`
  const lines = words.map((content, line) => ({
    type: line % 2 === 0 ? 'user' : 'assistant',
    uuid: uuidOf(line),
    parentUuid: line === 0 ? null : uuidOf(line - 1),
    timestamp: '2026-05-06T07:08:09.000Z',
    message:
      line % 2 === 0
        ? { role: 'user', content }
        : { id: `msg_${run}_${line}`, role: 'assistant', content: [{ type: 'text', text: content }] },
  }))
  return `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`
}

const chat = (words: readonly string[]) => [
  { role: 'system', content: 'You help.' },
  ...words.map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content })),
]
const items = (words: readonly string[]) =>
  words.map((text, at) => ({
    type: 'message',
    role: at % 2 === 0 ? 'user' : 'assistant',
    content: [{ type: at % 2 === 0 ? 'input_text' : 'output_text', text }],
  }))
const lined = (values: readonly object[]) => `${values.map((value) => JSON.stringify(value)).join('\n')}\n`

const kinds: Record<string, (words: readonly string[], run: number) => string> = {
  'claude-code': claudeLines,
  'codex without an id': (words) =>
    lined(
      items(words).map((payload) => ({
        timestamp: `2026-02-03T04:05:06.789Z`,
        type: 'response_item',
        payload,
      })),
    ),
  'messages, one to a line': (words) => lined(chat(words)),
  'a conversation to a line': (words) => lined([{ messages: chat(words) }]),
  'items of the Responses API': (words) => JSON.stringify({ input: items(words) }),
}

describe.each(Object.entries(kinds))('%s', (_, text) => {
  test('two conversations in files of one name are two sessions, and each goes on', async () => {
    const folder = temporaryFolder()
    const words = (run: number, through: number) =>
      Array.from({ length: through }, (_, at) => `run ${run}, words ${at}`)
    const write = (run: number, through: number, place = `runs-${run}`) => {
      mkdirSync(join(folder, place), { recursive: true })
      writeFileSync(join(folder, place, 'messages.jsonl'), text(words(run, through), run))
    }
    write(1, 2)
    write(2, 2)
    const holdfast = await openMemory()
    expect(await importPaths(holdfast, [folder])).toMatchObject({ newSessions: 2, failed: [] })
    write(1, 4)
    write(2, 4)
    renameSync(join(folder, 'runs-2'), join(folder, 'moved'))
    const again = await importPaths(holdfast, [folder])
    expect(again).toMatchObject({ newSessions: 0, messages: 4, failed: [] })
    const ids = Object.keys(await seqs(holdfast))
    const said = ids.map(async (id) => {
      const messages = await allMessages(await holdfast.sessions.open(id))
      return messages.flatMap(({ role, parts }) =>
        role === 'system' ? [] : parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])),
      )
    })
    expect((await Promise.all(said)).sort()).toEqual([words(1, 4), words(2, 4)])
  })
  test('a session that was imported before beginnings were noted goes on, and takes no other conversation', async () => {
    const [here, there] = [temporaryFolder(), temporaryFolder()]
    const holdfast = await openMemory()
    const write = (folder: string, words: readonly string[], run: number) =>
      writeFileSync(join(folder, 'messages.jsonl'), text(words, run))
    write(here, ['one', 'two'], 1)
    await importPaths(holdfast, [here])
    const [id = ''] = Object.keys(await seqs(holdfast))
    const session = (await holdfast.sessions.open(id)) as ActiveSession
    const { source } = (await session.view()).metadata as { source: JsonObject }
    expect(source).toMatchObject({ begin: expect.any(String) })
    const { begin: _begin, ...asBefore } = source
    await session.replaceMetadata({ source: asBefore })
    write(here, ['one', 'two', 'three', 'four'], 1)
    expect(await importPaths(holdfast, [here])).toMatchObject({ newSessions: 0, messages: 2, failed: [] })
    const before = await seqs(holdfast)
    write(there, ['other', 'words', 'than', 'there', 'were'], 2)
    expect(await importPaths(holdfast, [there])).toMatchObject({
      messages: 0,
      failed: [{ path: join(there, 'messages.jsonl'), code: 'id_taken' }],
    })
    expect(await seqs(holdfast)).toEqual(before)
  })
})

describe('a session of Claude Code that was taken to another folder', () => {
  const name = '0ccf1a04-1b4c-43b6-8aa5-79e41db43a68.jsonl'
  const stub = lined([{ type: 'mode', mode: 'normal', sessionId: name.slice(0, -6) }])
  const words = ['Go on there.', 'I do.', 'And?', 'Done.']
  const whole = claudeLines(words, 1)

  test.each([
    ['first', ['a', 'b']],
    ['last', ['b', 'a']],
  ])(
    'is there with all that was said, if what was left behind is read %s',
    async (_when, [left = '', taken = '']) => {
      const folder = temporaryFolder()
      const write = (place: string, content: string) => {
        mkdirSync(join(folder, place), { recursive: true })
        writeFileSync(join(folder, place, name), content)
      }
      write(left, stub)
      write(taken, claudeLines(words.slice(0, 2), 1))
      const holdfast = await openMemory()
      const options = { concurrency: 1 }
      expect((await importPaths(holdfast, [folder], options)).failed).toEqual([])
      write(taken, whole)
      write(left, stub.repeat(2))
      expect((await importPaths(holdfast, [folder], options)).failed).toEqual([])
      const ids = Object.keys(await seqs(holdfast))
      const said = await Promise.all(
        ids.map(async (id) => (await allMessages(await holdfast.sessions.open(id))).length),
      )
      expect(said.sort()).toEqual([0, words.length])
      const before = await seqs(holdfast)
      renameSync(join(folder, taken), join(folder, 'elsewhere'))
      expect((await importPaths(holdfast, [folder], options)).failed).toEqual([])
      expect(await seqs(holdfast)).toEqual(before)
    },
  )

  test('a file that was changed is refused still', async () => {
    const path = join(temporaryFolder(), name)
    writeFileSync(path, whole)
    const holdfast = await openMemory()
    await importPaths(holdfast, [path])
    writeFileSync(path, whole.replace('Done.', 'Gone.'))
    expect((await importPaths(holdfast, [path])).failed).toMatchObject([{ code: 'id_taken' }])
    expect(Object.keys(await seqs(holdfast))).toHaveLength(1)
  })
})
