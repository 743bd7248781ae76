/**
 * Every row of the limits table on every store. What is refused: taken at its limit, and one past it refused as
 * `limit_exceeded` with the figures, and nothing written. What bounds a page, a scan or a life: the bound is seen.
 */
import { type Json, type LimitName, limits, utf8Bytes } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { HostCommand } from './check-command.ts'
import { openHoldfast } from './holdfast.ts'
import type { InitializingRun } from './run-types.ts'
import type { ActiveSession, CreatedSession } from './session-types.ts'
import { withCommit } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import {
  type Edge,
  edge,
  edgeInRun,
  type LargeLimit,
  letters,
  many,
  note,
  overhead,
  type Scene,
  sceneOn,
  testBounds,
  testEdges,
  worker,
} from './testing/limit-edges.ts'
import { calling, textsOf, user } from './testing/messages.ts'

const edges = {
  commitEvents: edge(limits.commitEvents, ({ session }, size) => session.batch(many(size, () => note))),
  jsonDepth: edge(limits.jsonDepth, ({ session }, size) => {
    return session.addNote({ kind: 'deep', data: nested(size - 1) })
  }),
  jsonNodes: edge(limits.jsonNodes, ({ session }, size) => {
    return session.addNote({ kind: 'wide', data: many(size - 2, () => 0) })
  }),
  messageParts: edge(limits.messageParts, ({ session }, size) => {
    return session.append({ role: 'user', parts: many(size, () => ({ type: 'text', text: '' })) })
  }),
  openCalls: edge(limits.openCalls, ({ session }, size) => {
    return session.append(calling(...many(size, (n) => `call-${n}`)))
  }),
  waitingInputs: edgeInRun(limits.waitingInputs, (_run, from, to, { session }) => {
    return session.append(many(to - from, () => user('wait')))
  }),
  metadataBytes: edge(limits.metadataBytes, ({ session }, size) => {
    return session.replaceMetadata({ a: letters(size - '{"a":""}'.length) })
  }),
  titleBytes: edge(limits.titleBytes, ({ session }, size) => session.rename(letters(size))),
  goalBytes: edge(limits.goalBytes, ({ holdfast }, size) => {
    return holdfast.sessions.create({ agentId: 'agent', purpose: 'autonomous', goalText: letters(size) })
  }),
  instructionsBytes: edge(limits.instructionsBytes, ({ session }, size) => {
    return session.setInstructions(letters(size))
  }),
  promptBytes: edge(limits.promptBytes, ({ session }, size) => {
    const prompt = (length: number) => ({ sections: [], effectiveText: letters(length) })
    return session.setPrompt(prompt(size - JSON.stringify(prompt(0)).length))
  }),
  taskItems: edge(limits.taskItems, ({ session }, size) => {
    return session.setTasks({ items: many(size, (n) => ({ id: `t${n}`, description: 'do' })) })
  }),
  taskListBytes: edge(
    limits.taskListBytes,
    ({ session }, size, measured: number) => session.setTasks(tasks(1 + size - measured)),
    async ({ session }) => {
      await session.setTasks(tasks(1))
      const { version: _version, ...list } = (await session.view()).taskList ?? { version: 0 }
      return JSON.stringify(list).length
    },
  ),
  questionBytes: edge(limits.questionBytes, ({ session }, size) => {
    const question = (length: number) => ({ questionId: 'q', question: letters(length) })
    return session.ask(question(size - JSON.stringify(question(0)).length))
  }),
  questionOptions: edge(limits.questionOptions, async ({ session }, size) => {
    await session.ask({ questionId: `q${size}`, question: 'Which?', options: many(size, String) })
    await session.withdrawQuestion(`q${size}`)
  }),
  openChildren: edgeInRun(limits.openChildren, (run, from, to) => {
    const child = (n: number) => ({ childId: `child-${from + n}`, agentId: 'agent', grant: {} })
    return run.batch(many(to - from, (n) => ({ type: 'spawnChild', ...child(n) })))
  }),
  spawnDepth: edge(
    limits.spawnDepth,
    async (scene, depth, runs: InitializingRun[]) => {
      await runs[depth - 1]?.spawnChild({ agentId: 'agent', childId: `child-${depth}` })
      runs.push(await startRunOf(scene, `child-${depth}`))
    },
    async (scene) => {
      const runs = [await scene.session.startRun(worker)]
      for (let depth = 1; depth < limits.spawnDepth; depth++) {
        await runs[depth - 1]?.spawnChild({ agentId: 'agent', childId: `child-${depth}` })
        runs.push(await startRunOf(scene, `child-${depth}`))
      }
      return runs
    },
  ),
  openReservations: edgeInRun(limits.openReservations, (run, from, to) => {
    return run.batch(many(to - from, () => ({ type: 'reserveBudget', tokens: 1, toolCalls: 0 })))
  }),
  overlays: edge(
    limits.overlays,
    ({ session }, size, { first, last }: { first: number; last: number }) => {
      const chosen = size === limits.overlays ? many(size, (n) => n) : [limits.overlays]
      return session.batch(chosen.map((n) => compaction(first + n, n && last + n)))
    },
    async ({ session }) => {
      const { firstSeq = 0, lastSeq = 0 } = await session.append(
        many(limits.overlays + 1, () => user('more')),
      )
      return { first: firstSeq, last: lastSeq }
    },
  ),
  priceBookBytes: edge(limits.priceBookBytes, ({ holdfast }, size) => {
    const book = (length: number) => ({ prices: { [letters(length)]: {} } })
    return holdfast.priceBooks.put(`book-${size}`, book(size - JSON.stringify(book(0)).length))
  }),
  sum: {
    prepare: async () => {},
    at: ({ session }) => session.recordUsage(attempt('whole', limits.sum)),
    past: ({ session }) => session.recordUsage(attempt('one more', 1)),
  },
  recordBytes: edge(limits.recordBytes, ({ holdfast }, size) => {
    const seed = (last: number) => ({
      goal: '',
      constraints: [...many(4, () => letters(65_000)), letters(last)],
    })
    return holdfast.seeds.put(`seed-${size}`, seed(size - JSON.stringify(seed(0)).length))
  }),
  checkpointChannels: edge(limits.checkpointChannels, ({ session }, size) => {
    return session.putCheckpoint({ channels: Object.fromEntries(many(size, (n) => [`channel-${n}`, 0])) })
  }),
  searchQueryBytes: edge(limits.searchQueryBytes, ({ holdfast }, size) => holdfast.search(letters(size))),
  ttlSecs: edge(limits.ttlSecs, ({ holdfast }, ttlSecs) => {
    return holdfast.sessions.create({ agentId: 'agent', ttlSecs })
  }),
  leaseTtlMs: edge(limits.leaseTtlMs, ({ session }, ttlMs) => session.startRun({ owner: 'worker', ttlMs })),
} satisfies { [L in LimitName]?: Edge }

/** Limits that refuse nothing: they bound what one page, chunk, scan or life may be. */
const bounds = {
  async asideBytes({ place, holdfast, store, session }) {
    const beside = await overhead({ place, holdfast, store, session })
    const sizes = [-1, 0, 1].map((n) => limits.asideBytes + n)
    const texts = sizes.map((size) => letters(size - beside))
    await session.append(texts.map((text) => user(text)))
    const fork = await session.fork()
    for (const { id } of [session, fork]) {
      const range = {
        after: 3,
        through: 6,
        limit: 10,
        maxBytes: limits.pageBytes,
        direction: 'forward',
      } as const
      const rows = await store.readEvents(holdfast.tenantId, id, range)
      expect(rows.map(({ body }) => body.length)).toEqual(sizes)
      expect(rows.map(({ body }) => JSON.parse(body).data.parts[0].text)).toEqual(texts)
    }
    const kept = place.look('SELECT aside IS NOT NULL AS beside FROM events WHERE session = 1 AND seq > 3')
    if (kept) expect(kept.map((row) => row.beside)).toEqual([0, 1, 1])
  },

  async draftChunkBytes({ holdfast, store, session }) {
    const run = await session.startRun(worker)
    const draft = run.draft('draft')
    const text = letters(limits.draftChunkBytes) + '€🤖'.repeat(limits.draftChunkBytes / 8)
    draft.write(text)
    await draft.flush()
    const chunks = await store.readDraft(holdfast.tenantId, session.id, 'draft', 0)
    expect(Math.max(...chunks.map((chunk) => utf8Bytes(chunk.text)))).toBeLessThanOrEqual(
      limits.draftChunkBytes,
    )
    expect(chunks.map((chunk) => chunk.text).join('')).toBe(text)
  },

  async pageItems({ session }) {
    await session.batch(many(limits.pageItems, () => note))
    const first = await session.events({ limit: limits.pageItems + 500 })
    expect([first.events.length, first.more]).toEqual([limits.pageItems, true])
    const rest = await session.events({ after: limits.pageItems, limit: limits.pageItems + 500 })
    expect([rest.events.length, rest.more]).toEqual([2, false])
  },

  async commitTries(scene) {
    for (const wins of [limits.commitTries - 1, limits.commitTries]) {
      const { ours, theirs } = await rivals(scene, wins)
      const before = (await theirs.view()).seq
      const write = ours.append(user('ours'))
      if (wins < limits.commitTries) await write
      else await expect(write).rejects.toMatchObject({ code: 'contention' })
      const texts = textsOf((await theirs.messages({ after: String(before) })).messages)
      expect(texts).toEqual([...many(wins, () => 'rival'), ...(wins < limits.commitTries ? ['ours'] : [])])
    }
  },

  async waypointEvents({ holdfast, store, session }) {
    const half = limits.waypointEvents / 2
    for (const title of ['one', 'two', 'three', 'four', 'five']) {
      await session.batch([{ type: 'patchMetadata', values: { title } }, ...many(half - 1, () => note)])
    }
    const { seq } = await session.view()
    const kept = []
    for (let at = seq; at > 0; ) {
      const waypoint = await store.readWaypoint(holdfast.tenantId, session.id, at)
      if (waypoint) kept.unshift(waypoint.seq)
      at = (waypoint?.seq ?? 0) - 1
    }
    expect(kept).toEqual([2 + 2 * half, 2 + 4 * half])
    // A state between two of them is folded from the one before.
    const fork = await session.fork({}, { atSeq: 2 + 3 * half })
    expect((await fork.view()).metadata).toEqual({ title: 'three' })
  },

  async keyTtlMs({ place, holdfast, session }) {
    const write = () => session.append(user('once'), { key: 'k' })
    await write()
    place.clock.advance(limits.keyTtlMs - 1)
    expect((await holdfast.sweep()).expiredKeys).toBe(0)
    expect((await write()).replayed).toBe(true)
    place.clock.advance(1)
    expect((await holdfast.sweep()).expiredKeys).toBe(1)
    expect((await write()).replayed).toBe(false)
  },

  async forkSegments({ holdfast, session }) {
    let newest: { fork(): Promise<CreatedSession> } = session
    for (let n = 0; n < limits.forkSegments; n++) newest = await newest.fork()
    await expect(newest.fork()).rejects.toMatchObject({ code: 'fork_too_deep' })
    expect((await holdfast.sessions.list({}, { limit: 100 })).sessions).toHaveLength(limits.forkSegments + 1)
  },
  // `lineBytes` is of transcripts: the cases of hostile files meet it.
} satisfies {
  [L in Exclude<LimitName, keyof typeof edges | LargeLimit | 'lineBytes'>]: (scene: Scene) => Promise<void>
}

testEdges(edges)
testBounds(bounds)

eachStore('a limit', (place) => {
  it('metadataBytes bounds what patches add up to', async () => {
    const { session } = await sceneOn(place)
    const half = letters(limits.metadataBytes / 2)
    await session.patchMetadata({ a: half })
    await expect(session.patchMetadata({ b: half })).rejects.toMatchObject({
      code: 'limit_exceeded',
      details: { limit: 'metadataBytes', max: limits.metadataBytes },
    })
    expect(await session.patchMetadata({ a: null, b: half })).toMatchObject({ changed: true })
  })

  it('leaseTtlMs bounds every way to take or keep a lease', async () => {
    const { session } = await sceneOn(place)
    const tooLong = { owner: 'other', ttlMs: limits.leaseTtlMs + 1 }
    const refused = { code: 'limit_exceeded', details: { limit: 'leaseTtlMs', max: limits.leaseTtlMs } }
    const run = await session.startRun(worker)
    await run.heartbeat(limits.leaseTtlMs)
    await expect(run.heartbeat(tooLong.ttlMs)).rejects.toMatchObject(refused)
    const suspended = await run.suspend('shutdown')
    await expect(suspended.resume(tooLong)).rejects.toMatchObject(refused)
    await expect(session.resumeRun(tooLong)).rejects.toMatchObject(refused)
    await session.resumeRun(worker)
    place.clock.advance(worker.ttlMs)
    await expect(session.takeOverRun(tooLong)).rejects.toMatchObject(refused)
    await session.takeOverRun({ ...tooLong, ttlMs: limits.leaseTtlMs })
  })
})

function attempt(attemptId: string, costMicrocents: number) {
  return { attemptId, promptTokens: 0, completionTokens: 0, costMicrocents, costSource: 'provider' }
}

function nested(levels: number): Json {
  let value: Json = 0
  for (let n = 0; n < levels; n++) value = [value]
  return value
}

function tasks(lastLength: number) {
  const items = many(32, (n) => ({ id: `t${n}`, description: letters(n === 31 ? lastLength : 8_100) }))
  return { items }
}

async function startRunOf({ holdfast }: Scene, sessionId: string): Promise<InitializingRun> {
  return ((await holdfast.sessions.open(sessionId)) as CreatedSession).startRun(worker)
}

function compaction(seq: number, pathSeq: number): HostCommand {
  const range = { from: seq, to: seq, trigger: 'manual' as const, messagesCovered: 1 }
  const record = { compactionId: `c${seq}`, ...range, tokensBefore: 10, tokensAfter: 5 }
  return { type: 'applyCompaction', record, pathSeq, summary: 'More.', summaryTokens: 5 }
}

/** Two engines on one session: each time ours is about to commit, theirs is first, for so many times. */
async function rivals({ place, store, session }: Scene, wins: number) {
  let left = wins
  const clock = place.clock.now
  const their = await openHoldfast({ store, clock })
  const theirs = (await their.sessions.open(session.id)) as ActiveSession
  const yielding = withCommit(async (commits, commit) => {
    if (left-- > 0) await theirs.append(user('rival'))
    return commit(commits)
  })
  const our = await openHoldfast({ store: yielding(store), clock, random: () => 0 })
  return { ours: (await our.sessions.open(session.id)) as ActiveSession, theirs }
}
