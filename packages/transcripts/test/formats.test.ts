import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import type { Message } from '@holdfast/protocol'
import { detectFormat, exportSession, formats, importFile, importPaths } from '@holdfast/transcripts'
import { describe, expect, test } from 'vitest'
import {
  allEvents,
  allMessages,
  openMemory,
  pairingFaults,
  seqs,
  temporaryFolder,
} from '../src/testing/imported.ts'
import { type Sample, samples } from './cases.ts'

function saved(text: string, file = 'sample.jsonl'): string {
  const path = join(temporaryFolder(), file)
  writeFileSync(path, text)
  return path
}

async function onlySession(holdfast: Holdfast) {
  const { sessions } = await holdfast.sessions.list()
  expect(sessions).toHaveLength(1)
  return holdfast.sessions.open(sessions[0]?.id ?? '')
}

async function imported({ text, file }: Pick<Sample, 'text' | 'file'>) {
  const holdfast = await openMemory()
  const summary = await importFile(holdfast, saved(text, file))
  return { holdfast, summary, session: await onlySession(holdfast) }
}

/** What a message says, without the names that a store gives it. */
function said(messages: readonly Message[]) {
  return messages.map(({ role, parts, author }) => ({ role, parts, author }))
}

async function exported(holdfast: Holdfast, sessionId: string, format: string): Promise<string> {
  let text = ''
  const report = await exportSession(holdfast, sessionId, format, {
    write: async (more) => {
      text += more
    },
  })
  expect(report.broken).toEqual([])
  return text
}

test('every format has a sample', () => {
  const sampled = new Set(samples.map(({ format }) => format))
  expect(formats.map(({ name }) => name).filter((name) => !sampled.has(name))).toEqual(['holdfast'])
})

describe.each(samples)('$format in $file', (sample) => {
  test('is found by content, whatever its name', async () => {
    expect((await detectFormat(saved(sample.text, 'anything.txt'))).name).toBe(sample.format)
  })

  test('is one session in which every call is answered once, directly after it', async () => {
    const { session, summary } = await imported(sample)
    const messages = await allMessages(session)
    expect(messages.length).toBeGreaterThan(2)
    expect(pairingFaults(messages)).toEqual([])
    expect(summary).toMatchObject({ newSessions: 1, sessions: 1, bytes: summary.bytesTotal })
    expect(summary.messages).toBe(messages.length)
  })

  test('again, read anew, changes nothing; longer, appends what is new and no more', async () => {
    const holdfast = await openMemory()
    const path = saved(sample.text, sample.file)
    await importFile(holdfast, path)
    const before = await seqs(holdfast)
    const session = await onlySession(holdfast)
    const messages = await allMessages(session)
    writeFileSync(path, sample.text)
    expect(await importFile(holdfast, path)).toMatchObject({ events: 0, filesUnchanged: 0 })
    expect(await seqs(holdfast)).toEqual(before)
    writeFileSync(path, sample.longer)
    expect(await importFile(holdfast, path)).toMatchObject({ messages: 2, newSessions: 0 })
    const after = await allMessages(session)
    expect(after.slice(0, messages.length)).toEqual(messages)
    const atOnce = await imported({ text: sample.longer, file: sample.file })
    expect(said(after)).toEqual(said(await allMessages(atOnce.session)))
    expect((await session.view()).counters).toMatchObject((await atOnce.session.view()).counters)
  })

  test('what cannot be read is named with its line, and the rest is there', async () => {
    if (!sample.broken) return
    const { session, summary } = await imported({ text: sample.broken.text, file: sample.file })
    expect(summary.report.broken.map(({ line }) => line)).toEqual([sample.broken.line])
    const whole = await imported(sample)
    expect(said(await allMessages(session))).toEqual(said(await allMessages(whole.session)))
  })

  test('a changed beginning is told of, and nothing is added, however often it is tried', async () => {
    const holdfast = await openMemory()
    const path = saved(sample.text, sample.file)
    await importFile(holdfast, path)
    const before = await seqs(holdfast)
    writeFileSync(path, changed(sample))
    const other = saved(JSON.stringify([{ role: 'user', content: 'Another.' }]), 'other.json')
    for (const filesUnchanged of [0, 1]) {
      const { report, failed, ...summary } = await importPaths(holdfast, [path, other])
      expect(report.broken.map(({ reason }) => reason)).toEqual([
        expect.stringContaining('nothing was added'),
      ])
      expect(failed).toMatchObject([
        { path, code: 'id_taken', message: expect.stringContaining('nothing was added') },
      ])
      expect(summary).toMatchObject({ files: 2, filesUnchanged })
    }
    expect(await seqs(holdfast)).toMatchObject(before)
    await expect(importFile(holdfast, path)).rejects.toMatchObject({ code: 'id_taken' })
  })

  test('written back, it says the same', async () => {
    const { holdfast, session } = await imported(sample)
    const text = await exported(holdfast, session.id, sample.format)
    const back = await imported({ text, file: 'back.jsonl' })
    expect(said(await allMessages(back.session))).toEqual(said(await allMessages(session)))
    const totals = await holdfast.usage.totals({ sessionId: session.id })
    if (sample.format !== 'openai-chat')
      expect(await back.holdfast.usage.totals({ sessionId: back.session.id })).toEqual(totals)
  })

  test('from a log of our own it comes back as the same log', async () => {
    const { holdfast, session } = await imported(sample)
    const text = await exported(holdfast, session.id, 'holdfast')
    const other = await openMemory()
    const path = saved(text)
    await importFile(other, path)
    const copy = await onlySession(other)
    expect(copy.id).toBe(session.id)
    expect((await copy.eventTexts({ limit: 1_000 })).texts).toEqual(
      (await session.eventTexts({ limit: 1_000 })).texts,
    )
    expect(await copy.view()).toEqual(await session.view())
    expect(await other.usage.totals()).toEqual(await holdfast.usage.totals())
    writeFileSync(path, text)
    expect(await importFile(other, path)).toMatchObject({ events: 0, newSessions: 0 })
    expect(await allEvents(copy)).toEqual(await allEvents(session))
  })
})

/** The last thing said before the end, said otherwise. */
function changed({ format, text }: Sample): string {
  if (format === 'claude-code') {
    const lines = text.trimEnd().split('\n')
    return `${[...lines.slice(0, -1), lines.at(-1)?.replace('"type":"assistant"', '"type":"assistanT"')].join('\n')}\n`
  }
  if (format === 'codex')
    return `${text.slice(0, text.lastIndexOf('"output_tokens":4'))}${text.slice(text.lastIndexOf('"output_tokens":4')).replace('4', '5')}`
  return text.replace(/Rain in Bern|Here it is/, 'Something else')
}
