import { globSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { importFile } from './import-paths.ts'
import type { From } from './read-lines.ts'
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
