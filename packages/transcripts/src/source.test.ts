import { globSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { importFile } from './import-paths.ts'
import { isUnchanged, lineAt } from './line-position.ts'
import { countOf, type From, type Line } from './read-lines.ts'
import { SecretFinder } from './secrets.ts'
import { Source } from './source.ts'
import { openMemory, temporaryFolder, transcripts } from './testing/imported.ts'

const beginning = 128 * 1024
const chunk = 1024 * 1024

async function opened(text: string, remember = 0): Promise<Source> {
  const path = join(temporaryFolder(), 'file.jsonl')
  writeFileSync(path, text)
  const source = await Source.open(path, { remember })
  onTestFinished(() => source.close())
  return source
}

/** Numbered lines whose first one is as long as it takes for the file to have so many bytes. */
function fileOf(bytes: number, last: string): string {
  const rest = `\n{"n":2,"text":"äöü€"}\n${last}`
  const first = (text: string) => `{"n":1,"text":"${text}"}`
  const missing = bytes - Buffer.byteLength(first('') + rest)
  return first('x'.repeat(missing)) + rest
}

async function read(source: Source, from?: From) {
  const found: [number, unknown][] = []
  for await (const { number, value } of source.lines(from)) found.push([number, value?.n])
  return found
}

describe.each([beginning, chunk, beginning + chunk])('a file of about %d bytes', (around) => {
  const sizes = [-30, -20, -10, -2, -1, 0, 1, 2, 10, 20, 30].map((more) => around + more)

  test.each(['{"n":3}', '{"n":3}\n'])(
    'is read to its last line %j, whether its head was looked at or not',
    async (last) => {
      for (const bytes of sizes) {
        const source = await opened(fileOf(bytes, last))
        expect(await read(source)).toEqual([
          [1, 1],
          [2, 2],
          [3, 3],
        ])
        await source.head()
        expect(await read(source)).toEqual([
          [1, 1],
          [2, 2],
          [3, 3],
        ])
      }
    },
  )

  test('is gone on with at any of its lines', async () => {
    for (const bytes of sizes) {
      const source = await opened(fileOf(bytes, '{"n":3}\n'), 4 * chunk)
      await source.head()
      const places: From[] = []
      for await (const { end, number } of source.lines()) places.push({ byte: end, line: number })
      const fresh = await opened(fileOf(bytes, '{"n":3}\n'))
      await fresh.head()
      for (const from of places) {
        const left = [
          [1, 1],
          [2, 2],
          [3, 3],
        ].slice(from.line)
        expect(await read(source, from)).toEqual(left)
        expect(await read(fresh, from)).toEqual(left)
      }
    }
  })
})

describe('blank lines', () => {
  const blanks = (lines: number) =>
    Array.from({ length: lines }, (_, at) => ['\n', '\r\n', ' \t\n'][at % 3]).join('')
  const stretch = 5_000
  const behindChunk = Math.ceil((beginning + chunk) / 7) * 3
  const text = `{"n":1}\n${blanks(stretch)}  {"n":2}\n\n{"n":3}\n${blanks(behindChunk)}\u00a0\n{"n":4}\n${blanks(stretch)} `
  const last = [1, stretch + 2, stretch + 4, stretch + behindChunk + 6]

  test('on end are read as one, and each is counted', async () => {
    const source = await opened(text)
    await source.head()
    const found: Line[] = []
    for await (const line of source.lines()) found.push(line)
    expect(found.filter(({ value }) => value).map(({ number, value }) => [value?.n, number])).toEqual(
      last.map((number, at) => [at + 1, number]),
    )
    expect(found.reduce((sum, line) => sum + countOf(line), 0)).toBe(2 * stretch + behindChunk + 6)
    expect(found.length).toBeLessThan(30)
  })

  test('may be gone on with after any of them', async () => {
    const lines = text.split(/(?<=\n)/).slice(0, -1)
    const kept = await opened(text, 4 * chunk)
    const all = await read(kept)
    for (const line of [
      0,
      1,
      2,
      stretch,
      stretch + 1,
      stretch + 2,
      stretch + 3,
      last[3] as number,
      lines.length,
    ]) {
      const byte = Buffer.byteLength(lines.slice(0, line).join(''))
      for (const source of [kept, await opened(text)]) {
        const found: Line[] = []
        for await (const each of source.lines({ byte, line })) found.push(each)
        expect(found.flatMap(({ number, value }) => (value ? [[number, value.n]] : []))).toEqual(
          all.filter(([number, value]) => value !== undefined && number > line),
        )
        expect(found.reduce((sum, each) => sum + countOf(each, line), 0)).toBe(lines.length - line)
      }
    }
  })

  test('that are left behind are a place like any other line', async () => {
    const source = await opened(text)
    for await (const line of source.lines()) expect(await isUnchanged(source, lineAt(line))).toBe(true)
  })
})

test('a reading that was left is begun anew, and what was found in it counts once', async () => {
  const path = join(temporaryFolder(), 'file.jsonl')
  const secret = `sk-ant-${'a1B2'.repeat(10)}`
  writeFileSync(path, `{"n":1,"text":"${secret}"}\n{"n":2,"text":"${secret}"}\n`)
  const secrets = new SecretFinder({ redact: false })
  const source = await Source.open(path, { secrets, remember: chunk })
  onTestFinished(() => source.close())
  for await (const _line of source.lines()) break
  expect(await read(source)).toEqual([
    [1, 1],
    [2, 2],
  ])
  expect(await read(source)).toEqual([
    [1, 1],
    [2, 2],
  ])
  expect([...secrets.counts.values()]).toEqual([2])
})

test.skipIf(process.platform !== 'linux')(
  'no file stays open behind an import, read or refused',
  async () => {
    const holdfast = await openMemory()
    const broken = join(temporaryFolder(), 'broken.jsonl')
    writeFileSync(broken, 'no transcript')
    const open = () => readdirSync('/proc/self/fd').length
    const paths = globSync('**/*.jsonl', { cwd: transcripts })
    await importFile(holdfast, join(transcripts, paths[0] as string))
    const before = open()
    for (const path of paths) await importFile(holdfast, join(transcripts, path))
    await expect(importFile(holdfast, broken)).rejects.toMatchObject({ code: 'invalid_input' })
    expect(open()).toBe(before)
  },
)
