import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { examine, importFile, repair } from '@holdfast/transcripts'
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
  expect(repaired).toEqual({ format: 'claude-code', lines: claude.length, repaired: [], left: [] })
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
