/** What a writer must do so that the other program, and its provider, take the conversation: on sessions that Holdfast made. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ActiveSession, type AnySession, type Holdfast, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import type { Json, JsonObject, MessagePart } from '@holdfast/protocol'
import { exportSession, importFile } from '@holdfast/transcripts'
import { describe, expect, test } from 'vitest'
import { openMemory, temporaryFolder } from '../src/testing/imported.ts'

const text = (words: string): MessagePart => ({ type: 'text', text: words })
const user = (words: string) => ({ role: 'user' as const, parts: [text(words)] })
const assistant = (...parts: MessagePart[]) => ({ role: 'assistant' as const, parts })
const call = (callId: string): MessagePart => ({ type: 'tool_call', callId, name: 'look', input: {} })

async function begun(holdfast: Holdfast): Promise<ActiveSession> {
  return (await holdfast.sessions.create({ agentId: 'agent' })).activate()
}

async function written(holdfast: Holdfast, { id }: AnySession, format: string) {
  const pieces: string[] = []
  const report = await exportSession(holdfast, id, format, {
    write: async (piece) => {
      pieces.push(piece)
    },
  })
  const all = pieces.join('')
  const lines: JsonObject[] =
    format === 'openai-chat'
      ? JSON.parse(all).messages
      : all
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line))
  return { lines, report, all }
}

/** The last line of each message. */
async function contextOf(session: AnySession): Promise<(string | undefined)[]> {
  const view = await session.providerView()
  return view.map(({ parts }) =>
    parts
      .map((part) => ('text' in part ? part.text : ''))
      .join()
      .split('\n')
      .at(-1),
  )
}

function contentOf({ message, payload }: JsonObject): Json {
  return ((message ?? payload) as JsonObject).content ?? null
}

test('the same said twice in one moment is said twice when a file of Claude Code is read again', async () => {
  const holdfast = await openHoldfast({ store: memory(), clock: () => Date.UTC(2026, 0, 1) })
  const session = await begun(holdfast)
  const turn = [user('#'), assistant(text('!'))]
  await session.append([...turn, ...turn, ...turn])
  const path = join(temporaryFolder(), `${session.id}.jsonl`)
  writeFileSync(path, (await written(holdfast, session, 'claude-code')).all)
  const there = await openMemory()
  const { imported, report } = await importFile(there, path)
  const contexts = await Promise.all(
    imported.map(async ({ sessionId }) => contextOf(await there.sessions.open(sessionId))),
  )
  expect(contexts).toEqual([['#', '!', '#', '!', '#', '!']])
  expect([...report.dropped.keys()]).not.toContain('copies of earlier lines')
})

describe('beside a summary', () => {
  async function compacted(holdfast: Holdfast) {
    const session = await begun(holdfast)
    const { messages } = await session.append([
      user('kept before'),
      user('old question'),
      assistant(text('old answer')),
      { ...user('pinned'), neverCompress: true },
      user('kept behind'),
    ])
    const [, first, , last] = messages.map(({ seq }) => seq) as [number, number, number, number]
    const figures = { messagesCovered: 2, tokensBefore: 100, tokensAfter: 10 }
    const record = { compactionId: 'c1', trigger: 'manual' as const, from: first, to: last, ...figures }
    await session.compact({ record, pathSeq: 0, summary: 'the summary', summaryTokens: 5 })
    await session.append(user('after'))
    return session
  }

  test('Claude Code is told what still stands in the context', async () => {
    const holdfast = await openMemory()
    const { lines } = await written(holdfast, await compacted(holdfast), 'claude-code')
    const boundary = lines.find(({ subtype }) => subtype === 'compact_boundary')
    const summary = lines.find(({ isCompactSummary }) => isCompactSummary)
    const { preservedMessages } = (boundary?.compactMetadata ?? {}) as JsonObject
    const { anchorUuid, uuids } = preservedMessages as { anchorUuid: string; uuids: string[] }
    expect(anchorUuid).toBe(summary?.uuid)
    const kept = uuids.map((uuid) => lines.find((line) => line.uuid === uuid) ?? {})
    expect(kept.map(contentOf)).toEqual(['kept before', 'pinned', 'kept behind'])
  })

  test.each([
    ['behind', 1, 2, ['the summary', 'second', 'second answer', 'after']],
    ['before', 3, 4, ['first', 'first answer', 'the summary', 'after']],
  ])('a file of Claude Code read again leaves the same %s it', async (_where, from, to, expected) => {
    const holdfast = await openMemory()
    const session = await begun(holdfast)
    const said = [user('first'), assistant(text('first answer')), user('second')]
    const { messages } = await session.append([...said, assistant(text('second answer'))])
    const seqOf = (n: number) => messages[n - 1]?.seq ?? 0
    const figures = { messagesCovered: 2, tokensBefore: 100, tokensAfter: 10 }
    const record = {
      compactionId: 'c1',
      trigger: 'manual' as const,
      from: seqOf(from),
      to: seqOf(to),
      ...figures,
    }
    await session.compact({ record, pathSeq: 0, summary: 'the summary', summaryTokens: 5 })
    await session.append(user('after'))
    expect(await contextOf(session)).toEqual(expected)
    const path = join(temporaryFolder(), `${session.id}.jsonl`)
    writeFileSync(path, (await written(holdfast, session, 'claude-code')).all)
    const there = await openMemory()
    const { imported } = await importFile(there, path)
    expect(await contextOf(await there.sessions.open(imported[0]?.sessionId ?? ''))).toEqual(expected)
  })

  test('Codex is given all of the context in its order', async () => {
    const holdfast = await openMemory()
    const { lines } = await written(holdfast, await compacted(holdfast), 'codex')
    const { payload } = lines.find(({ type }) => type === 'compacted') ?? {}
    const history = (payload as JsonObject).replacement_history as { content: { text: string }[] }[]
    const words = history.map(({ content }) => content[0]?.text)
    expect(words).toEqual(['kept before', 'the summary', 'pinned', 'kept behind'])
  })

  test('a summary that an earlier one went into stands alone for both', async () => {
    const holdfast = await openMemory()
    const session = await compacted(holdfast)
    const { seq } = await session.view()
    const figures = { messagesCovered: 5, tokensBefore: 100, tokensAfter: 10 }
    const record = { compactionId: 'c2', trigger: 'manual' as const, from: 1, to: seq, ...figures }
    const pathSeq = Number((await session.contextState()).pathSeq)
    await session.compact({ record, pathSeq, summary: 'all of it', summaryTokens: 5 })
    const { lines } = await written(holdfast, session, 'codex')
    const { payload } = lines.findLast(({ type }) => type === 'compacted') ?? {}
    const history = (payload as JsonObject).replacement_history as { content: { text: string }[] }[]
    expect(history.map(({ content }) => content[0]?.text)).toEqual(['all of it', 'pinned'])
  })

  test('one that was undone is not written; redone, it is', async () => {
    const holdfast = await openMemory()
    const session = await begun(holdfast)
    const { messages } = await session.append([user('old'), assistant(text('answer')), user('new')])
    const [from, , to] = messages.map(({ seq }) => seq) as [number, number, number]
    const figures = { messagesCovered: 3, tokensBefore: 100, tokensAfter: 10 }
    const record = { compactionId: 'c1', trigger: 'manual' as const, from, to, ...figures }
    await session.compact({ record, pathSeq: 0, summary: 'the summary', summaryTokens: 5 })
    await session.undo()
    const undone = await written(holdfast, session, 'claude-code')
    expect(undone.all).not.toContain('the summary')
    expect(undone.report.dropped.get('compactions that were taken back')).toBe(1)
    await session.redo()
    expect((await written(holdfast, session, 'claude-code')).all).toContain('the summary')
  })
})

test.each(['claude-code', 'codex', 'openai-chat'])(
  '%s: input that waited stands where it was taken in',
  async (format) => {
    const holdfast = await openMemory()
    const session = await begun(holdfast)
    await session.append(user('first'))
    const starting = await session.startRun({ owner: 'worker', ttlMs: 60_000 })
    const run = await starting.startRound()
    await session.append(user('meanwhile'), { policy: 'enqueue' })
    await run.append(assistant(text('answer')))
    await run.completeRound()
    await run.complete()
    await session.append(user('last'))
    const { all } = await written(holdfast, session, format)
    const places = ['first', 'answer', 'meanwhile', 'last'].map((words) => all.indexOf(`"${words}"`))
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places).not.toContain(-1)
  },
)

describe('calls', () => {
  async function calling(
    holdfast: Holdfast,
    rounds: readonly (readonly string[])[],
    answered: (callId: string) => boolean,
  ) {
    const session = await begun(holdfast)
    await session.append(user('go'))
    const starting = await session.startRun({ owner: 'worker', ttlMs: 60_000 })
    for (const [i, callIds] of rounds.entries()) {
      const run =
        i === 0
          ? await starting.startRound()
          : await ((await session.joinRun(starting.epoch)) as typeof starting).startRound()
      await run.append(assistant(...callIds.map(call)))
      for (const callId of callIds.filter(answered)) await run.finishTool({ callId, output: `of ${callId}` })
      if (i < rounds.length - 1) await run.completeRound()
    }
    return session
  }

  const idsIn = (all: string, field: string) =>
    [...all.matchAll(new RegExp(`"${field}":"([^"]*)"`, 'g'))].map(([, id]) => id)

  test('that wait for their result are closed, in every format', async () => {
    const holdfast = await openMemory()
    const session = await calling(holdfast, [['a', 'b']], (callId) => callId === 'a')
    const fields = { 'claude-code': 'tool_use_id', codex: 'call_id', 'openai-chat': 'tool_call_id' }
    for (const [format, field] of Object.entries(fields)) {
      const { all, report } = await written(holdfast, session, format)
      expect(idsIn(all, field).slice(-2)).toEqual(['a', 'b'])
      expect(all).toContain('no result in the transcript')
      expect(report.repaired.get('calls without a result, closed as unknown')).toBe(1)
    }
  })

  test('have ids that the provider takes, and results the same ones', async () => {
    const holdfast = await openMemory()
    const odd = `call.${'x'.repeat(80)}`
    const session = await calling(holdfast, [[odd]], () => true)
    const claude = await written(holdfast, session, 'claude-code')
    const [answered = ''] = idsIn(claude.all, 'tool_use_id')
    expect(answered).toMatch(/^[a-zA-Z0-9_-]+$/)
    expect(claude.all).toContain(`"type":"tool_use","id":"${answered}"`)
    const codex = idsIn((await written(holdfast, session, 'codex')).all, 'call_id')
    expect(codex).toEqual([codex[0], codex[0]])
    expect(codex[0]?.length).toBeLessThanOrEqual(64)
    const chat = idsIn((await written(holdfast, session, 'openai-chat')).all, 'tool_call_id')
    expect(chat[0]?.length).toBeLessThanOrEqual(40)
  })

  test('and results that lost the other to an erasure are left out with it', async () => {
    const holdfast = await openMemory()
    const session = await calling(holdfast, [['a'], ['b']], () => true)
    const { messages } = await session.messages()
    const erased = messages.filter(({ parts }) => JSON.stringify(parts).match(/"callId":"a".*"input"|of b/))
    await holdfast.sessions.erase(
      session.id,
      erased.map(({ seq }) => seq),
    )
    const { all } = await written(holdfast, session, 'openai-chat')
    expect(idsIn(all, 'tool_call_id')).toEqual(['b'])
    expect(all).toContain('no result in the transcript')
  })

  test('of one id in two rounds have two', async () => {
    const holdfast = await openMemory()
    const session = await calling(holdfast, [['same'], ['same']], () => true)
    for (const [format, field] of [
      ['claude-code', 'tool_use_id'],
      ['codex', 'call_id'],
    ] as const) {
      const ids = idsIn((await written(holdfast, session, format)).all, field)
      expect(new Set(ids).size).toBe(2)
    }
  })
})

describe('thoughts', () => {
  const thinking: MessagePart[] = [
    { type: 'reasoning', text: 'signed', provider: { anthropic: { signature: 'sig' } } },
    { type: 'reasoning', text: 'sealed', provider: { openai: { reasoningEncryptedContent: 'enc' } } },
    { type: 'reasoning', text: 'bare' },
    { type: 'data', name: 'provider_response', data: { id: 'r' } },
    text('said'),
  ]

  test.each([
    ['claude-code', ['signed']],
    ['codex', ['sealed']],
  ] as const)('%s is given those that its provider sealed, and no bookkeeping', async (format, kept) => {
    const holdfast = await openMemory()
    const session = await begun(holdfast)
    await session.append([user('go'), assistant(...thinking)])
    const { all } = await written(holdfast, session, format)
    expect(['signed', 'sealed', 'bare'].filter((words) => all.includes(`"${words}"`))).toEqual(kept)
    expect(all).not.toContain('provider_response')
  })
})

test('a rollout names no provider, which Codex could not change', async () => {
  const holdfast = await openMemory()
  const created = await holdfast.sessions.create({
    agentId: 'agent',
    providerId: 'anthropic',
    model: 'claude',
  })
  const session = await created.activate()
  const [meta] = (await written(holdfast, session, 'codex')).lines
  expect(meta).toMatchObject({ type: 'session_meta', payload: { id: session.id } })
  expect(meta?.payload).not.toHaveProperty('model_provider')
})

test('a summary that Codex wrote is written once', async () => {
  const holdfast = await openMemory()
  const path = join(temporaryFolder(), 'rollout.jsonl')
  const lines = [
    { type: 'session_meta', payload: { id: 'compacted-sample' } },
    {
      type: 'response_item',
      payload: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go' }] },
    },
    { type: 'compacted', payload: { message: 'all of it', replacement_history: [] } },
  ]
  writeFileSync(
    path,
    lines.map((line) => `${JSON.stringify({ timestamp: '2026-02-03T04:05:06.000Z', ...line })}\n`).join(''),
  )
  const { imported } = await importFile(holdfast, path)
  const session = await holdfast.sessions.open(imported[0]?.sessionId ?? '')
  const found = await written(holdfast, session, 'codex')
  expect(found.lines.filter(({ type }) => type === 'compacted')).toHaveLength(1)
})
