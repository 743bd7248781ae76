/** Sessions that were forked from another, or spawned by one: their files begin with a copy of what was said and paid there. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { importPaths, sessionIdOf } from '@holdfast/transcripts'
import { expect, test } from 'vitest'
import { allMessages, openMemory, temporaryFolder } from '../src/testing/imported.ts'

/** Of a time: what each id is made of. */
function uuid7(atMs: number): string {
  const hex = atMs.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}

const startMs = Date.UTC(2026, 7, 1, 5)
const forkMs = startMs + 60_000

interface Told {
  atMs: number
  type: string
  payload: object
}

const lines = (told: readonly Told[]): string =>
  told
    .map(({ atMs, ...line }) => `${JSON.stringify({ timestamp: new Date(atMs).toISOString(), ...line })}\n`)
    .join('')

/** One turn; `tokens` is the sum so far. */
function turn(atMs: number, says: string, tokens: number, hasId = true): Told[] {
  const total = { input_tokens: tokens, cached_input_tokens: 0, output_tokens: 0, reasoning_output_tokens: 0 }
  const content = (type: string, text: string) => ({ type: 'message', content: [{ type, text }] })
  const info = { total_token_usage: total, last_token_usage: { ...total, input_tokens: 100 } }
  return [
    { atMs, type: 'event_msg', payload: { type: 'task_started', ...(hasId && { turn_id: uuid7(atMs) }) } },
    { atMs, type: 'turn_context', payload: { model: 'gpt-5', ...(hasId && { turn_id: uuid7(atMs) }) } },
    { atMs, type: 'response_item', payload: { ...content('input_text', says), role: 'user' } },
    {
      atMs: atMs + 4_000,
      type: 'response_item',
      payload: { ...content('output_text', 'Yes.'), role: 'assistant' },
    },
    { atMs: atMs + 4_000, type: 'event_msg', payload: { type: 'token_count', info } },
  ]
}

const parentId = uuid7(startMs)
const meta = (id: string, atMs: number, beside: object = {}): Told => {
  return { atMs, type: 'session_meta', payload: { id, cwd: '/work', ...beside } }
}
const history = (hasId = true) => [
  ...turn(startMs + 1_000, 'One?', 100, hasId),
  ...turn(startMs + 10_000, 'Two?', 200, hasId),
]
const parent = (hasId = true) => lines([meta(parentId, startMs), ...history(hasId)])
const restamped = (told: readonly Told[]) => told.map((each, at) => ({ ...each, atMs: forkMs + at * 2 }))

const fork = { forked_from_id: parentId }
const spawned = { source: { subagent: { thread_spawn: { parent_thread_id: parentId, depth: 1 } } } }
const own = (tokens: number, hasId = true) => turn(forkMs + 20_000, 'Three?', tokens, hasId)

const layouts: readonly [string, boolean, Told[], number][] = [
  [
    'a fork, its copy stamped anew',
    true,
    [meta('', 0, fork), meta(parentId, startMs), ...restamped(history()), ...own(300)],
    3,
  ],
  ['a fork whose copy has the times that it had', true, [meta('', 0, fork), ...history(), ...own(300)], 3],
  [
    'a fork of a version whose turns have no ids',
    false,
    [meta('', 0, fork), ...restamped(history(false)), ...own(300, false)],
    3,
  ],
  [
    'a sub-agent with what its parent said',
    true,
    [meta('', 0, spawned), meta(parentId, startMs), ...history(), ...own(300)],
    3,
  ],
  ['a sub-agent without', true, [meta('', 0, spawned), meta(parentId, startMs), ...own(100)], 1],
]

test.each(layouts)('%s pays for its own calls only', async (_what, hasId, [first, ...rest], turns) => {
  const folder = temporaryFolder()
  const id = uuid7(forkMs)
  const child = [{ ...first, atMs: forkMs, payload: { ...first?.payload, id } } as Told, ...rest]
  writeFileSync(join(folder, 'rollout-1.jsonl'), parent(hasId))
  const path = join(folder, 'rollout-2.jsonl')
  const holdfast = await openMemory()
  // It is imported while it is written, too: the copy may not be whole then.
  for (const end of [Math.min(6, child.length), child.length]) {
    writeFileSync(path, lines(child.slice(0, end)))
    expect((await importPaths(holdfast, [folder])).failed).toEqual([])
  }
  const { sessions } = await holdfast.sessions.list()
  const spent = sessions.map(({ counters }) => counters.promptTokens).sort((a, b) => a - b)
  expect(spent).toEqual([100, 200])
  const forked = await holdfast.sessions.open(sessionIdOf('default', 'codex', id))
  const messages = await allMessages(forked)
  expect(messages).toHaveLength(2 * turns)
})

test('a Claude Code session that was forked pays for what was said since', async () => {
  const folder = temporaryFolder()
  const usage = { input_tokens: 10, output_tokens: 5 }
  const line = (session: string, nth: number, copied?: string) => {
    const uuid = `${session}-${nth}`
    const beside =
      copied === undefined ? {} : { forkedFrom: { sessionId: copied, messageUuid: `${copied}-${nth}` } }
    const isPrompt = nth % 2 === 1
    const said = copied ?? session
    const message = isPrompt
      ? { role: 'user', content: 'And?' }
      : {
          id: `msg_${said}${nth}`,
          role: 'assistant',
          model: 'claude-opus-4-5',
          usage,
          content: [{ type: 'text', text: 'So.' }],
        }
    const common = {
      uuid,
      parentUuid: nth === 1 ? null : `${session}-${nth - 1}`,
      sessionId: session,
      ...beside,
    }
    return `${JSON.stringify({ ...common, type: isPrompt ? 'user' : 'assistant', message })}\n`
  }
  const first = [1, 2, 3, 4].map((nth) => line('first', nth))
  const forked = [1, 2, 3, 4, 5, 6].map((nth) => line('forked', nth, nth <= 4 ? 'first' : undefined))
  writeFileSync(join(folder, 'first.jsonl'), first.join(''))
  writeFileSync(join(folder, 'forked.jsonl'), forked.join(''))
  const holdfast = await openMemory()
  const { report } = await importPaths(holdfast, [folder])
  expect(report.dropped.get('usage of messages that were copied from another session')).toBe(2)
  const tell = async (name: string) => {
    const session = await holdfast.sessions.open(sessionIdOf('default', 'claude-code', name))
    const { counters, metadata } = await session.view()
    return [counters.promptTokens, counters.messageCount, metadata?.forkedFrom]
  }
  expect(await tell('first')).toEqual([20, 4, undefined])
  expect(await tell('forked')).toEqual([10, 6, 'first'])
})
