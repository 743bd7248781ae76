/** Sub-agents of Codex: each has a rollout of its own, which names the thread that spawned it. */
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { zstdCompressSync } from 'node:zlib'
import { type ActiveSession, type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { isKnown, limits } from '@holdfast/protocol'
import { importLog, importPaths, logLines, sessionIdOf } from '@holdfast/transcripts'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SourceName } from '../src/destination.ts'
import { eventsAround } from '../src/events-around.ts'
import { wavesOf } from '../src/import-order.ts'
import { allEvents, allMessages, openMemory, seqs, temporaryFolder } from '../src/testing/imported.ts'

const startMs = Date.UTC(2026, 10, 3, 5)
const idOf = (thread: string) => sessionIdOf('default', 'codex', thread)

interface Rollout {
  thread: string
  /** Of its first line. */
  meta?: object
  /** Between its first and its last words; each tells its time. */
  inside?: readonly object[]
  turns?: number
}

const line = (atMs: number, type: string, payload: object) => ({
  timestamp: new Date(startMs + atMs).toISOString(),
  type,
  payload,
})
const spoken = (atMs: number, role: string, text: string) =>
  line(atMs, 'response_item', {
    type: 'message',
    role,
    content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }],
  })
const counted = (atMs: number, input_tokens: number) =>
  line(atMs, 'event_msg', {
    type: 'token_count',
    info: { total_token_usage: { input_tokens, output_tokens: 1 } },
  })

function textOf({ thread, meta, inside = [], turns = 1 }: Rollout, atMs = 0): string {
  const said = Array.from({ length: turns }, (_, turn) => [
    spoken(atMs + 60_000 + turn * 1_000, 'user', `${thread} is asked ${turn}`),
    spoken(atMs + 60_500 + turn * 1_000, 'assistant', `${thread} answers ${turn}`),
    counted(atMs + 60_600 + turn * 1_000, (turn + 1) * 100),
  ])
  const lines = [line(atMs, 'session_meta', { id: thread, cwd: '/work', source: 'cli', ...meta }), ...inside]
  return [...lines, ...said.flat()].map((each) => `${JSON.stringify(each)}\n`).join('')
}

const spawnedBy = (parent: string, beside: object = {}) => ({
  thread_source: 'subagent',
  source: { subagent: { thread_spawn: { parent_thread_id: parent, depth: 1, ...beside } } },
})
const call = (atMs: number, callId: string, name = 'spawn_agent') =>
  line(atMs, 'response_item', { type: 'function_call', name, arguments: '{}', call_id: callId })
const answer = (atMs: number, callId: string, output: unknown) =>
  line(atMs, 'response_item', { type: 'function_call_output', call_id: callId, output })

function saved(folder: string, name: string, text: string | Buffer): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

const parent: Rollout = {
  thread: 'parent',
  inside: [
    call(100, 'call-1'),
    answer(300, 'call-1', JSON.stringify({ agent_id: 'child', nickname: 'Curie' })),
    call(400, 'call-2', 'wait_agent'),
    answer(500, 'call-2', JSON.stringify({ status: { child: { completed: 'child' } } })),
  ],
}
const child: Rollout = {
  thread: 'child',
  meta: {
    ...spawnedBy('parent', { agent_role: 'worker', agent_nickname: 'Curie' }),
    forked_from_id: 'parent',
  },
  turns: 2,
}
const grandchild: Rollout = { thread: 'grandchild', meta: spawnedBy('child'), turns: 3 }

/** Children come first by their names. */
function family(folder: string, kept: (text: string) => string | Buffer = (text) => text): string[] {
  const end = typeof kept('') === 'string' ? '' : '.zst'
  return [
    saved(folder, `2026/11/01/rollout-1-grandchild.jsonl${end}`, kept(textOf(grandchild, 400))),
    saved(folder, `2026/11/02/rollout-2-child.jsonl${end}`, kept(textOf(child, 200))),
    saved(folder, `2026/11/03/rollout-3-parent.jsonl${end}`, kept(textOf(parent))),
  ]
}

/** What is known of each session, apart from what a store or its clock decides. */
async function told(holdfast: Holdfast) {
  const { sessions } = await holdfast.sessions.list({}, { limit: 500 })
  const entries = sessions.map(async ({ id }) => {
    const session = await holdfast.sessions.open(id)
    const { metadata, ...view } = await session.view()
    const { agentId, title, parentSessionId, rootSessionId, spawnDepth, counters, updatedAt } = view
    const said = (await allMessages(session)).map(({ role, parts }) => ({ role, parts }))
    const facts = { agentId, title, parentSessionId, rootSessionId, spawnDepth, counters, updatedAt }
    return [
      String((metadata?.source as SourceName | undefined)?.sourceId),
      { ...facts, metadata, said },
    ] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** What a session tells of its children, in the order in which it does. */
async function children(holdfast: Holdfast, thread: string) {
  const events = await allEvents(await holdfast.sessions.open(idOf(thread)))
  const spawned = events.flatMap((event) => (isKnown(event, 'child.spawned') ? [event.data] : []))
  const finished = events.flatMap((event) => (isKnown(event, 'child.finished') ? [event.data] : []))
  return { spawned, finished }
}

const lineage = async (holdfast: Holdfast) =>
  Object.fromEntries(
    Object.entries(await told(holdfast)).map(([thread, { parentSessionId, spawnDepth }]) => [
      thread,
      [parentSessionId, spawnDepth],
    ]),
  )

const stopAt =
  (controller: AbortController, most: number) =>
  ({ messages }: { messages: number }): void => {
    if (messages >= most) controller.abort()
  }

async function imported(...paths: string[]) {
  const holdfast = await openMemory()
  const summary = await importPaths(holdfast, paths)
  expect(summary.failed).toEqual([])
  return { holdfast, summary }
}

/** Of a store with one parent, and with a child whose first line says this beside its id. */
async function lineageOfChild(meta: object) {
  const folder = temporaryFolder()
  saved(folder, 'rollout-1.jsonl', textOf({ thread: 'child', meta }))
  saved(folder, 'rollout-2.jsonl', textOf({ thread: 'parent' }))
  return (await told((await imported(folder)).holdfast)).child
}

test('children stand below their parents, whatever order their files have', async () => {
  const folder = temporaryFolder()
  family(folder)
  const { holdfast, summary } = await imported(folder)
  expect(summary).toMatchObject({ newSessions: 3, sessions: 3 })
  const rootSessionId = idOf('parent')
  const at = (thread: string | undefined, spawnDepth: number) => ({
    parentSessionId: thread && idOf(thread),
    rootSessionId,
    spawnDepth,
  })
  const sessions = await told(holdfast)
  expect(sessions).toMatchObject({
    parent: { ...at(undefined, 0), agentId: 'codex', said: { length: 6 } },
    child: { ...at('parent', 1), agentId: 'codex worker', said: { length: 4 } },
    grandchild: { ...at('child', 2), agentId: 'codex sub-agent', said: { length: 6 } },
  })
  expect(sessions.child?.metadata).toMatchObject({ parent_thread_id: 'parent', agent_nickname: 'Curie' })
  const [conversation, ...others] = await Promise.all(
    ['parent', 'child', 'grandchild'].map(async (thread) => {
      const { conversationId, threadId } = await (await holdfast.sessions.open(idOf(thread))).view()
      return { conversationId, threadId }
    }),
  )
  expect(others.map(({ conversationId }) => conversationId)).toEqual(
    others.map(() => conversation?.conversationId),
  )
  expect(new Set([conversation, ...others].map((each) => each?.threadId)).size).toBe(3)
})

test('the parent names the call that spawned each child, and what that spent; a tree costs what its sessions do', async () => {
  const folder = temporaryFolder()
  family(folder)
  const { holdfast } = await imported(folder)
  const spent = { tokens: 201, costMicrocents: 0, toolCalls: 0 }
  expect(await children(holdfast, 'parent')).toEqual({
    spawned: [{ childId: idOf('child'), agentId: 'codex worker', callId: 'call-1', grant: {} }],
    finished: [{ childId: idOf('child'), outcome: 'completed', spent }],
  })
  expect((await children(holdfast, 'child')).spawned).toEqual([
    { childId: idOf('grandchild'), agentId: 'codex sub-agent', grant: {} },
  ])
  const { promptTokens } = await holdfast.usage.totals({ rootSessionId: idOf('parent') })
  expect(promptTokens).toBe(100 + 200 + 300)
})

describe('the sessions are the same', () => {
  const expected = async () => {
    const folder = temporaryFolder()
    family(folder)
    return told((await imported(folder)).holdfast)
  }

  test('whichever file is named first', async () => {
    const paths = family(temporaryFolder())
    for (const order of [paths, [...paths].reverse(), [paths[1], paths[0], paths[2]]])
      expect(await told((await imported(...(order as string[]))).holdfast)).toEqual(await expected())
  })

  test('when they are compressed, and when a copy lies in the archive', async () => {
    const folder = temporaryFolder()
    family(folder, zstdCompressSync)
    const { holdfast, summary } = await imported(folder)
    expect(await told(holdfast)).toEqual(await expected())
    for (const [at, path] of family(temporaryFolder()).entries())
      renameSync(path, join(folder, `rollout-${at}-archived.jsonl`))
    const withCopies = await imported(folder)
    expect(await told(withCopies.holdfast)).toEqual(await expected())
    expect(withCopies.summary).toMatchObject({ events: summary.events, newSessions: 3, files: 6 })
    expect(await importPaths(holdfast, [folder])).toMatchObject({ events: 0, newSessions: 0, failed: [] })
  })

  test('when two threads read them', async () => {
    const folder = temporaryFolder()
    for (let nth = 0; nth < 40; nth++) {
      const [thread, meta] = [`child-${nth}`, spawnedBy('parent')]
      saved(folder, `rollout-1-${nth}.jsonl`, textOf({ thread, meta }, nth))
      const below = { thread: `grandchild-${nth}`, meta: spawnedBy(thread) }
      saved(folder, `rollout-0-${nth}.jsonl`, textOf(below, nth))
    }
    saved(folder, 'rollout-3.jsonl', textOf(parent))
    const path = join(temporaryFolder(), 'holdfast.db')
    const holdfast = await openHoldfast({ store: sqlite(path) })
    onTestFinished(() => holdfast.close())
    const script = new URL('../src/testing/thread.ts', import.meta.url)
    const threads = { count: 2, least: 0, start: () => new Worker(script, { workerData: path }) }
    const { failed, newSessions } = await importPaths(holdfast, [folder], { threads })
    expect({ failed, newSessions }).toEqual({ failed: [], newSessions: 81 })
    const alone = await imported(folder)
    expect(await told(holdfast)).toEqual(await told(alone.holdfast))
    expect((await children(holdfast, 'parent')).finished).toHaveLength(40)
  })

  test('when two imports are at work at once', async () => {
    const folder = temporaryFolder()
    family(folder)
    const path = join(temporaryFolder(), 'holdfast.db')
    const stores = await Promise.all([1, 2].map(() => openHoldfast({ store: sqlite(path) })))
    onTestFinished(async () => {
      for (const store of stores) await store.close()
    })
    const summaries = await Promise.all(stores.map((store) => importPaths(store, [folder])))
    expect(summaries.map(({ failed }) => failed)).toEqual([[], []])
    expect(await told(stores[0] as Holdfast)).toEqual(await expected())
  })
})

describe('again', () => {
  test('nothing is written, also where the files were touched', async () => {
    const folder = temporaryFolder()
    const paths = family(folder)
    const { holdfast } = await imported(folder)
    const before = await seqs(holdfast)
    expect(await importPaths(holdfast, [folder])).toMatchObject({ filesUnchanged: 3, events: 0 })
    for (const path of paths) utimesSync(path, 1, 1)
    expect(await importPaths(holdfast, [folder])).toMatchObject({ filesUnchanged: 0, events: 0, failed: [] })
    expect(await seqs(holdfast)).toEqual(before)
  })

  test('a child that went on is added to, and its parent was told of its end already', async () => {
    const folder = temporaryFolder()
    const [, path = ''] = family(folder)
    const { holdfast } = await imported(folder)
    const before = await seqs(holdfast)
    writeFileSync(path, textOf({ ...child, turns: 4 }, 200))
    expect(await importPaths(holdfast, [folder])).toMatchObject({ messages: 4, newSessions: 0, failed: [] })
    const { [idOf('child')]: _grown, ...after } = await seqs(holdfast)
    expect(before).toMatchObject(after)
    expect(await lineage(holdfast)).toMatchObject({ child: [idOf('parent'), 1] })
  })

  test('a parent that went on with a call keeps the child that it had then', async () => {
    const folder = temporaryFolder()
    const open = textOf({ thread: 'parent', inside: parent.inside?.slice(0, 1) ?? [], turns: 0 })
    const path = saved(folder, 'rollout-2.jsonl', open)
    saved(folder, 'rollout-1.jsonl', textOf(child, 200))
    const { holdfast } = await imported(folder)
    writeFileSync(path, textOf(parent))
    expect(await importPaths(holdfast, [folder])).toMatchObject({ failed: [] })
    expect(await lineage(holdfast)).toEqual({ parent: [undefined, 0], child: [idOf('parent'), 1] })
    expect((await told(holdfast)).parent?.said).toHaveLength(6)
    expect((await children(holdfast, 'parent')).spawned).toHaveLength(1)
  })

  test('a child that came later is below its parent, at its call', async () => {
    const folder = temporaryFolder()
    saved(folder, 'rollout-3.jsonl', textOf(parent))
    const { holdfast } = await imported(folder)
    saved(folder, 'rollout-2.jsonl', textOf(child, 200))
    await importPaths(holdfast, [folder])
    expect((await children(holdfast, 'parent')).spawned).toMatchObject([{ callId: 'call-1' }])
  })

  test('one that came before its parent stays a session of its own, and says whose child it was', async () => {
    const folder = temporaryFolder()
    const paths = family(folder)
    const { holdfast } = await imported(paths[1] as string)
    await importPaths(holdfast, [folder])
    expect(await lineage(holdfast)).toEqual({
      parent: [undefined, 0],
      child: [undefined, 0],
      grandchild: [idOf('child'), 1],
    })
    const { child: own } = await told(holdfast)
    expect(own).toMatchObject({
      agentId: 'codex',
      metadata: { parent_thread_id: 'parent' },
      said: { length: 4 },
    })
    expect((await children(holdfast, 'parent')).spawned).toEqual([])
  })

  test('what an import that was stopped had begun is finished', async () => {
    const folder = temporaryFolder()
    saved(folder, 'rollout-1.jsonl', textOf(parent))
    const { holdfast } = await imported(folder)
    saved(folder, 'rollout-2.jsonl', textOf(child, 200))
    const controller = new AbortController()
    const options = { signal: controller.signal, onProgress: stopAt(controller, 4) }
    expect(await importPaths(holdfast, [folder], options)).toMatchObject({ stopped: true, failed: [] })
    expect(await children(holdfast, 'parent')).toMatchObject({ spawned: { length: 1 }, finished: [] })
    expect(await importPaths(holdfast, [folder])).toMatchObject({ messages: 0, events: 1, failed: [] })
    expect((await children(holdfast, 'parent')).finished).toHaveLength(1)
  })

  test('what an import that was killed had begun is finished', async () => {
    const folder = temporaryFolder()
    saved(folder, 'rollout-1.jsonl', textOf(parent))
    const { holdfast } = await imported(folder)
    const session = await holdfast.sessions.open(idOf('parent'))
    if (session.lifecycle !== 'active') throw new Error('the session has ended')
    const spawn = { childId: idOf('child'), agentId: 'codex worker', grant: {} }
    await session.batch([{ type: 'spawnChild', ...spawn }])
    saved(folder, 'rollout-2.jsonl', textOf(child, 200))
    expect(await importPaths(holdfast, [folder])).toMatchObject({ failed: [], newSessions: 1 })
    expect(await lineage(holdfast)).toMatchObject({ child: [idOf('parent'), 1] })
    expect((await children(holdfast, 'parent')).finished).toMatchObject([{ childId: idOf('child') }])
  })
})

describe('whose child it is', () => {
  const below = { parentSessionId: idOf('parent'), spawnDepth: 1 }
  const own = { parentSessionId: undefined, spawnDepth: 0 }

  test.each<[string, object, object]>([
    ['says its source', spawnedBy('parent'), { ...below, agentId: 'codex sub-agent' }],
    ['says the first line itself', { parent_thread_id: 'parent', source: 'cli' }, below],
    [
      'is said beside what it is for',
      { parent_thread_id: 'parent', source: { subagent: 'review' } },
      { ...below, agentId: 'codex review' },
    ],
    [
      'is said beside another thing that it is for',
      { parent_thread_id: 'parent', source: { subagent: { other: 'guardian' } } },
      { ...below, agentId: 'codex guardian' },
    ],
    [
      'is said with a role beside it',
      { ...spawnedBy('parent', { agent_role: null }), agent_role: 'explorer' },
      { ...below, agentId: 'codex explorer' },
    ],
    [
      'is said with a role that is no name',
      spawnedBy('parent', { agent_role: 'r'.repeat(251) }),
      { ...below, agentId: 'codex sub-agent' },
    ],
    ['nobody says', { source: { subagent: 'review' } }, { ...own, agentId: 'codex' }],
    ['nobody says of a fork', { forked_from_id: 'parent' }, own],
    ['is of another program', spawnedBy('4b2030ed-5563-49ea-b703-6a002f2d3cc8'), own],
    [
      'is itself',
      spawnedBy('child'),
      { ...own, metadata: expect.not.objectContaining({ parent_thread_id: 'child' }) },
    ],
    ['is no text', { parent_thread_id: 7, source: { subagent: { thread_spawn: ['parent'] } } }, own],
    ['is far too long', spawnedBy('p'.repeat(100_000)), own],
    ['is said twice, once in vain', { ...spawnedBy('parent'), parent_thread_id: {} }, below],
  ])('%s', async (_what, meta, expected) => {
    const session = await lineageOfChild(meta)
    expect(session).toMatchObject(expected)
    expect(session?.said).toHaveLength(2)
  })

  test('is told by a first line of half a megabyte too', async () => {
    const folder = temporaryFolder()
    const meta = { base_instructions: 'so '.repeat(170_000), ...spawnedBy('parent') }
    saved(folder, 'rollout-1.jsonl.zst', zstdCompressSync(textOf({ thread: 'child', meta })))
    saved(
      folder,
      'rollout-2.jsonl',
      `\n${textOf({ ...parent, meta: { base_instructions: meta.base_instructions } })}`,
    )
    expect(await lineage((await imported(folder)).holdfast)).toMatchObject({ child: [idOf('parent'), 1] })
  })

  test('does not matter where nothing can be read', async () => {
    const folder = temporaryFolder()
    const damaged = zstdCompressSync(textOf(child)).subarray(0, 30)
    const path = saved(folder, 'rollout-1.jsonl.zst', damaged)
    saved(folder, 'rollout-2.jsonl', '{"type":"session_meta"')
    saved(folder, 'rollout-3.jsonl', textOf(parent))
    const holdfast = await openMemory()
    const { failed } = await importPaths(holdfast, [folder])
    expect(failed.map((file) => file.path)).toContain(path)
    expect(await lineage(holdfast)).toEqual({ parent: [undefined, 0] })
  })
})

describe('the call is told by', () => {
  const event = (payload: object) => line(300, 'event_msg', payload)
  const activity = { agent_thread_id: 'child', agent_path: '/root/child' }

  test.each<[string, readonly object[], string | undefined]>([
    ['its answer', [answer(300, 'call-1', '{"agent_id":"child"}')], 'call-1'],
    [
      'an event that a child was spawned',
      [event({ type: 'collab_agent_spawn_end', call_id: 'call-1', new_thread_id: 'child' })],
      'call-1',
    ],
    [
      'an activity, the first of several',
      [
        event({ type: 'sub_agent_activity', event_id: 'call-1', kind: 'started', ...activity }),
        event({ type: 'sub_agent_activity', event_id: 'call-2', kind: 'interacted', ...activity }),
      ],
      'call-1',
    ],
    [
      'an item',
      [
        event({
          type: 'item_completed',
          item: { type: 'SubAgentActivity', id: 'call-0', kind: 'completed', ...activity },
        }),
        event({
          type: 'item_completed',
          item: { type: 'SubAgentActivity', id: 'call-1', kind: 'started', ...activity },
        }),
      ],
      'call-1',
    ],
    [
      'a call of a tool that spawns',
      ['wait_agent', 'spawn_agent'].map((tool, nth) => {
        const item = { type: 'CollabAgentToolCall', id: `call-${nth}`, tool, receiver_thread_ids: ['child'] }
        return event({ type: 'item_completed', item })
      }),
      'call-1',
    ],
    ['nobody, where another was spawned', [answer(300, 'call-1', '{"agent_id":"childless"}')], undefined],
    [
      'nobody, where it is no name',
      [event({ type: 'collab_agent_spawn_end', call_id: ' ', new_thread_id: 'child' })],
      undefined,
    ],
    ['nobody, where it is only talked of', [answer(300, 'call-1', 'child')], undefined],
  ])('%s', async (_what, told, callId) => {
    const folder = temporaryFolder()
    saved(folder, 'rollout-1.jsonl', textOf({ thread: 'parent', inside: [call(100, 'call-1'), ...told] }))
    saved(folder, 'rollout-2.jsonl', textOf(child, 200))
    const { spawned } = await children((await imported(folder)).holdfast, 'parent')
    expect(spawned.map((each) => each.callId)).toEqual([callId])
  })

  test('what stands near in time, in a log however long', async () => {
    const folder = temporaryFolder()
    const hour = 3_600_000
    const turns = (from: number) =>
      Array.from({ length: 600 }, (_, nth) => [
        spoken(from + nth * 1_000, 'user', 'And now?'),
        spoken(from + nth * 1_000 + 500, 'assistant', 'Now too.'),
      ]).flat()
    const spawn = [call(hour, 'call-1'), answer(hour + 2, 'call-1', '{"agent_id":"child"}')]
    const inside = [...turns(0), ...spawn, ...turns(hour + 10)]
    saved(folder, 'rollout-1.jsonl', textOf({ thread: 'parent', inside }))
    const meta = { ...child.meta, timestamp: new Date(startMs + hour + 1).toISOString() }
    saved(folder, 'rollout-2.jsonl', textOf({ ...child, meta }, 2 * hour))
    const { holdfast } = await imported(folder)
    expect((await children(holdfast, 'parent')).spawned).toMatchObject([{ callId: 'call-1' }])
    const session = await holdfast.sessions.open(idOf('parent'))
    expect((await session.view()).seq).toBeGreaterThan(6_000)
    let read = 0
    const events: typeof session.events = async (options) => {
      const page = await session.events(options)
      read += page.events.length
      return page
    }
    const log = { view: () => session.view(), events }
    for await (const _event of eventsAround(log, new Date(startMs + hour).toISOString()));
    expect(read).toBeGreaterThan(1_000)
    expect(read).toBeLessThan(1_020)
  })
})

describe('limits', () => {
  test('what is too deep is a session of its own, and goes on with what is below it', async () => {
    const folder = temporaryFolder()
    for (let depth = 0; depth < limits.spawnDepth + 3; depth++) {
      const meta = depth === 0 ? {} : spawnedBy(`thread-${depth - 1}`)
      saved(folder, `rollout-${90 - depth}.jsonl`, textOf({ thread: `thread-${depth}`, meta }))
    }
    const { holdfast } = await imported(folder)
    const depths = Object.entries(await lineage(holdfast)).map(([thread, [, depth]]) => [thread, depth])
    const expected = Array.from({ length: 11 }, (_, depth) => [`thread-${depth}`, depth % 9])
    expect(Object.fromEntries(depths)).toEqual(Object.fromEntries(expected))
  })

  test('more children than may be open are read beside each other', async () => {
    const folder = temporaryFolder()
    saved(folder, 'rollout-parent.jsonl', textOf({ thread: 'parent' }))
    const count = limits.openChildren + 6
    for (let nth = 0; nth < count; nth++)
      saved(folder, `rollout-${nth}.jsonl`, textOf({ thread: `child-${nth}`, meta: spawnedBy('parent') }))
    const holdfast = await openMemory()
    expect(await importPaths(holdfast, [folder], { concurrency: 200 })).toMatchObject({ failed: [] })
    expect((await children(holdfast, 'parent')).finished).toHaveLength(count)
  })

  test.each<[string, (session: ActiveSession) => Promise<unknown>]>([
    ['has ended', (session) => session.close()],
    ['may spend so much and no more', (session) => session.setBudget({ spend: { tokens: 9 } })],
    [
      'waits for as many as it may have',
      async (session) => {
        for (let nth = 0; nth < limits.openChildren; nth++) await session.spawnChild({ agentId: 'somebody' })
      },
    ],
  ])('a parent that %s has no more children', async (_what, change) => {
    const folder = temporaryFolder()
    saved(folder, 'rollout-1.jsonl', textOf({ thread: 'parent' }))
    const { holdfast } = await imported(folder)
    const session = await holdfast.sessions.open(idOf('parent'))
    if (session.lifecycle !== 'active') throw new Error('the session has ended')
    await change(session)
    saved(folder, 'rollout-2.jsonl', textOf(child))
    expect(await importPaths(holdfast, [folder])).toMatchObject({ failed: [] })
    expect((await told(holdfast)).child).toMatchObject({
      spawnDepth: 0,
      agentId: 'codex',
      said: { length: 4 },
    })
  })
})

test('a child that somebody else made meanwhile is left as it was made', async () => {
  const folder = temporaryFolder()
  saved(folder, 'rollout-1.jsonl', textOf(parent))
  const { holdfast } = await imported(folder)
  saved(folder, 'rollout-2.jsonl', textOf(child))
  const { sessions, tenantId, importSources } = holdfast
  let isMade = false
  const get: typeof sessions.get = async (id) => {
    const known = await sessions.get(id)
    if (id !== idOf('child') || isMade) return known
    isMade = true
    await sessions.create({ id, agentId: 'codex', metadata: { source: { sourceId: 'child' } } })
    return known
  }
  const place = {
    tenantId,
    importSources,
    sessions: {
      get,
      create: sessions.create.bind(sessions),
      open: sessions.open.bind(sessions),
      restore: sessions.restore.bind(sessions),
    },
  }
  expect(await importPaths(place, [folder])).toMatchObject({ failed: [], messages: 4 })
  expect(await lineage(holdfast)).toMatchObject({ child: [undefined, 0] })
  expect((await children(holdfast, 'parent')).spawned).toEqual([])
})

test('files that name each other, and one that names itself, end the import in no circle', async () => {
  const folder = temporaryFolder()
  const circle = ['a', 'b', 'c']
  for (const [at, thread] of circle.entries())
    saved(
      folder,
      `rollout-${thread}.jsonl`,
      textOf({ thread, meta: spawnedBy(circle[(at + 1) % 3] as string) }),
    )
  saved(folder, 'rollout-0.jsonl', textOf({ thread: 'below', meta: spawnedBy('a') }))
  saved(folder, 'rollout-d.jsonl', textOf({ thread: 'd', meta: { id: 'd', ...spawnedBy('d') } }))
  const { holdfast } = await imported(folder)
  const expected = {
    a: [idOf('b'), 2],
    b: [idOf('c'), 1],
    c: [undefined, 0],
    below: [idOf('a'), 3],
    d: [undefined, 0],
  }
  expect(await lineage(holdfast)).toEqual(expected)
  const before = await seqs(holdfast)
  for (const name of ['a', 'b', 'c', '0', 'd']) utimesSync(join(folder, `rollout-${name}.jsonl`), 1, 1)
  expect(await importPaths(holdfast, [folder])).toMatchObject({ events: 0, failed: [] })
  expect(await seqs(holdfast)).toEqual(before)
})

test('files that name each other, and copies of them, may be read at once', async () => {
  const folder = temporaryFolder()
  for (const name of ['1', '2', '3']) {
    saved(folder, `a-${name}.jsonl`, textOf({ thread: 'a', meta: spawnedBy('b') }))
    saved(folder, `b-${name}.jsonl`, textOf({ thread: 'b', meta: spawnedBy('a') }))
  }
  const sessions = await lineage((await imported(folder)).holdfast)
  expect(Object.keys(sessions).sort()).toEqual(['a', 'b'])
})

test('a long circle is put in order, unless the import is stopped', async () => {
  const folder = temporaryFolder()
  const count = 2_000
  const files = Array.from({ length: count }, (_, nth) => {
    const meta = { id: `${nth}`, parent_thread_id: `${(nth + 1) % count}` }
    const path = saved(
      folder,
      `rollout-${nth}.jsonl`,
      `${JSON.stringify({ type: 'session_meta', payload: meta })}\n`,
    )
    return { path, bytes: 1, stamp: '', isNamed: false }
  })
  expect(await wavesOf(files)).toHaveLength(count)
  expect(await wavesOf(files, AbortSignal.abort())).toEqual([])
})

test.each(['parent', 'child'])('logs come to another store in any order, the %s first', async (first) => {
  const folder = temporaryFolder()
  family(folder)
  const { holdfast } = await imported(folder)
  const other = await openMemory()
  for (const thread of first === 'parent'
    ? ['parent', 'child', 'grandchild']
    : ['grandchild', 'child', 'parent'])
    await importLog(other, logLines(await holdfast.sessions.open(idOf(thread))), { name: thread })
  expect(await told(other)).toEqual(await told(holdfast))
  expect(await importPaths(other, [folder])).toMatchObject({ events: 0, failed: [] })
})

test('a child whose parent was deleted is imported all the same', async () => {
  const folder = temporaryFolder()
  const [, , path = ''] = family(folder)
  rmSync(path)
  expect(await lineage((await imported(folder)).holdfast)).toEqual({
    child: [undefined, 0],
    grandchild: [idOf('child'), 1],
  })
})
