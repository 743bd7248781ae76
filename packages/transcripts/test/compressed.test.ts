import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { importPaths } from '@holdfast/transcripts'
import { expect, test } from 'vitest'
import { allMessages, openMemory, seqs, temporaryFolder } from '../src/testing/imported.ts'
import { samples } from './cases.ts'

const lines = samples.filter(({ file }) => file.endsWith('.jsonl'))

test.each(lines)('a compressed file of $format is read as the file itself is', async ({ text, file }) => {
  const read = async (name: string, content: string | Buffer) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, name), content)
    const holdfast = await openMemory()
    const { bytes, bytesTotal, failed, report } = await importPaths(holdfast, [folder])
    expect(failed).toEqual([])
    expect(bytes).toBe(bytesTotal)
    const { sessions } = await holdfast.sessions.list()
    const messages = await allMessages(await holdfast.sessions.open(sessions[0]?.id ?? ''))
    const said = messages.map(({ role, parts }) => ({ role, parts }))
    return { sessions: sessions.length, said, lines: [...report.lines] }
  }
  expect(await read(`${file}.zst`, zstdCompressSync(text))).toEqual(await read(file, text))
})

test('a rollout that was compressed since goes on where it was, and is no second session', async () => {
  const sample = samples.find(({ format }) => format === 'codex')
  const folder = temporaryFolder()
  const path = join(folder, 'rollout-1.jsonl')
  writeFileSync(path, sample?.text ?? '')
  const holdfast = await openMemory()
  await importPaths(holdfast, [folder])
  const before = await seqs(holdfast)
  writeFileSync(path, zstdCompressSync(sample?.text ?? ''))
  renameSync(path, `${path}.zst`)
  expect(await importPaths(holdfast, [folder])).toMatchObject({ events: 0, failed: [], newSessions: 0 })
  expect(await seqs(holdfast)).toEqual(before)
  writeFileSync(`${path}.zst`, zstdCompressSync(sample?.longer ?? ''))
  const longer = await importPaths(holdfast, [folder])
  expect(longer).toMatchObject({ failed: [], newSessions: 0, messages: 2 })
})

const skipped = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('none')])

test.each([
  [
    'two frames',
    (whole: string) => [zstdCompressSync(whole.slice(0, 500)), zstdCompressSync(whole.slice(500))],
  ],
  ['frames that hold nothing', (whole: string) => [skipped, zstdCompressSync(whole), skipped]],
])('%s are read to the end', async (_what, framesOf) => {
  const sample = samples.find(({ format }) => format === 'codex')
  const path = join(temporaryFolder(), 'rollout.jsonl.zst')
  writeFileSync(path, Buffer.concat(framesOf(sample?.text ?? '')))
  const { report, failed } = await importPaths(await openMemory(), [path])
  expect(failed).toEqual([])
  const told = [...report.lines.values()].reduce((sum, lines) => sum + lines, 0)
  expect(told).toBe(sample?.text.trimEnd().split('\n').length)
})

test('a damaged one is told of, and the others are imported', async () => {
  const [sample] = lines
  const whole = zstdCompressSync(sample?.text ?? '')
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'a.jsonl.zst'), whole.subarray(0, -20))
  writeFileSync(join(folder, 'b.jsonl.zst'), zstdCompressSync('not a transcript'))
  writeFileSync(join(folder, 'c.jsonl.zst'), whole)
  writeFileSync(join(folder, 'd.jsonl.zst'), Buffer.concat([zstdCompressSync('{}\n'), Buffer.alloc(9)]))
  const { failed, newSessions } = await importPaths(await openMemory(), [folder])
  expect(newSessions).toBe(1)
  const told = failed.map(({ code, message }) => [code, message.split('/').at(-1)])
  expect(told.sort()).toEqual([
    ['invalid_input', 'a.jsonl.zst cannot be decompressed: unexpected end of file'],
    ['invalid_input', 'b.jsonl.zst is no transcript we know: it holds no JSON object or array'],
    ['invalid_input', 'd.jsonl.zst cannot be decompressed: there is no frame at byte 12'],
  ])
})
