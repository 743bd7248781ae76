import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { limits } from '@holdfast/protocol'
import { exportSession, importFile, importPaths } from '@holdfast/transcripts'
import { describe, expect, test } from 'vitest'
import { allMessages, openMemory, seqs, temporaryFolder } from '../src/testing/imported.ts'
import { samples } from './cases.ts'

const claude = samples.find(({ format }) => format === 'claude-code')?.text ?? ''
const lines = claude.trimEnd().split('\n')

async function importText(text: string | Buffer, name = 'file.jsonl') {
  const holdfast = await openMemory()
  const path = join(temporaryFolder(), name)
  writeFileSync(path, text)
  const summary = await importPaths(holdfast, [path])
  return { holdfast, summary, path }
}

/** Messages of the sound file: what is hostile beside them must not cost one of them. */
async function soundMessages(): Promise<number> {
  return (await importText(claude)).summary.messages
}

/** In a folder with a sound file. */
async function importBeside(text: string | Buffer) {
  const holdfast = await openMemory()
  const folder = temporaryFolder()
  const path = join(folder, 'a.jsonl')
  writeFileSync(path, text)
  writeFileSync(join(folder, 'b.jsonl'), claude)
  return { holdfast, path, summary: await importPaths(holdfast, [folder]) }
}

describe('a line', () => {
  test('beyond lineBytes is named and passed over, its bytes never in memory at once', async () => {
    const holdfast = await openMemory()
    const path = join(temporaryFolder(), 'file.jsonl')
    writeFileSync(path, `${lines[0]}\n`)
    const length = 600 * 1024 * 1024
    truncateSync(path, Buffer.byteLength(`${lines[0]}\n`) + length)
    appendFileSync(path, `\n${lines.slice(1).join('\n')}\n`)
    const before = process.memoryUsage().rss
    let peak = 0
    const { report, messages } = await importFile(holdfast, path, {
      onProgress: () => {
        peak = Math.max(peak, process.memoryUsage().rss)
      },
    })
    expect(report.broken).toEqual([
      {
        file: 'file.jsonl',
        line: 2,
        reason: `${length} bytes is more than lineBytes allows (${limits.lineBytes})`,
      },
    ])
    expect(messages).toBe(await soundMessages())
    expect(peak - before).toBeLessThan(length / 2)
  })

  test('as deep as nothing should be is named, and the rest is imported', async () => {
    const deep = `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`
    const { summary } = await importText([lines[0], deep, ...lines.slice(1)].join('\n'))
    expect(summary.report.broken).toMatchObject([{ line: 2, reason: expect.stringContaining('jsonDepth') }])
    expect(summary.messages).toBe(await soundMessages())
  })

  test('with more text than an event holds is cut, and the report says so', async () => {
    const at = lines.length - 1
    const long = (lines[at] ?? '').replace(/"text":"/, () => `"text":"${'é'.repeat(3 * 1024 * 1024)}`)
    const { summary } = await importText(lines.toSpliced(at, 1, long).join('\n'))
    expect(summary.failed).toEqual([])
    expect(summary.report.dropped.get('content beyond the size of an event')).toBe(1)
    expect(summary.messages).toBe(await soundMessages())
  })

  test('with CRLF, or behind a byte order mark, is a line as any other', async () => {
    const { summary } = await importText(`\uFEFF${lines.join('\r\n')}\r\n`)
    expect(summary.report.broken).toEqual([])
    expect(summary.messages).toBe(await soundMessages())
  })

  test.each(samples.filter(({ format }) => format === 'claude-code' || format === 'codex'))(
    'of $format has the number that it has, however many blank lines are before it, told of once each',
    async ({ text, longer, file }) => {
      const blanks = (count: number) => '\n'.repeat(count)
      const [first = '', ...rest] = text.trimEnd().split('\n')
      const spaced = `${first}\n${blanks(3_000)}{"no": tru}\n${rest.join(`\n${blanks(1_000)}`)}\n${blanks(500)}`
      const { summary, holdfast, path } = await importText(spaced, file)
      expect(summary.report.broken).toMatchObject([{ line: 3_002 }])
      expect(summary.report.lines.get('blank')).toBe(3_000 + 1_000 * (rest.length - 1) + 500)
      expect(summary.messages).toBe((await importText(text, file)).summary.messages)
      const more = longer.slice(text.length)
      appendFileSync(path, `${blanks(2_000)}{"no": tru}\n${more}`)
      const grown = (await importPaths(holdfast, [path])).report
      expect(grown.broken).toMatchObject([{ line: spaced.split('\n').length + 2_000 }])
      expect(grown.lines.get('blank')).toBe(2_000)
    },
  )

  test("of Holdfast's own format too", async () => {
    const { holdfast } = await importText(claude)
    const { sessions } = await holdfast.sessions.list()
    const pieces: string[] = []
    const sink = { write: async (piece: string) => void pieces.push(piece) }
    await exportSession(holdfast, sessions[0]?.id ?? '', 'holdfast', sink)
    const spaced = `${pieces.join('').trimEnd().replaceAll('\n', '\n'.repeat(1_000))}${'\n'.repeat(500)}{"no": tru}\n`
    const { summary } = await importText(spaced)
    expect(summary.failed).toMatchObject([
      { message: expect.stringContaining(`:${spaced.split('\n').length - 1} `) },
    ])
    expect(summary.report.lines.get('blank')).toBe(
      spaced.split('\n').filter((line) => line === '').length - 1,
    )
  })

  test('whose bytes are not UTF-8 is repaired and counted', async () => {
    const bytes = Buffer.from(claude)
    bytes[bytes.indexOf('"text":"', bytes.length - 3_000) + 9] = 0xff
    const { summary } = await importText(bytes)
    expect(summary.report.repaired.get('lines with text no store can hold')).toBe(1)
    expect(summary.messages).toBe(await soundMessages())
  })
})

describe('a file', () => {
  test.each([
    ['UTF-16', Buffer.from(`\uFEFF${claude}`, 'utf16le'), /UTF-16; save it as UTF-8/],
    ['prose', 'Dear diary,\ntoday nothing happened.\n', /no JSON object or array/],
    ['binary', Buffer.from([0, 1, 2, 3, 0, 0, 0, 9]), /binary/],
  ])('of %s says what it is; others are imported', async (_name, text, message) => {
    const { summary, holdfast, path } = await importBeside(text)
    const told = { path, code: 'invalid_input', message: expect.stringMatching(message) }
    expect(summary).toMatchObject({ failed: [told], passedOver: [], newSessions: 1 })
    await expect(importFile(holdfast, path)).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test.each([
    ['empty', '', /it is empty/],
    ['other JSON', '{"name":"left-pad","version":"1.0.0"}', /looked for .*parentUuid.*session_meta.*traj/],
  ])(
    'of %s is passed over and says what was looked for; asked for, it is an error',
    async (_name, text, message) => {
      const { summary, holdfast, path } = await importBeside(text)
      const told = { path, code: 'invalid_input', message: expect.stringMatching(message) }
      expect(summary).toMatchObject({ failed: [], passedOver: [told], newSessions: 1 })
      const { code, message: why } = told
      await expect(importFile(holdfast, path)).rejects.toMatchObject({ code, message: why })
    },
  )

  test('that is not there is told of with its name', async () => {
    const missing = join(temporaryFolder(), 'no.jsonl')
    const { failed } = await importPaths(await openMemory(), [missing])
    expect(failed).toMatchObject([{ path: missing, code: 'ENOENT' }])
  })

  test('that may not be read is told of, and others are imported', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may read every file')
    const holdfast = await openMemory()
    const folder = temporaryFolder()
    for (const name of ['a.jsonl', 'b.jsonl']) writeFileSync(join(folder, name), claude)
    chmodSync(join(folder, 'a.jsonl'), 0)
    const { failed, newSessions } = await importPaths(holdfast, [folder])
    expect(failed).toMatchObject([{ code: 'EACCES' }])
    expect(newSessions).toBe(1)
  })

  test('that is found by many names, and folders that lead into themselves, are imported once', async () => {
    const holdfast = await openMemory()
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'inner'))
    writeFileSync(join(folder, 'inner', 'file.jsonl'), claude)
    symlinkSync(join(folder, 'inner', 'file.jsonl'), join(folder, 'again.jsonl'))
    symlinkSync(folder, join(folder, 'inner', 'loop'))
    symlinkSync(join(folder, 'gone'), join(folder, 'dangling.jsonl'))
    const { filesTotal, newSessions, failed } = await importPaths(holdfast, [folder, join(folder, 'inner')])
    expect({ filesTotal, newSessions }).toEqual({ filesTotal: 1, newSessions: 1 })
    expect(failed).toMatchObject([{ code: 'ENOENT' }])
  })

  test('that grows while it is read is read as long as it was; the next import has the rest', async () => {
    const holdfast = await openMemory()
    const path = join(temporaryFolder(), 'file.jsonl')
    // More than what is kept of the look at its format.
    const padding = JSON.stringify({ type: 'padding', text: 'x'.repeat(200 * 1024) })
    const padded = [lines[0], padding, ...lines.slice(1)]
    writeFileSync(path, `${padded.slice(0, 3).join('\n')}\n`)
    const file = openSync(path, 'a')
    let isGrown = false
    const grow = () => {
      if (!isGrown) writeSync(file, `${padded.slice(3).join('\n')}\n`)
      isGrown = true
    }
    // Asked before each commit: between the first look at the file and the second, for which nothing is remembered.
    const signal = Object.assign(new AbortController().signal, { throwIfAborted: grow })
    expect(await importFile(holdfast, path, { signal, concurrency: 1e6 })).toMatchObject({
      messages: (await importText(`${lines.slice(0, 2).join('\n')}\n`)).summary.messages,
    })
    closeSync(file)
    expect(readFileSync(path, 'utf8')).toBe(`${padded.join('\n')}\n`)
    await importFile(holdfast, path)
    const [id = ''] = Object.keys(await seqs(holdfast))
    expect(await allMessages(await holdfast.sessions.open(id))).toHaveLength(await soundMessages())
  })
})
