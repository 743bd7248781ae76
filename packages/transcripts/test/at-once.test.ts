import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { importPaths } from '@holdfast/transcripts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { allMessages, openMemory, temporaryFolder, transcripts } from '../src/testing/imported.ts'
import { samples } from './cases.ts'

async function opened(path: string): Promise<Holdfast> {
  const holdfast = await openHoldfast({ store: sqlite(path) })
  onTestFinished(() => holdfast.close())
  return holdfast
}

/** What is said in each session, without the names that a store gives it. */
async function said(holdfast: Holdfast): Promise<Record<string, unknown>> {
  const { sessions } = await holdfast.sessions.list({}, { limit: 100 })
  const entries = sessions.map(async ({ id }) => {
    const session = await holdfast.sessions.open(id)
    const messages = (await allMessages(session)).map(({ role, parts }) => ({ role, parts }))
    return [id, { messages, counters: (await session.view()).counters }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

async function saidAlone(...paths: string[]): Promise<Record<string, unknown>> {
  const holdfast = await openMemory()
  await importPaths(holdfast, paths)
  return said(holdfast)
}

/** With long words it is written in several commits. */
function rollout(path: string, wordLength: number): string {
  const line = (type: string, payload: object) =>
    JSON.stringify({ timestamp: '2026-02-03T04:05:06.789Z', type, payload })
  const spoken = (role: string, type: string, text: string) =>
    line('response_item', { type: 'message', role, content: [{ type, text }] })
  const lines = Array.from({ length: 12 }, (_, turn) => [
    spoken('user', 'input_text', `question ${turn} ${'a'.repeat(wordLength)}`),
    spoken('assistant', 'output_text', `answer ${turn} ${'b'.repeat(wordLength)}`),
  ])
  writeFileSync(path, `${[line('session_meta', { id: 'long-rollout' }), ...lines.flat()].join('\n')}\n`)
  return path
}

describe.each(samples)('$format in $file', (sample) => {
  test('two imports at once make the session that one makes', async () => {
    const folder = temporaryFolder()
    const path = join(folder, sample.file)
    writeFileSync(path, sample.longer)
    const store = join(folder, 'holdfast.db')
    const [first, second] = [await opened(store), await opened(store)]
    const summaries = await Promise.all([importPaths(first, [path]), importPaths(second, [path])])
    expect(summaries.map(({ failed }) => failed)).toEqual([[], []])
    expect(summaries.reduce((sum, { newSessions }) => sum + newSessions, 0)).toBe(1)
    const expected = await saidAlone(path)
    expect(await said(first)).toEqual(expected)
    await importPaths(second, [path])
    expect(await said(second)).toEqual(expected)
  })

  test('a file that went on while an import of its beginning was at work is not mixed with it', async () => {
    const folder = temporaryFolder()
    const path = join(folder, sample.file)
    const longer = join(folder, 'longer', sample.file)
    mkdirSync(join(folder, 'longer'))
    writeFileSync(path, sample.text)
    writeFileSync(longer, sample.longer)
    const store = join(folder, 'holdfast.db')
    const [first, second] = [await opened(store), await opened(store)]
    await Promise.all([importPaths(first, [path]), importPaths(second, [longer])])
    await importPaths(first, [longer])
    expect(Object.values(await said(first))).toEqual(Object.values(await saidAlone(longer)))
  })
})

test('two imports at once of sessions with sub-agents and branches make what one makes', async () => {
  const store = join(temporaryFolder(), 'holdfast.db')
  const [first, second] = [await opened(store), await opened(store)]
  const summaries = await Promise.all([importPaths(first, [transcripts]), importPaths(second, [transcripts])])
  expect(summaries.map(({ failed }) => failed)).toEqual([[], []])
  expect(await said(second)).toEqual(await saidAlone(transcripts))
  expect(await importPaths(first, [transcripts])).toMatchObject({ filesUnchanged: 3 })
})

test('two imports at once of a file of many commits double nothing and lose nothing', async () => {
  const folder = temporaryFolder()
  const path = rollout(join(folder, 'rollout.jsonl'), 200_000)
  const store = join(folder, 'holdfast.db')
  const [first, second] = [await opened(store), await opened(store)]
  const summaries = await Promise.all([importPaths(first, [path]), importPaths(second, [path])])
  expect(summaries.map(({ failed }) => failed)).toEqual([[], []])
  expect(summaries.reduce((sum, { messages }) => sum + messages, 0)).toBe(24)
  expect(await said(first)).toEqual(await saidAlone(path))
})

test('a copy under another name in the same import adds nothing', async () => {
  const folder = temporaryFolder()
  const path = rollout(join(folder, 'rollout.jsonl'), 2_000)
  for (const name of ['copy.jsonl', 'another.jsonl']) copyFileSync(path, join(folder, name))
  const holdfast = await opened(join(temporaryFolder(), 'holdfast.db'))
  const summary = await importPaths(holdfast, [folder])
  expect(summary).toMatchObject({ files: 3, failed: [], newSessions: 1, messages: 24 })
  expect(await said(holdfast)).toEqual(await saidAlone(path))
})

test('a copy under another name that another thread reads adds nothing', async () => {
  const folder = temporaryFolder()
  const path = rollout(join(folder, 'rollout.jsonl'), 2_000)
  const copies = Array.from({ length: 7 }, (_, copy) => join(folder, `copy-${copy}.jsonl`))
  for (const copy of copies) copyFileSync(path, copy)
  const store = join(temporaryFolder(), 'holdfast.db')
  const holdfast = await opened(store)
  const script = new URL('../src/testing/thread.ts', import.meta.url)
  const threads = { count: 2, least: 0, start: () => new Worker(script, { workerData: store }) }
  const summary = await importPaths(holdfast, [folder], { threads })
  expect(summary).toMatchObject({ files: 8, failed: [], newSessions: 1, messages: 24 })
  expect(summary.bytes).toBe(summary.bytesTotal)
  expect(await said(holdfast)).toEqual(await saidAlone(path))
})
