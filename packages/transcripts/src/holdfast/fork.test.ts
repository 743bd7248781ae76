import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import { expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importFile } from '../import-paths.ts'
import { openMemory, seqs, temporaryFolder } from '../testing/imported.ts'

const said = (text: string) => ({ role: 'user' as const, parts: [{ type: 'text' as const, text }] })

/** A session, its fork, and a fork of that one: each goes on by itself. */
async function family(): Promise<Holdfast> {
  const holdfast = await openMemory()
  const first = await holdfast.sessions.create({ id: 'first', agentId: 'agent' })
  const image = await first.putAttachment({ bytes: Buffer.from('an image'), mediaType: 'image/png' })
  await first.append({ role: 'user', parts: [{ type: 'image', ...image }] })
  const second = await first.fork({ id: 'second' })
  await first.append(said('one way'))
  await second.append(said('another way'))
  const third = await second.fork({ id: 'third' })
  await third.append([said('a third'), { role: 'user', parts: [{ type: 'image', ...image }] }])
  await second.append(said('on'))
  return holdfast
}

async function fileOf(holdfast: Holdfast, id: string): Promise<string> {
  const lines: string[] = []
  await exportSession(holdfast, id, 'holdfast', { write: async (line) => void lines.push(line) })
  const path = join(temporaryFolder(), `${id}.jsonl`)
  writeFileSync(path, lines.join(''))
  return path
}

async function contentOf(holdfast: Holdfast, id: string) {
  const session = await holdfast.sessions.open(id)
  const { texts } = await session.eventTexts({ limit: 500 })
  return { view: await session.view(), texts: texts.map(({ text }) => text) }
}

test('a fork of a fork comes back as the same log, with the sources that it begins with', async () => {
  const original = await family()
  const copy = await openMemory()
  const { newSessions } = await importFile(copy, await fileOf(original, 'third'))
  expect(newSessions).toBe(3)
  expect(await contentOf(copy, 'third')).toEqual(await contentOf(original, 'third'))
  const image = Buffer.from('an image')
  const hash = /"hash":"([0-9a-f]{64})"/.exec((await contentOf(copy, 'third')).texts.join())?.[1] ?? ''
  expect(Buffer.from((await (await copy.sessions.open('third')).getAttachment(hash)) ?? [])).toEqual(image)
})

test.each([
  ['third', 'second', 'first'],
  ['first', 'second', 'third'],
])('the whole family comes back, in the order %s, %s, %s, and nothing twice', async (...ids) => {
  const original = await family()
  const copy = await openMemory()
  const files = await Promise.all(ids.map((id) => fileOf(original, id)))
  for (const file of files) await importFile(copy, file)
  for (const id of ids) expect(await contentOf(copy, id)).toEqual(await contentOf(original, id))
  const before = await seqs(copy)
  for (const id of ids) await importFile(copy, await fileOf(original, id))
  expect(await seqs(copy)).toEqual(before)
})
