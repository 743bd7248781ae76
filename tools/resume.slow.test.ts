/**
 * Sessions that were exported, and files that were mended, in the hands of the programs they are for: `npm run test:resume`
 * gets these from npm. The provider is scripted and strict, and keeps what the program sends it.
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createOpenAI } from '@ai-sdk/openai'
import { type AnySession, type Holdfast, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import type { Json, JsonObject, MessagePart } from '@holdfast/protocol'
import { exportSession, importFile } from '@holdfast/transcripts'
import { generateText } from 'ai'
import { describe, expect, onTestFinished, test } from 'vitest'
import { exitCodes } from '../packages/cli/src/exit-codes.ts'
import { run } from '../packages/cli/src/testing/run.ts'
import { root } from './packages.ts'
import { shown, stepsIn, stepsOf, withoutRemarks } from './resume/conversation.ts'
import { dot, nativeSession, wires } from './resume/native-session.ts'
import { findProgram, type ProgramName } from './resume/programs.ts'
import { startProvider } from './resume/provider.ts'
import { placeOf, projectOf, put, resume } from './resume/run-program.ts'

const question = 'What did we speak of?'
const answer = 'Of this and that. (scripted)'

const samples: Record<ProgramName, string[]> = {
  'claude-code': [
    ...globSync(join(root, 'packages/transcripts/samples/claude-code/*.jsonl')),
    ...globSync(join(root, '../shared/data/claude-code/general-tool-calls.jsonl')),
  ],
  codex: globSync(join(root, '../shared/data/codex/*.jsonl')),
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-resume-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function open(): Promise<Holdfast> {
  const holdfast = await openHoldfast({ store: memory() })
  onTestFinished(() => holdfast.close())
  return holdfast
}

async function exported(
  holdfast: Holdfast,
  id: string,
  format: ProgramName | 'openai-chat',
): Promise<string> {
  const pieces: string[] = []
  await exportSession(holdfast, id, format, {
    write: async (piece) => {
      pieces.push(piece)
    },
  })
  return pieces.join('')
}

function sessionIdIn(file: string): string {
  return /"(?:sessionId|id)":"([0-9a-f-]{36})"/.exec(file)?.[1] ?? ''
}

/** The session of the file itself: no branch of it, and no sub-agent. */
async function imported(holdfast: Holdfast, path: string): Promise<AnySession> {
  const outcome = await importFile(holdfast, path)
  for (const { sessionId } of outcome.imported) {
    const session = await holdfast.sessions.open(sessionId)
    const { metadata, parentSessionId } = await session.view()
    const { branch } = (metadata?.source ?? {}) as JsonObject
    if (parentSessionId === undefined && branch === undefined) return session
  }
  throw new Error(`${path} holds no session`)
}

/** The program is asked something, and what it sent is given. */
async function asked(
  program: string,
  name: ProgramName,
  folder: string,
  sessionId: string,
  words = question,
) {
  await using provider = await startProvider(() => answer)
  const said = await resume(program, name, { folder, origin: provider.origin }, sessionId, words)
  const sent = provider.requests.map(stepsIn).map(withoutRemarks)
  return {
    said,
    sent: sent.find((steps) => steps.at(-1) === `user: ${words}`),
    refusals: provider.refusals(),
  }
}

/** Which of the thoughts in a file of its own the program sends is its own affair. */
function wordsOf(steps: readonly string[] = []): string[] {
  return steps.filter((step) => !step.startsWith('thought: '))
}

const noResult = 'no result in the transcript: the call may or may not have taken effect'
const lostResult = 'result: {"city":"Basel","sky":"clear"}'

const wentOn = {
  said: { status: 0, out: expect.stringContaining(answer) },
  refusals: [],
}

const isSealed: Record<ProgramName, (part: MessagePart) => boolean> = {
  'claude-code': (part) =>
    part.type === 'reasoning' && (part.signature ?? sealOf(part).signature) !== undefined,
  codex: (part) =>
    part.type === 'reasoning' && (part.encrypted ?? sealOf(part).reasoningEncryptedContent) !== undefined,
}

function sealOf(part: MessagePart): JsonObject {
  const { anthropic, openai } = ('provider' in part && part.provider) || {}
  return { ...(anthropic as JsonObject), ...(openai as JsonObject) }
}

for (const name of ['claude-code', 'codex'] as const satisfies ProgramName[]) {
  const found = findProgram(name)
  if ('missing' in found) console.warn(`skipped: ${name} goes on with exported sessions; ${found.missing}`)
  const program = 'path' in found ? found.path : ''
  if (samples[name].length < 3)
    console.warn(`skipped: ${name} goes on with real transcripts, which are not beside the checkout`)

  /** The file in its program's place, gone on with; what the program appended is imported again. */
  async function goOn(folder: string, sessionId: string, file: string) {
    const path = placeOf(name, folder, sessionId)
    put(path, file)
    const there = await open()
    const before = await stepsOf(
      await (await imported(there, path)).providerView(),
      async () => undefined,
      () => false,
    )
    const result = await asked(program, name, folder, sessionId)
    const again = await imported(there, path)
    const after = await stepsOf(
      await again.providerView(),
      async () => undefined,
      () => false,
    )
    return {
      ...result,
      appended: withoutRemarks(after.slice(before.length)),
      isSame: after.slice(0, before.length).join() === before.join(),
    }
  }

  describe.skipIf(program === '')(`${name}`, () => {
    test.each(wires)('goes on with a session that was made over %s', async (wire) => {
      const folder = temporaryFolder()
      const holdfast = await open()
      const session = await nativeSession(holdfast, wire, projectOf(folder))
      const result = await goOn(folder, session.id, await exported(holdfast, session.id, name))
      const expected = await stepsOf(
        await session.providerView(),
        (hash) => session.getAttachment(hash),
        isSealed[name],
      )
      const summary = expected.find((step) => step.startsWith('user: SUMMARY')) ?? ''
      const inOrder =
        name === 'claude-code' ? [summary, ...expected.filter((step) => step !== summary)] : expected
      expect(result).toMatchObject(wentOn)
      expect(result.sent).toEqual([...inOrder, `user: ${question}`])
      expect(result.appended).toEqual([`user: ${question}`, `assistant: ${answer}`])
      expect(result.isSame).toBe(true)
    })

    test.each(samples[name].map((path) => [basename(path), path] as const))(
      'goes on with what was imported of %s',
      async (_name, path) => {
        const folder = temporaryFolder()
        const holdfast = await open()
        const session = await imported(holdfast, path)
        const file = await exported(holdfast, session.id, name)
        const result = await goOn(folder, sessionIdIn(file), file)
        const expected = await stepsOf(
          await session.providerView(),
          (hash) => session.getAttachment(hash),
          () => false,
        )
        expect(result).toMatchObject(wentOn)
        expect(shown(wordsOf(result.sent))).toEqual(shown([...withoutRemarks(expected), `user: ${question}`]))
        expect(result.appended).toEqual([`user: ${question}`, `assistant: ${answer}`])
        expect(result.isSame).toBe(true)
      },
    )

    test('goes on with the mended copy of a broken file', async () => {
      const folder = temporaryFolder()
      const holdfast = await open()
      const session = await nativeSession(holdfast, 'openai-responses', projectOf(folder))
      const whole = (await exported(holdfast, session.id, name)).trimEnd().split('\n')
      const lost = whole.findLastIndex((line) => /tool_result|call_output/.test(line))
      const [file, mended] = [join(folder, 'broken.jsonl'), placeOf(name, folder, session.id)]
      put(file, `${whole.toSpliced(lost, 1, '{"type": "user", no').join('\n')}\n`)
      put(mended, '')
      rmSync(mended)

      const doctor = await run(['doctor', '--file', file])
      expect(doctor.code).toBe(exitCodes.findings.code)
      for (const told of [/orphan_call line \d+/, /broken_line line \d+/, /cannot be resumed/])
        expect(doctor.out).toMatch(told)
      expect(await run(['repair', '--file', file, '--out', mended])).toMatchObject({ code: 0 })
      const result = await asked(program, name, folder, session.id)
      const told = await stepsOf(
        await session.providerView(),
        (hash) => session.getAttachment(hash),
        () => false,
      )
      expect(result).toMatchObject(wentOn)
      const closed = told.map((step) => (step === lostResult ? `result: ${noResult}` : step))
      expect(wordsOf(result.sent).toSorted()).toEqual([...closed, `user: ${question}`].toSorted())
    })

    if (name === 'claude-code')
      test('leaves in the context what it goes on with itself after it summed up', async () => {
        const folder = temporaryFolder()
        const holdfast = await open()
        const session = await nativeSession(holdfast, 'anthropic', projectOf(folder))
        const path = placeOf(name, folder, session.id)
        put(path, await exported(holdfast, session.id, name))
        await asked(program, name, folder, session.id, '/compact')
        const result = await asked(program, name, folder, session.id)
        expect(result).toMatchObject(wentOn)
        const read = await imported(await open(), path)
        const steps = await stepsOf(
          await read.providerView(),
          async () => undefined,
          () => false,
        )
        expect(steps).toContain('assistant: Still clear.')
        expect([...wordsOf(result.sent), `assistant: ${answer}`]).toEqual(withoutRemarks(steps))
      })

    if (name === 'claude-code')
      test('refuses an image that is too large, and goes on with the mended copy', async () => {
        const folder = temporaryFolder()
        const holdfast = await open()
        const session = await nativeSession(holdfast, 'anthropic', projectOf(folder))
        const large = 'A'.repeat(6_000_000)
        const [file, place] = [join(folder, 'large.jsonl'), placeOf(name, folder, session.id)]
        put(file, (await exported(holdfast, session.id, name)).replace(dot, large))
        put(place, readFileSync(file, 'utf8'))
        const before = await asked(program, name, folder, session.id)
        expect(before).toMatchObject({
          said: { status: 1, out: expect.stringContaining('exceeds API limit') },
        })

        rmSync(place)
        expect(await run(['doctor', '--file', file])).toMatchObject({
          out: expect.stringMatching(/too_large line \d+ image/),
        })
        const mended = await run(['repair', '--file', file, '--out', place])
        expect(mended).toMatchObject({
          code: 0,
          out: expect.stringMatching(/line \d+: 4500000 bytes are in .*\.png/),
        })
        const after = await asked(program, name, folder, session.id)
        expect(after).toMatchObject(wentOn)
        expect(after.sent).toContainEqual(
          expect.stringMatching(/^user: \[too large .* 4500000 bytes of image\/png/),
        )
      })
  })
}

test('an export as OpenAI chat is what the provider takes, with one more question', async () => {
  const holdfast = await open()
  for (const wire of wires) {
    const session = await nativeSession(holdfast, wire, '/somewhere')
    const { messages } = JSON.parse(await exported(holdfast, session.id, 'openai-chat'))
    await using provider = await startProvider(() => answer)
    const openai = createOpenAI({
      baseURL: `${provider.origin}/v1`,
      apiKey: 'scripted',
      fetch: withMessages(messages),
    })
    const { text } = await generateText({ model: openai.chat('gpt-5-mini'), prompt: question })
    expect(text).toBe(answer)
    expect(provider.refusals()).toEqual([])
    expect(provider.requests[0]?.messages).toEqual([...messages, { role: 'user', content: question }])
  }
})

/** The official client's request with the exported conversation before its own message. */
function withMessages(before: readonly Json[]): typeof fetch {
  return (input, init) => {
    const body = JSON.parse(String(init?.body))
    return fetch(input, {
      ...init,
      body: JSON.stringify({ ...body, messages: [...before, ...body.messages] }),
    })
  }
}
