import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { importPaths } from '@holdfast/transcripts'
import { expect, onTestFinished, test } from 'vitest'
import { openMemory, seqs, temporaryFolder, transcripts } from '../src/testing/imported.ts'

const script = new URL('../src/testing/thread.ts', import.meta.url)

async function place() {
  const path = join(temporaryFolder(), 'holdfast.db')
  const holdfast = await openHoldfast({ store: sqlite(path) })
  onTestFinished(() => holdfast.close())
  const threads = { count: 2, least: 0, start: () => new Worker(script, { workerData: path }) }
  return { holdfast, threads }
}

const alone = async (...paths: string[]): Promise<{ holdfast: Holdfast; summary: object }> => {
  const holdfast = await openMemory()
  const { imported: _order, ...summary } = await importPaths(holdfast, paths)
  return { holdfast, summary }
}

test('two threads import what one does, and tell the same of it', async () => {
  const { holdfast, threads } = await place()
  const told: number[] = []
  const { imported, ...summary } = await importPaths(holdfast, [transcripts], {
    threads,
    onProgress: ({ bytes }) => told.push(bytes),
  })
  const expected = await alone(transcripts)
  expect(summary).toEqual(expected.summary)
  expect(await seqs(holdfast)).toEqual(await seqs(expected.holdfast))
  expect(imported).toHaveLength(summary.sessions)
  expect(told.at(-1)).toBe(summary.bytesTotal)
  expect(await importPaths(holdfast, [transcripts], { threads })).toMatchObject({
    filesUnchanged: summary.filesTotal,
    events: 0,
  })
})

test('a file that fails in a thread is told of as it would be here', async () => {
  const path = join(temporaryFolder(), 'no-transcript.jsonl')
  writeFileSync(path, 'no transcript')
  const { holdfast, threads } = await place()
  const { failed } = await importPaths(holdfast, [path], { threads })
  const { summary } = await alone(path)
  expect({ failed }).toEqual({ failed: (summary as { failed: unknown }).failed })
  expect(failed[0]?.cause).toMatchObject({ name: 'HoldfastError', code: 'invalid_input', status: 400 })
})

test('an import that is stopped stops its threads; the next one goes on', async () => {
  const { holdfast, threads } = await place()
  const controller = new AbortController()
  const stopped = await importPaths(holdfast, [transcripts], {
    threads,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  })
  expect(stopped).toMatchObject({ stopped: true, failed: [] })
  expect(stopped.files).toBeLessThan(stopped.filesTotal)
  await importPaths(holdfast, [transcripts], { threads })
  const whole = (await alone(transcripts)).holdfast
  expect(Object.keys(await seqs(holdfast)).sort()).toEqual(Object.keys(await seqs(whole)).sort())
})

test('a thread that cannot be started ends the import, and those that were started', async () => {
  const { holdfast, threads } = await place()
  const started: Worker[] = []
  const start = async () => {
    if (started.length > 0) throw new Error('no second thread')
    const worker = threads.start()
    started.push(worker)
    return worker
  }
  await expect(importPaths(holdfast, [transcripts], { threads: { ...threads, start } })).rejects.toThrow(
    'no second thread',
  )
  expect(started.map(({ threadId }) => threadId)).toEqual([-1])
})

test('a thread that dies before another one is started ends the import with its error', async () => {
  const { holdfast, threads } = await place()
  let isFirst = true
  const start = async () => {
    if (isFirst) {
      isFirst = false
      return new Worker('throw new Error("no thread")', { eval: true })
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    return threads.start()
  }
  await expect(importPaths(holdfast, [transcripts], { threads: { ...threads, start } })).rejects.toThrow(
    'no thread',
  )
})

test('a thread that dies ends the import with its error', async () => {
  const { holdfast, threads } = await place()
  const start = () => new Worker('throw new Error("no thread")', { eval: true })
  await expect(importPaths(holdfast, [transcripts], { threads: { ...threads, start } })).rejects.toThrow(
    'no thread',
  )
})
