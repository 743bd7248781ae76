/**
 * Every code of the error table produced for real, by the engine on every store: with the advice of its row, and with
 * nothing written. What only an engine of a database can fail with is brought about in SQLite itself.
 */
import { DatabaseSync } from 'node:sqlite'
import { type ErrorCode, HoldfastError, limits } from '@holdfast/protocol'
import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it, vi } from 'vitest'
import { fold } from '../session/fold/index.ts'
import type { FoldEvent, Head } from '../session/state.ts'
import { type BetterSqlite, sqlite } from '../store/sqlite/index.ts'
import { TemporaryPlace } from '../store/sqlite/temporary.ts'
import type { HeadRow, Store } from '../store/store.ts'
import { encodeBody } from './event-codec.ts'
import { decodeHead, headRow } from './head-codec.ts'
import { type Holdfast, openHoldfast } from './holdfast.ts'
import type { HeldRun } from './run-types.ts'
import type { ActiveSession, CreatedSession } from './session-types.ts'
import { unknownOutcome, withMembers } from './testing/between.ts'
import { eachStore, type TestPlace } from './testing/each-store.ts'
import { assistant, calling, result, user } from './testing/messages.ts'

// A locked database is waited for half a minute, which these tests do not have.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }))

interface Scene {
  place: TestPlace
  store: Store
  holdfast: Holdfast
  /** Activated, without a run, and with nothing else. */
  session: ActiveSession
}

/** Prepares, and gives what will fail. */
type Produce = (scene: Scene) => Promise<() => Promise<unknown>>

const lease = { owner: 'worker', ttlMs: 60_000 }
const question = { questionId: 'q1', question: 'Which?', options: ['a', 'b'], allowCustom: false }

/** Codes that other tests produce. */
const elsewhere = {
  contention: 'limits.test.ts',
  fork_too_deep: 'limits.test.ts',
  view_incomplete: '../session/seed-fields.test.ts',
  store_busy: 'below',
  store_full: 'below',
  store_unavailable: 'below',
} satisfies { [C in ErrorCode]?: string }

const produced = [
  [
    'invalid_input',
    async ({ session }) =>
      () =>
        session.rename(''),
  ],
  [
    'invalid_cursor',
    async ({ session }) =>
      () =>
        session.follow({ after: 'x' }).next(),
  ],
  [
    'limit_exceeded',
    async ({ session }) =>
      () =>
        session.rename('a'.repeat(limits.titleBytes + 1)),
  ],
  [
    'not_found',
    async ({ holdfast }) =>
      () =>
        holdfast.sessions.open('nobody'),
  ],
  [
    'id_taken',
    async ({ holdfast: { sessions } }) => {
      await sessions.create({ agentId: 'agent', id: 'gone' })
      await sessions.delete('gone')
      return () => sessions.create({ agentId: 'agent', id: 'gone' })
    },
  ],
  [
    'duplicate_id',
    async ({ session }) => {
      await session.append(user('one', { id: 'm1' }))
      return () => session.append(user('two', { id: 'm1' }))
    },
  ],
  [
    'version_conflict',
    async ({ session }) =>
      () =>
        session.rename('x', { expectedVersion: 1 }),
  ],
  [
    'key_conflict',
    async ({ session }) => {
      await session.rename('x', { key: 'k' })
      return () => session.rename('y', { key: 'k' })
    },
  ],
  [
    'session_closed',
    async ({ session }) => {
      await session.close()
      return () => session.append(user('late'))
    },
  ],
  [
    'session_expired',
    async ({ place, holdfast: { sessions } }) => {
      const session = await sessions.create({ agentId: 'agent', ttlSecs: 1 })
      place.clock.advance(1_000)
      return () => session.append(user('late'))
    },
  ],
  [
    'session_read_only',
    async (scene) => {
      await plant(scene, { type: 'session.haunted', critical: true, data: { by: 'a newer version' } })
      return () => scene.session.append(user('more'))
    },
  ],
  [
    'illegal_transition',
    async ({ session }) => {
      const run = await (await session.startRun(lease)).finalize()
      return () => (run as unknown as HeldRun & { startRound(): Promise<unknown> }).startRound()
    },
  ],
  [
    'run_live',
    async ({ session }) => {
      await session.startRun(lease)
      return () => session.close()
    },
  ],
  [
    'no_live_run',
    async ({ session }) =>
      () =>
        session.stopRun(),
  ],
  [
    'run_elsewhere',
    async ({ session }) => {
      const { lastSeq = 0 } = await session.append(user('hello'))
      await session.startRun(lease)
      return () => session.compact(compaction(lastSeq))
    },
  ],
  [
    'lease_held',
    async ({ session }) => {
      await session.startRun(lease)
      return () => session.takeOverRun({ ...lease, owner: 'other' })
    },
  ],
  [
    'stale_epoch',
    async ({ place, session }) => {
      const run = await session.startRun(lease)
      place.clock.advance(lease.ttlMs)
      await session.takeOverRun({ ...lease, owner: 'other' })
      return () => run.append(assistant('I am alive'))
    },
  ],
  [
    'model_locked',
    async ({ holdfast: { sessions } }) => {
      const session = await (await sessions.create({ agentId: 'agent' })).activate({ model: 'maker/one' })
      return () => session.setModel({ model: 'maker/two' })
    },
  ],
  [
    'call_not_open',
    async ({ session }) =>
      () =>
        session.append(result('nobody')),
  ],
  [
    'calls_open',
    async ({ session }) => {
      const run = await session.startRun(lease)
      await run.append(calling('c1'))
      return () => run.complete()
    },
  ],
  [
    'fork_inside_round',
    async ({ session }) => {
      const { firstSeq = 0 } = await session.append([calling('c1'), result('c1')])
      return () => session.fork({}, { atSeq: firstSeq })
    },
  ],
  [
    'has_forks',
    async ({ holdfast, session }) => {
      await session.fork()
      return () => holdfast.sessions.delete(session.id)
    },
  ],
  [
    'session_held',
    async ({ holdfast, session }) => {
      await session.hold(true)
      return () => holdfast.sessions.delete(session.id, { force: true })
    },
  ],
  [
    'session_pinned',
    async ({ holdfast, session }) => {
      await session.pin(true)
      return () => holdfast.sessions.delete(session.id)
    },
  ],
  [
    'nothing_to_undo',
    async ({ session }) =>
      () =>
        session.undo(),
  ],
  [
    'nothing_to_redo',
    async ({ session }) =>
      () =>
        session.redo(),
  ],
  [
    'not_on_path',
    async ({ session }) => {
      const { firstSeq = 0 } = await session.append([user('one'), user('two')])
      await session.truncate(firstSeq)
      return () => session.truncate(firstSeq + 1)
    },
  ],
  [
    'question_open',
    async ({ session }) => {
      await session.ask(question)
      return () => session.ask({ ...question, questionId: 'q2' })
    },
  ],
  [
    'question_not_open',
    async ({ session }) =>
      () =>
        session.answer('q1', 'a'),
  ],
  [
    'invalid_answer',
    async ({ session }) => {
      await session.ask(question)
      return () => session.answer('q1', 'c')
    },
  ],
  [
    'no_task_list',
    async ({ session }) =>
      () =>
        session.updateTask({ itemId: 't1' }),
  ],
  [
    'no_such_task',
    async ({ session }) => {
      await session.setTasks({ items: [] })
      return () => session.updateTask({ itemId: 't1' })
    },
  ],
  [
    'budget_exceeded',
    async ({ session }) => {
      await session.setBudget({ spend: { tokens: 10 } })
      const run = await session.startRun(lease)
      return () => run.reserveBudget({ tokens: 11, toolCalls: 0 })
    },
  ],
  [
    'price_unknown',
    async ({ session }) => {
      await session.setBudget({ spend: { costMicrocents: 10 } })
      const run = await session.startRun(lease)
      return () => run.reserveBudget({ tokens: 1, toolCalls: 0 })
    },
  ],
  [
    'reservation_not_open',
    async ({ session }) => {
      const run = await session.startRun(lease)
      return () => run.settleBudget('nobody')
    },
  ],
  [
    'child_not_open',
    async ({ session }) => {
      const spent = { tokens: 0, costMicrocents: 0, toolCalls: 0 }
      return () => session.finishChild({ childId: 'nobody', outcome: 'completed', spent })
    },
  ],
  [
    'path_changed',
    async ({ session }) => {
      const { firstSeq = 0 } = await session.append([user('one'), user('two')])
      await session.undo()
      return () => session.compact(compaction(firstSeq))
    },
  ],
  [
    'invalid_compaction',
    async ({ session }) => {
      const { lastSeq = 0 } = await session.append(user('hello'))
      return () => session.compact({ ...compaction(lastSeq), summary: ' ' })
    },
  ],
  [
    'draft_gap',
    async ({ session }) => {
      const run = await session.startRun(lease)
      const [first, second] = [run.draft('d'), run.draft('d')]
      first.write('first')
      await first.flush()
      second.write('other')
      return () => second.flush()
    },
  ],
  [
    'commit_unknown',
    async ({ place, store, session }) => {
      let isCut = false
      const cut = async <T>(answer: Promise<T>): Promise<T> => {
        await answer
        if (isCut) throw unknownOutcome()
        return answer
      }
      const cutOff = withMembers(store, {
        commit: (commits) => cut(store.commit(commits)),
        readEvents: (...range) => cut(store.readEvents(...range)),
      })
      const { sessions } = await openHoldfast({ store: cutOff, clock: place.clock.now })
      const far = (await sessions.open(session.id)) as ActiveSession
      await session.rename('x')
      isCut = true
      return async () => {
        const error = await far.rename('y', { key: 'k' }).catch((error: unknown) => error)
        isCut = false
        // It was written all the same, and the key tells.
        expect(await session.rename('y', { key: 'k' })).toMatchObject({ replayed: true })
        throw error
      }
    },
  ],
  [
    'store_corrupt',
    async (scene) => {
      await plant(scene, { type: 'note.added' }, '{"no":"event"}')
      return () => scene.session.events()
    },
  ],
  [
    'store_closed',
    async ({ place, store, session }) => {
      const other = await openHoldfast({ store, clock: place.clock.now })
      const closed = await other.sessions.open(session.id)
      await other.close()
      return () => (closed as ActiveSession).rename('x')
    },
  ],
  [
    'store_unsupported',
    async (scene) => {
      await plant(scene, { type: 'note.added' }, undefined, (row) => {
        return { ...row, body: row.body.replace('"v":1', '"v":2') }
      })
      return () => scene.session.view()
    },
  ],
] as const satisfies readonly (readonly [ErrorCode, Produce])[]

/** Does not compile when a code is in neither list. */
type Missing = Exclude<ErrorCode, keyof typeof elsewhere | (typeof produced)[number][0]>
const missing: Missing[] = []

eachStore('an error', (place) => {
  it.each(produced)('%s is produced, and nothing is written', async (code, produce: Produce) => {
    const scene = await sceneOn(place)
    const fail = await produce(scene)
    const before = await heads(scene)
    const error = await fail().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(HoldfastError)
    expect((error as HoldfastError).code).toBe(code)
    expect(missing).toEqual([])
    if (code !== 'commit_unknown') expect(await heads(scene)).toEqual(before)
  })
})

async function sceneOn(place: TestPlace): Promise<Scene> {
  let store: Store | undefined
  const holdfast = await place.open({
    wrap(opened) {
      store = opened
      return opened
    },
  })
  const session = await (await holdfast.sessions.create({ agentId: 'agent' })).activate()
  return { place, store: store as Store, holdfast, session }
}

/** Past the end of every session's text, as only the store sees it. */
function heads({ store, holdfast }: Scene): Promise<unknown> {
  return store.listHeads(holdfast.tenantId, { index: 'all', limit: 100 })
}

function compaction(seq: number) {
  const range = { from: seq, to: seq, trigger: 'manual' as const, messagesCovered: 1 }
  const record = { compactionId: `c${seq}`, ...range, tokensBefore: 10, tokensAfter: 5 }
  return { record, pathSeq: 0, summary: 'Hello.', summaryTokens: 5 }
}

/** Writes an event past the engine, with the head that follows from it: as an import, or another version would. */
async function plant(
  { store, holdfast: { tenantId }, session }: Scene,
  planted: { type: string; critical?: true; data?: unknown },
  body?: string,
  change: (row: HeadRow) => HeadRow = (row) => row,
): Promise<void> {
  const stored = await store.readHead(tenantId, session.id)
  const head: Head = decodeHead(stored?.body ?? '')
  const at = head.updatedAt
  const event: FoldEvent = { seq: head.seq + 1, v: 1, at, actor: { kind: 'system' }, data: {}, ...planted }
  const known: FoldEvent = body === undefined ? event : { ...event, type: 'note.skipped' }
  const after = fold({ head, parts: { source: null } }, known).head
  const [outcome] = await store.commit([
    {
      tenantId,
      sessionId: session.id,
      commitId: 'planted',
      baseSeq: head.seq,
      create: false,
      events: [{ type: event.type, v: 1, at, body: body ?? encodeBody(event) }],
      head: change(headRow(after)),
      parts: [],
      refs: [],
      usage: [],
      attachments: [],
      waypoint: false,
      dropDrafts: [],
    },
  ])
  expect(outcome?.status).toBe('committed')
}

const files: readonly { name: string; options: { driver?: BetterSqlite } }[] = [
  { name: 'node:sqlite', options: {} },
  { name: 'better-sqlite3', options: { driver: BetterSqlite3 } },
]

describe.each(files)('a failing database file, with $name', ({ options }) => {
  it('that is full says store_full, writes nothing, and takes the write when there is room again', async () => {
    await withFile(options, async ({ session, connections }) => {
      // As small as it can be: what it is now.
      for (const db of connections) db.exec('PRAGMA max_page_count = 1')
      const write = () => session.append(user('a'.repeat(100_000)), { key: 'k' })
      await expect(write()).rejects.toMatchObject({ code: 'store_full', retry: 'later', status: 507 })
      expect((await session.view()).seq).toBe(1)
      for (const db of connections) db.exec('PRAGMA max_page_count = 100000')
      expect(await write()).toMatchObject({ replayed: false, lastSeq: 3 })
    })
  })

  it('that may not be written says store_unavailable, writes nothing, and recovers', async () => {
    await withFile(options, async ({ session, connections }) => {
      for (const db of connections) db.exec('PRAGMA query_only = ON')
      const write = () => session.append(user('hello'), { key: 'k' })
      await expect(write()).rejects.toMatchObject({ code: 'store_unavailable', retry: 'later' })
      expect((await session.view()).seq).toBe(1)
      expect(await write()).toMatchObject({ replayed: false, lastSeq: 3 })
    })
  })

  it('that cannot be made says store_unavailable', async () => {
    await withFile(options, async ({ place }) => {
      const store = sqlite(`${place.path}/inside.db`, options)
      await expect(openHoldfast({ store })).rejects.toMatchObject({ code: 'store_unavailable' })
    })
  })

  it('that stays locked says store_busy, writes nothing, and goes on when it is free', async () => {
    await withFile(options, async ({ place, session, connections }) => {
      for (const db of connections) db.exec('PRAGMA busy_timeout = 0')
      // Two libraries in one process do not see each other's locks.
      const neighbour = new (options.driver ?? DatabaseSync)(place.path)
      neighbour.exec('BEGIN IMMEDIATE')
      const write = () => session.append(user('hello'), { key: 'k' })
      await expect(write()).rejects.toMatchObject({ code: 'store_busy', retry: 'later', status: 503 })
      expect((await session.view()).seq).toBe(1)
      neighbour.close()
      expect(await write()).toMatchObject({ replayed: false, lastSeq: 3 })
    })
  })

  it('of a newer schema says store_unsupported, and is left as it is', async () => {
    await withFile(options, async ({ place, holdfast }) => {
      await holdfast.close()
      place.behind('PRAGMA user_version = 999')
      const opening = openHoldfast({ store: sqlite(place.path, options) })
      await expect(opening).rejects.toMatchObject({ code: 'store_unsupported', details: { version: 999 } })
      expect(place.behind('PRAGMA user_version')).toEqual([{ user_version: 999 }])
    })
  })
})

interface InFile {
  place: TemporaryPlace
  holdfast: Holdfast
  session: CreatedSession
  /** The store's own, to bring it into trouble. */
  connections: ReadonlySet<Connection>
}

interface Connection {
  exec(sql: string): unknown
}

async function withFile(
  options: { driver?: BetterSqlite },
  test: (file: InFile) => Promise<void>,
): Promise<void> {
  const place = new TemporaryPlace()
  const { connections, stop } = watchConnections()
  const holdfast = await openHoldfast({ store: sqlite(place.path, options), random: () => 0 })
  stop()
  const session = await holdfast.sessions.create({ agentId: 'agent' })
  try {
    await test({ place, holdfast, session, connections })
  } finally {
    await holdfast.close()
    place.remove()
  }
}

/** Notes the connections that are opened until it is stopped: a store sets them up by `exec`. */
function watchConnections(): { connections: ReadonlySet<Connection>; stop(): void } {
  const connections = new Set<Connection>()
  const spies = [DatabaseSync.prototype, BetterSqlite3.prototype].map((prototype: Connection) => {
    const { exec } = prototype
    return vi.spyOn(prototype, 'exec').mockImplementation(function (this: Connection, sql: string) {
      connections.add(this)
      return exec.call(this, sql)
    })
  })
  return { connections, stop: () => spies.forEach((spy) => void spy.mockRestore()) }
}
