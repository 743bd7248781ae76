/** A file that is imported while it is written gives in the end what it gives when it is imported once, wherever it was cut. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ActiveSession, AnySession, Holdfast } from '@holdfast/core'
import { isKnown, type Message } from '@holdfast/protocol'
import { importFile } from '@holdfast/transcripts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allEvents,
  allMessages,
  openMemory,
  pairingFaults,
  temporaryFolder,
} from '../src/testing/imported.ts'
import { claudeLines, codexLines, type Growing, listOf } from './growing.ts'

const perFile = 40

async function onlySession(holdfast: Holdfast): Promise<AnySession> {
  const { sessions } = await holdfast.sessions.list()
  expect(sessions).toHaveLength(1)
  return holdfast.sessions.open(sessions[0]?.id ?? '')
}

/** Ids are left out: what was cut off keeps its own. */
function said(messages: readonly Message[]) {
  return messages.map(({ role, parts, author, finish }) => ({ role, parts, author, finish }))
}

async function notesOf(session: AnySession): Promise<string[]> {
  const events = await allEvents(session)
  const notes = events.filter((event) => isKnown(event, 'note.added')).map(({ data }) => data)
  return notes
    .filter(({ kind }) => kind !== 'import.position')
    .map((note) => JSON.stringify(note))
    .sort()
}

async function importCut({ file, pieces, join: joined }: Growing, cuts: readonly number[]) {
  const holdfast = await openMemory()
  const path = join(temporaryFolder(), file)
  let lines = 0
  for (const cut of [...cuts, pieces.length]) {
    writeFileSync(path, joined(pieces.slice(0, cut)))
    const { failed, report } = await importFile(holdfast, path)
    expect(failed).toEqual([])
    for (const told of report.lines.values()) lines += told
  }
  const session = await onlySession(holdfast)
  const messages = await allMessages(session)
  expect(pairingFaults(messages)).toEqual([])
  expect((await importFile(holdfast, path)).events, 'once more').toBe(0)
  if (file.endsWith('.jsonl')) expect(lines, 'each line is told of once').toBe(pieces.length)
  const notes = await notesOf(session)
  const { title, counters } = await session.view()
  const { promptTokens, completionTokens, cachedReadTokens, cachedWriteTokens } = counters
  const { messageCount, exchangeCount, roundCount } = counters
  const tokens = { promptTokens, completionTokens, cachedReadTokens, cachedWriteTokens }
  return { messages: said(messages), notes, title, tokens, messageCount, exchangeCount, roundCount }
}

const kinds: readonly [string, fc.Arbitrary<Growing>][] = [
  ['a Claude Code file', claudeLines],
  ['a Codex rollout', codexLines],
  ['a list of chat messages', listOf('openai-chat')],
  ['a list of Responses items', listOf('openai-responses')],
]

describe.each(kinds)('%s', (_name, growing) => {
  test('cut anywhere, and read again as it grows, is what it is when it is read once', {
    timeout: 120_000,
  }, async () => {
    const cutAnywhere = growing.chain((file) =>
      fc.record({
        file: fc.constant(file),
        cuts: fc.uniqueArray(fc.integer({ min: 1, max: file.pieces.length }), { maxLength: 4 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(cutAnywhere, async ({ file, cuts }) => {
        const whole = await importCut(file, [])
        expect(
          await importCut(
            file,
            [...cuts].sort((a, b) => a - b),
          ),
        ).toEqual(whole)
      }),
      { numRuns: Number(process.env.HOLDFAST_GROWTH_RUNS ?? perFile) },
    )
  })
})

/** A rollout as it was while a tool was at work, imported; `goOn` imports it whole. */
async function atWork() {
  const holdfast = await openMemory()
  const path = join(temporaryFolder(), 'both.jsonl')
  const [file] = fc.sample(codexLines.filter(hasResult), { seed: 1, numRuns: 1 })
  if (!file) throw new Error('no file')
  writeFileSync(path, file.join(file.pieces.slice(0, file.pieces.findIndex(isResult))))
  await importFile(holdfast, path)
  const goOn = async () => {
    writeFileSync(path, file.join(file.pieces))
    expect((await importFile(holdfast, path)).failed).toEqual([])
  }
  return { file, session: (await onlySession(holdfast)) as ActiveSession, goOn }
}

test('what somebody else noted meanwhile does not keep a turn from going on', async () => {
  const { file, session, goOn } = await atWork()
  await session.rename('Mine')
  await goOn()
  const whole = await importCut(file, [])
  expect(said(await allMessages(session))).toEqual(whole.messages)
  expect((await session.view()).title).toBe('Mine')
})

test('what somebody said meanwhile in the session is not cut off', async () => {
  const { session, goOn } = await atWork()
  await session.append({ role: 'user', parts: [{ type: 'text', text: 'Do go on here.' }] })
  const before = await allMessages(session)
  await goOn()
  const after = await allMessages(session)
  expect(after.slice(0, before.length)).toEqual(before)
  expect(pairingFaults(after)).toEqual([])
})

function isResult(piece: object): boolean {
  return JSON.stringify(piece).includes('function_call_output')
}

function hasResult({ pieces }: Growing): boolean {
  return pieces.some(isResult)
}
