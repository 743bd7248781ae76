/** Threads of Codex in several files: a later one names the file whose beginning is its history, and copies nothing. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import type { Holdfast } from '@holdfast/core'
import { limits } from '@holdfast/protocol'
import { importPaths, sessionIdOf } from '@holdfast/transcripts'
import { expect, test } from 'vitest'
import { wavesOf } from '../src/import-order.ts'
import { allMessages, openMemory, seqs, temporaryFolder } from '../src/testing/imported.ts'

const thread = '019e0000-0000-7000-8000-000000000001'
const second = '019e0000-0000-7000-8000-000000000002'
const third = '019e0000-0000-7000-8000-000000000003'
const idOf = (rollout: string) => sessionIdOf('default', 'codex', rollout)
const nameOf = (minute: number, id: string) =>
  `2026/09/09/rollout-2026-09-09T09-${10 + minute}-00-${id}.jsonl`

type Line = { type: string; payload: object }

const meta = (payload: object): Line => ({
  type: 'session_meta',
  payload: { cwd: '/work', source: 'cli', ...payload },
})
const spoken = (role: string, text: string): Line => {
  const type = role === 'user' ? 'input_text' : 'output_text'
  return { type: 'response_item', payload: { type: 'message', role, content: [{ type, text }] } }
}
const event = (type: string, beside: object): Line => ({ type: 'event_msg', payload: { type, ...beside } })
const counted = (total: number, last: number): Line => {
  const [total_token_usage, last_token_usage] = [total, last].map((input_tokens) => ({
    input_tokens,
    output_tokens: 1,
  }))
  return {
    type: 'event_msg',
    payload: { type: 'token_count', info: { total_token_usage, last_token_usage } },
  }
}
const turn = (words: string, total: number, last: number) => [
  event('task_started', { turn_id: words }),
  event('user_message', { message: words }),
  spoken('user', words),
  spoken('assistant', `To ${words}`),
  counted(total, last),
]

function textOf(lines: readonly Line[], from = 0): string {
  const stamped = lines.map((line, at) => {
    const timestamp = new Date(Date.UTC(2026, 8, 9, 9, 10, from + at)).toISOString()
    return { timestamp, ordinal: from + at, ...line }
  })
  return stamped.map((line) => `${JSON.stringify(line)}\n`).join('')
}

const history = (rollout: string, before: string, end_ordinal_exclusive: number) => ({
  history_mode: 'paginated',
  history_base: { thread_id: rollout, end_ordinal_exclusive, end_byte_offset: Buffer.byteLength(before) },
})

const first = textOf([meta({ id: thread }), ...turn('one', 100, 100), ...turn('two', 250, 150)])
const upToOne = first.split('\n').slice(0, 6).join('\n').concat('\n')
const resumed = textOf([meta({ id: thread, ...history(thread, first, 11) }), ...turn('three', 450, 200)], 60)
const tookBack = textOf(
  [meta({ id: thread, ...history(thread, upToOne, 6) }), ...turn('other', 400, 150)],
  60,
)

const files = { [nameOf(0, thread)]: first, [nameOf(5, `${thread}_${second}`)]: resumed }

function saved(folder: string, texts: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

async function imported(...stages: readonly Readonly<Record<string, string | Buffer>>[]) {
  const folder = temporaryFolder()
  const holdfast = await openMemory()
  for (const texts of stages) {
    saved(folder, texts)
    expect((await importPaths(holdfast, [folder])).failed).toEqual([])
  }
  return { folder, holdfast }
}

async function read(holdfast: Holdfast, rollout: string) {
  const session = await holdfast.sessions.open(idOf(rollout))
  const { counters, metadata, title, forkedFrom } = await session.view()
  const said = (await allMessages(session)).map(({ parts }) =>
    parts[0] && 'text' in parts[0] ? parts[0].text : '',
  )
  return { said, spent: counters.promptTokens, metadata, title, from: forkedFrom?.sessionId }
}

test('a thread that was resumed goes on in a fork of what it was, and each call is paid for once', async () => {
  const { holdfast } = await imported(files)
  expect(await read(holdfast, thread)).toMatchObject({ said: ['one', 'To one', 'two', 'To two'], spent: 250 })
  expect(await read(holdfast, second)).toMatchObject({
    said: ['one', 'To one', 'two', 'To two', 'three', 'To three'],
    spent: 200,
    from: idOf(thread),
    title: 'three',
    metadata: { source: { format: 'codex', sourceId: second }, thread_id: thread },
  })
  expect((await holdfast.usage.totals()).promptTokens).toBe(450)
})

test('a thread that was taken back goes on from there', async () => {
  const { holdfast } = await imported({ ...files, [nameOf(5, `${thread}_${second}`)]: tookBack })
  expect(await read(holdfast, second)).toMatchObject({
    said: ['one', 'To one', 'other', 'To other'],
    spent: 150,
  })
  expect(await read(holdfast, thread)).toMatchObject({ said: ['one', 'To one', 'two', 'To two'], spent: 250 })
})

test('also from a file that goes on from another one itself, and of another thread', async () => {
  const forked = [
    meta({ id: third, forked_from_id: thread, ...history(second, resumed, 17) }),
    ...turn('four', 700, 250),
  ]
  const { holdfast } = await imported({ ...files, [nameOf(9, third)]: textOf(forked, 90) })
  const { said, spent, from } = await read(holdfast, third)
  expect(said).toEqual(['one', 'To one', 'two', 'To two', 'three', 'To three', 'four', 'To four'])
  expect({ spent, from }).toEqual({ spent: 250, from: idOf(second) })
})

test('where such a file begins before anything was said in the one it names, it has the history of that one', async () => {
  const early = resumed.split('\n').slice(0, 1).join('\n').concat('\n')
  const again = textOf([meta({ id: thread, ...history(second, early, 12) }), ...turn('five', 800, 10)], 90)
  const { holdfast } = await imported({ ...files, [nameOf(9, `${thread}_${third}`)]: again })
  expect((await read(holdfast, third)).said).toEqual(['one', 'To one', 'two', 'To two', 'five', 'To five'])
})

test('again nothing is new; what was appended since is', async () => {
  const { folder, holdfast } = await imported(files)
  const before = await seqs(holdfast)
  const more = textOf(
    [
      meta({ id: thread, ...history(thread, first, 11) }),
      ...turn('three', 450, 200),
      ...turn('more', 500, 50),
    ],
    60,
  )
  saved(folder, { [nameOf(5, `${thread}_${second}`)]: resumed })
  await importPaths(holdfast, [folder])
  expect(await seqs(holdfast)).toEqual(before)
  saved(folder, { [nameOf(5, `${thread}_${second}`)]: more })
  await importPaths(holdfast, [folder])
  const { said, spent } = await read(holdfast, second)
  expect(said.slice(-4)).toEqual(['three', 'To three', 'more', 'To more'])
  expect(spent).toBe(250)
  expect((await read(holdfast, thread)).said).toHaveLength(4)
})

test('a file cut anywhere by the import before is the same in the end', async () => {
  const lines = resumed.trimEnd().split('\n')
  const whole = (await imported(files)).holdfast
  for (const cut of lines.keys()) {
    const part = lines
      .slice(0, cut)
      .map((line) => `${line}\n`)
      .join('')
    const { holdfast } = await imported({ ...files, [nameOf(5, `${thread}_${second}`)]: part }, files)
    expect(await read(holdfast, second)).toEqual(await read(whole, second))
  }
})

test('without the file before it is a session of its own, which says what it goes on from', async () => {
  const { holdfast } = await imported({ [nameOf(5, `${thread}_${second}`)]: resumed })
  expect(await read(holdfast, second)).toMatchObject({
    said: ['three', 'To three'],
    spent: 200,
    from: undefined,
    metadata: { thread_id: thread, history_base: thread },
  })
  expect(await holdfast.sessions.get(idOf(thread))).toBeUndefined()
})

test('whatever their names are, and compressed, files come after those that they go on from', async () => {
  const { holdfast } = await imported({
    [`archived/rollout-2026-01-01T00-00-00-${thread}_${second}.jsonl`]: resumed,
    [`sessions/${nameOf(0, thread)}.zst`]: zstdCompressSync(first),
  })
  expect((await read(holdfast, second)).said).toHaveLength(6)
})

test.each([
  ['itself', second],
  ['one that names it', third],
  ['nobody', 'x'.repeat(200)],
])('a file that says it goes on from %s harms nobody', async (_whom, base) => {
  const odd = textOf([meta({ id: thread, ...history(base, first, 11) }), ...turn('three', 450, 200)], 60)
  const other = textOf([meta({ id: thread, ...history(second, first, 11) }), ...turn('four', 450, 200)], 60)
  const { holdfast } = await imported({
    ...files,
    [nameOf(5, `${thread}_${second}`)]: odd,
    [nameOf(6, `${thread}_${third}`)]: other,
  })
  expect((await read(holdfast, second)).said.slice(-2)).toEqual(['three', 'To three'])
  expect((await read(holdfast, third)).said.slice(-2)).toEqual(['four', 'To four'])
})

test('summaries at the same line of two files of one thread are two', async () => {
  const summed = (lines: readonly Line[]) => [
    ...lines,
    { type: 'compacted', payload: { message: 'Summed up.' } },
  ]
  const before = textOf(summed([meta({ id: thread }), ...turn('one', 100, 100)]))
  const after = textOf(
    summed([meta({ id: thread, ...history(thread, before, 8) }), ...turn('two', 250, 150)]),
    60,
  )
  const { holdfast } = await imported({
    [nameOf(0, thread)]: before,
    [nameOf(5, `${thread}_${second}`)]: after,
  })
  const { compactions } = await (await holdfast.sessions.open(idOf(second))).view()
  expect(new Set(compactions.map(({ compactionId }) => compactionId)).size).toBe(2)
})

const onward = (...lines: readonly Line[]) =>
  textOf([meta({ id: thread, ...history(thread, first, 11) }), ...lines], 60)
const asLater = (text: string) => ({ ...files, [nameOf(5, `${thread}_${second}`)]: text })
const totalOf = async (holdfast: Holdfast) => (await holdfast.usage.totals()).promptTokens
const withoutLast = (total: number): Line => ({
  type: 'event_msg',
  payload: { type: 'token_count', info: { total_token_usage: { input_tokens: total, output_tokens: 1 } } },
})

test.each([
  ['tells again what was counted before', [counted(250, 150), ...turn('three', 450, 200)]],
  [
    'does not tell the last call',
    [spoken('user', 'three'), spoken('assistant', 'To three'), withoutLast(450)],
  ],
])('a file that goes on and %s is paid for once', async (_what, lines) => {
  expect(await totalOf((await imported(asLater(onward(...lines)))).holdfast)).toBe(450)
})

test('what was taken back is not taken from what comes after', async () => {
  const after = textOf(
    [meta({ id: thread, ...history(thread, upToOne, 6) }), counted(100, 100), ...turn('other', 120, 20)],
    60,
  )
  expect(await totalOf((await imported(asLater(after))).holdfast)).toBe(250 + 20)
})

test('a turn that was interrupted before any answer is in the history', async () => {
  const interrupted = [
    event('task_started', { turn_id: 'oops' }),
    spoken('user', 'oops'),
    event('turn_aborted', {}),
  ]
  const before = textOf([
    meta({ id: thread }),
    ...turn('one', 100, 100),
    ...interrupted,
    ...turn('two', 250, 150),
  ])
  const kept = before.split('\n').slice(0, 9).join('\n').concat('\n')
  const after = textOf([meta({ id: thread, ...history(thread, kept, 9) }), ...turn('three', 400, 150)], 60)
  const { holdfast } = await imported({
    [nameOf(0, thread)]: before,
    [nameOf(5, `${thread}_${second}`)]: after,
  })
  expect((await read(holdfast, second)).said).toEqual(['one', 'To one', 'oops', 'three', 'To three'])
})

test('a result that comes after the next task began is that of its call', async () => {
  const call = { type: 'function_call', name: 'run', arguments: '{}', call_id: 'c1' }
  const lines = [
    meta({ id: thread }),
    spoken('user', 'one'),
    { type: 'response_item', payload: call },
    event('task_started', { turn_id: 'two' }),
    { type: 'response_item', payload: { type: 'function_call_output', call_id: 'c1', output: 'RESULT' } },
    spoken('assistant', 'To one'),
  ]
  const { holdfast } = await imported({ [nameOf(0, thread)]: textOf(lines) })
  const results = (await allMessages(await holdfast.sessions.open(idOf(thread)))).flatMap(
    ({ role, parts }) => (role === 'tool' ? parts : []),
  )
  expect(results).toMatchObject([{ callId: 'c1', output: 'RESULT', outcome: 'ok' }])
})

test('a thread may be resumed more often than a session is read from', async () => {
  const many = limits.forkSegments + 10
  const idAt = (nth: number) =>
    nth === 0 ? thread : `019e0000-0000-7000-8000-${String(1_000 + nth).padStart(12, '0')}`
  const texts: Record<string, string> = {}
  let [before, total] = ['', 0]
  for (let nth = 0; nth < many; nth++) {
    total += 10
    const goesOn = nth === 0 ? {} : history(idAt(nth - 1), before, nth)
    before = textOf([meta({ id: thread, ...goesOn }), ...turn(`turn ${nth}`, total, 10)], nth)
    texts[nth === 0 ? nameOf(0, thread) : nameOf(nth, `${thread}_${idAt(nth)}`)] = before
  }
  const { holdfast } = await imported(texts)
  expect(await totalOf(holdfast)).toBe(many * 10)
  expect((await read(holdfast, idAt(many - 1))).said.slice(-2)).toEqual([
    `turn ${many - 1}`,
    `To turn ${many - 1}`,
  ])
})

test('after a session that was ended it is a session of its own', async () => {
  const { folder, holdfast } = await imported({ [nameOf(0, thread)]: first })
  const session = await holdfast.sessions.open(idOf(thread))
  if (session.lifecycle === 'active') await session.close({})
  saved(folder, { [nameOf(5, `${thread}_${second}`)]: resumed })
  expect((await importPaths(holdfast, [folder])).failed).toEqual([])
  expect(await read(holdfast, second)).toMatchObject({
    said: ['three', 'To three'],
    from: undefined,
    spent: 200,
  })
})

test('a fork of another thread says nothing of the thread that it was forked from', async () => {
  const fork = textOf([
    meta({ id: third, forked_from_id: thread, ...history(second, resumed, 17) }),
    ...turn('four', 700, 250),
  ])
  const { holdfast } = await imported({ ...files, [nameOf(9, third)]: fork })
  expect((await read(holdfast, third)).metadata).toEqual({
    source: { format: 'codex', sourceId: third },
    ...{ cwd: '/work', forked_from_id: thread, history_base: second },
  })
})

test.each([
  ['a copy', `${thread}_${second} (1)`, [idOf(thread), idOf(second)]],
  ['one whose name was lost', 'renamed', undefined],
])('%s of a later file is no other first file', async (_what, name, ids) => {
  const { folder, holdfast } = await imported({ [nameOf(5, name)]: resumed })
  saved(folder, ids ? files : { [nameOf(0, thread)]: first })
  expect((await importPaths(holdfast, [folder])).failed).toEqual([])
  expect((await read(holdfast, thread)).said).toEqual(['one', 'To one', 'two', 'To two'])
  const sessions = Object.keys(await seqs(holdfast))
  expect(sessions).toHaveLength(2)
  if (ids) expect(sessions.sort()).toEqual(ids.sort())
  expect(await totalOf(holdfast)).toBe(450)
})

test('a sub-agent that goes on from a file that is not here comes after its parent still', async () => {
  const spawned = { parent_thread_id: third, ...history(second, first, 11) }
  const { holdfast } = await imported({
    [nameOf(0, thread)]: textOf([meta({ id: thread, ...spawned }), ...turn('child', 450, 200)]),
    [nameOf(9, third)]: textOf([meta({ id: third }), ...turn('parent', 100, 100)]),
  })
  expect(await holdfast.sessions.get(idOf(thread))).toMatchObject({ parentSessionId: idOf(third) })
})

test('files that wait for each other in several circles come once each, and what waits for them after', async () => {
  const folder = temporaryFolder()
  const waits: Record<string, [string, string]> = {
    ...{
      a: ['b', 'c'],
      b: ['c', 'd'],
      c: ['a', 'e'],
      d: ['b', 'f'],
      e: ['e', 'c'],
      f: ['d', 'a'],
      g: ['a', 'f'],
    },
  }
  const found = Object.entries(waits).map(([id, [parent, base]]) => {
    const name = `rollout-2026-09-09T09-10-00-${id}.jsonl`
    saved(folder, { [name]: textOf([meta({ id, parent_thread_id: parent, ...history(base, '', 0) })]) })
    return { path: join(folder, name), bytes: 1, stamp: '', isNamed: false }
  })
  const waves = await wavesOf(found)
  expect(waves.flat()).toHaveLength(found.length)
  expect(new Set(waves.flat())).toEqual(new Set(found))
  expect(waves.at(-1)?.map(({ path }) => path.at(-7))).toContain('g')
})
