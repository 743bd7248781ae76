import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json, JsonObject } from '@holdfast/protocol'
import { examine, importFile, repair } from '@holdfast/transcripts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allMessages,
  openMemory,
  pairingFaults,
  temporaryFolder,
  transcripts,
} from '../src/testing/imported.ts'
import { samples } from './cases.ts'

const session = join(transcripts, 'claude-code/0ccf1a04-1b4c-43b6-8aa5-79e41db43a68.jsonl')
const claude = readFileSync(session, 'utf8').trimEnd().split('\n')
const codex = (samples.find(({ format }) => format === 'codex')?.text ?? '').trimEnd().split('\n')

const seed = Number(process.env.HOLDFAST_SEED ?? Math.floor(Math.random() * 2 ** 31))

function saved(lines: readonly string[]): string {
  const path = join(temporaryFolder(), 'file.jsonl')
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

async function rescued(lines: readonly string[]) {
  const path = saved(lines)
  const before = await examine(path)
  const repaired = await repair(path, `${path}.new.jsonl`)
  return { before, repaired, after: await examine(`${path}.new.jsonl`), out: `${path}.new.jsonl`, path }
}

test('a sound file is resumable, and is written as it is', async () => {
  const { before, repaired, out } = await rescued(claude)
  expect(before).toMatchObject({ format: 'claude-code', resumable: true, faults: [], lines: claude.length })
  expect(repaired).toEqual({ format: 'claude-code', lines: claude.length, repaired: [], left: [], moved: [] })
  expect(
    readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(claude.map((line) => JSON.parse(line)))
})

describe('a Claude Code file', () => {
  const at = claude.findIndex((line) => line.includes('"tool_result"'))

  test('whose call lost its result gets one, and what follows goes on behind it', async () => {
    const { before, after, out, repaired } = await rescued(claude.toSpliced(at, 1))
    expect(before.faults.map(({ code }) => code)).toContain('orphan_call')
    expect(before.resumable).toBe(false)
    expect(after).toMatchObject({ resumable: true, lines: repaired.lines })
    const written = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const given = written.find((line) =>
      JSON.stringify(line.message)?.includes('no result in the transcript'),
    )
    const beside = written.filter(({ parentUuid }) => parentUuid === given.parentUuid)
    expect(beside).toEqual([given])
    const holdfast = await openMemory()
    const { imported } = await importFile(holdfast, out)
    const messages = await allMessages(await holdfast.sessions.open(imported[0]?.sessionId ?? ''))
    expect(pairingFaults(messages)).toEqual([])
    const results = messages.flatMap(({ parts }) => parts.filter((part) => part.type === 'tool_result'))
    expect(results.filter(({ outcome }) => outcome === 'unknown')).toEqual([])
  })

  test('whose result lost its call keeps what it says as text', async () => {
    const calling = claude.findIndex((line) => line.includes('"tool_use"'))
    const { before, after, out } = await rescued(claude.toSpliced(calling, 1))
    expect(before.faults.map(({ code }) => code)).toContain('orphan_result')
    expect(before.faults.map(({ code }) => code)).toContain('missing_parent')
    expect(after.faults).toEqual([])
    expect(readFileSync(out, 'utf8')).toContain('which is not in the transcript]')
  })

  test('with lines that are not JSON has them put aside, byte for byte', async () => {
    const broken = claude.toSpliced(3, 0, '{"type":"user", no', 'not JSON')
    const { before, after, repaired } = await rescued(broken)
    expect(before.faults).toMatchObject([
      { code: 'broken_line', line: 4 },
      { code: 'broken_line', line: 5 },
    ])
    expect(after.resumable).toBe(true)
    expect(readFileSync(repaired.aside ?? '', 'utf8')).toBe('{"type":"user", no\nnot JSON\n')
  })
})

test('a Codex call without output gets one; an output without its call is put aside', async () => {
  const lost = codex.filter(
    (line) => !line.includes('"function_call_output"') && !line.includes('"custom_tool_call"'),
  )
  const { before, after, repaired } = await rescued(lost)
  expect(before.faults.map(({ code }) => code).sort()).toEqual(['orphan_call', 'orphan_result'])
  expect(after).toMatchObject({ format: 'codex', resumable: true })
  expect(readFileSync(repaired.aside ?? '', 'utf8')).toContain('custom_tool_call_output')
})

test('nothing is written over', async () => {
  const path = saved(claude)
  cpSync(path, `${path}.new`)
  await expect(repair(path, `${path}.new`)).rejects.toMatchObject({ code: 'invalid_input' })
})

test('another format is no matter of rescue', async () => {
  const chat = samples.find(({ format }) => format === 'openai-chat')
  await expect(examine(saved([(chat?.text ?? '').trim()]))).rejects.toMatchObject({ code: 'invalid_input' })
})

describe('what is too large', () => {
  const png = Buffer.alloc(4_000_000, 7)
  const hash = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

  function withResults(contents: readonly Json[]): string[] {
    const common = { sessionId: 's', isSidechain: false, timestamp: '2026-05-06T07:08:09.000Z' }
    const line = (type: string, uuid: string, parentUuid: string | null, message: Json) =>
      JSON.stringify({ ...common, type, uuid, parentUuid, message })
    return contents.flatMap((content, i) => {
      const call = { type: 'tool_use', id: `toolu_${i}`, name: 'Read', input: {} }
      const result = { type: 'tool_result', tool_use_id: `toolu_${i}`, content }
      return [
        line('assistant', `a${i}`, i === 0 ? null : `r${i - 1}`, {
          id: `msg_${i}`,
          role: 'assistant',
          content: [call],
        }),
        line('user', `r${i}`, `a${i}`, { role: 'user', content: [result] }),
      ]
    })
  }

  const image = (bytes: Buffer): Json => [
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: bytes.toString('base64') } },
  ]

  test('an image that Claude Code refuses is put beside the mended file, byte for byte, and the line says where', async () => {
    const { before, repaired, after, out } = await rescued(withResults(['small', image(png)]))
    expect(before).toMatchObject({ resumable: false, faults: [{ code: 'too_large', line: 4 }] })
    const path = join(`${out}.files`, `${hash(png)}.png`)
    expect(repaired).toMatchObject({
      left: [],
      moved: [{ line: 4, path, bytes: png.length, mediaType: 'image/png' }],
    })
    expect(readFileSync(path).equals(png)).toBe(true)
    expect(readFileSync(out, 'utf8')).toContain(`${png.length} bytes of image/png, kept in ${path}`)
    expect(after).toMatchObject({ resumable: true, faults: [] })
  })

  test('a result in a line that is too long for an import is moved all the same', async () => {
    const long = 'ä'.repeat(17_000_000)
    const { before, repaired, after, out } = await rescued(withResults(['small', long]))
    expect(before.faults).toMatchObject([{ code: 'too_large', line: 0 }])
    expect(repaired.aside).toBeUndefined()
    expect(readFileSync(join(`${out}.files`, `${hash(long)}.txt`), 'utf8')).toBe(long)
    expect(after).toMatchObject({ resumable: true, lines: 4 })
  })

  test('of a conversation that no request may hold the largest results go, as many as must', async () => {
    const sizes = [9_000_000, 100, 12_000_000, 5_000_000, 11_000_000]
    const { before, repaired, after } = await rescued(withResults(sizes.map((size) => 'x'.repeat(size))))
    expect(before.faults).toMatchObject([{ code: 'too_large', line: 0 }])
    expect(repaired.moved.map(({ bytes }) => bytes)).toEqual([12_000_000])
    expect(after.faults).toEqual([])
  })

  test('what stands before a compaction is not sent, and stays', async () => {
    const results = (size: number) => withResults(['x', 'y', 'z'].map((letter, i) => letter.repeat(size + i)))
    const boundary = JSON.stringify({
      type: 'system',
      subtype: 'compact_boundary',
      uuid: 'b',
      parentUuid: null,
    })
    const { repaired } = await rescued([
      ...results(13_000_000),
      boundary,
      ...results(12_000_000).map(renamed),
    ])
    expect(repaired.moved).toMatchObject([{ line: 13, bytes: 12_000_002 }])
  })

  test('words alone stay, and it is said that the file cannot be helped', async () => {
    const said = withResults(['small']).with(
      0,
      JSON.stringify({
        type: 'user',
        uuid: 'a0',
        parentUuid: null,
        message: { role: 'user', content: 'w'.repeat(33_000_000) },
      }),
    )
    const { repaired } = await rescued(said)
    expect(repaired.left).toMatchObject([{ code: 'too_large', line: 0 }])
  })

  test('of Codex an output of more than a text may have is moved, and its images stay', async () => {
    const output = 'o'.repeat(11_000_000)
    const url = `data:image/png;base64,${png.toString('base64')}`
    const more = [
      { type: 'message', role: 'user', content: [{ type: 'input_image', image_url: url }] },
      { type: 'function_call', name: 'cat', arguments: '{}', call_id: 'big' },
      { type: 'function_call_output', call_id: 'big', output },
    ].map((payload) =>
      JSON.stringify({ timestamp: '2026-02-03T04:05:06.789Z', type: 'response_item', payload }),
    )
    const { before, repaired, after, out } = await rescued([...codex, ...more])
    expect(before.faults).toMatchObject([{ code: 'too_large', line: codex.length + 3 }])
    expect(repaired.moved).toMatchObject([
      { line: codex.length + 3, bytes: output.length, mediaType: 'text/plain' },
    ])
    expect(after.faults).toEqual([])
    expect(readFileSync(out, 'utf8')).toContain(url)
  })

  function renamed(line: string): string {
    return line.replaceAll(/"(a|r|toolu_|msg_)(\d)"/g, '"$1again$2"')
  }
})

test('whatever is broken, a second repair changes nothing', async () => {
  const line = fc.nat({ max: claude.length - 1 })
  const damage = fc.array(fc.tuple(line, fc.constantFrom('gone', 'cut', 'twice', 'large')), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(damage, async (damages) => {
      const lines: (string | undefined)[] = [...claude]
      for (const [at, how] of damages) lines[at] = damaged(lines[at], how)
      const { out, after, repaired } = await rescued(lines.filter((each) => each !== undefined))
      expect(after.faults).toEqual([])
      const again = await repair(out, `${out}.again`)
      expect(again).toMatchObject({ repaired: [], left: [], moved: [], lines: repaired.lines })
      expect(readFileSync(`${out}.again`, 'utf8')).toBe(readFileSync(out, 'utf8'))
    }),
    { seed, numRuns: process.env.HOLDFAST_QUICK ? 5 : 30 },
  )
})

function damaged(line: string | undefined, how: string): string | undefined {
  if (line === undefined || how === 'gone') return undefined
  if (how === 'cut') return line.slice(0, line.length / 2)
  if (how === 'twice') return `${line}\n${line}`
  const block = {
    type: 'image',
    source: { type: 'base64', media_type: 'image/jpeg', data: 'A'.repeat(6_000_000) },
  }
  const value = read(line)
  return value?.type === 'user'
    ? JSON.stringify({ ...value, message: { role: 'user', content: [block] } })
    : line
}

function read(line: string): JsonObject | undefined {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
