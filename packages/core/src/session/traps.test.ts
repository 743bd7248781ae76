/**
 * The traps that the five source systems fell into, each by name. What only a store or a server can show has its case
 * there: an idempotency key that is not scoped to its tenant, an index written apart from its body, a rename without fsync,
 * foreign and missing ids that look different, filters after limits.
 */
import { isHoldfastError, messageInput, tenantId, time, toTime, usageRecord } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import { resolveBudget } from '../context/budget.ts'
import { newestItems } from '../context/newest.ts'
import { providerView } from '../context/provider-view.ts'
import { compactOversizedToolMessages, shortenText } from '../context/tool-output.ts'
import { contextView, messagesInView, viewStateOf } from '../context/view.ts'
import { priceOf } from '../ledger/cost.ts'
import { sumUsage } from '../ledger/totals.ts'
import type { SessionCommand } from './decide/index.ts'
import { decide } from './decide/index.ts'
import { foldAll } from './fold/index.ts'
import { expiresAtMs, isExpired, statusOf } from './lifecycle.ts'
import { splitModel } from './model-ref.ts'
import { refsOf } from './projections.ts'
import type { FoldEvent } from './state.ts'
import { answers, asks, calls, compacts, result, says, startRun, task, usage } from './testing/commands.ts'
import { startMs, TestLog, worker } from './testing/log.ts'
import { outcomeOf } from './testing/states.ts'
import { sessionView, summaryOf, summarySeq } from './view.ts'
import { agentSessionRow } from './views/agent-session-row.ts'
import { bambooView } from './views/bamboo.ts'
import { oxiosView } from './views/oxios.ts'
import { metadataObject, sessionRecordView } from './views/session-record.ts'
import { smoothOperatorView } from './views/smooth-operator.ts'

const own = { own: true }
const idleRule = { nowMs: startMs, idleLimitMs: 60_000 }

function viewOf(log: TestLog) {
  return sessionView(log.state, log.lease, log.nowMs)
}

function inRun(): TestLog {
  const log = TestLog.create({
    userParticipantId: 'p1',
    agentParticipantId: 'p2',
    ownerUserId: 'user-1',
    title: 'T',
  })
  log.do(says('hello', { id: 'hello' }))
  log.do(startRun())
  return log
}

function round(log: TestLog, ...commands: SessionCommand[]): void {
  log.doAll([{ type: 'startRound' }, ...commands, { type: 'completeRound' }], own)
}

function messages(log: TestLog) {
  return messagesInView(log.events, viewStateOf(log.state))
}

function items(log: TestLog) {
  return contextView(log.events, viewStateOf(log.state))
}

function sent(log: TestLog) {
  return providerView(items(log))
}

/** user, answer, user, answer … with the seq of each message. */
function talk(pairs: number, log = TestLog.create()): TestLog {
  for (let i = 1; i <= pairs; i++) {
    log.do(says(`question ${i}`, { id: `u${i}` }))
    log.do(answers(`answer ${i}`, { id: `a${i}` }))
  }
  return log
}

function seqOf(log: TestLog, messageId: string): number {
  return messages(log).find((message) => message.id === messageId)?.seq ?? Number.NaN
}

function withProviderContext(): TestLog {
  const log = inRun()
  log.doAll(
    [
      { type: 'startRound' },
      { type: 'openProviderContext', contextId: 'x1', initialTokens: 50, responseId: 'resp-1' },
      { type: 'completeRound' },
    ],
    own,
  )
  return log
}

describe('counting and money', () => {
  test('trap: reasoning added to completion, cached added to prompt', () => {
    const log = inRun()
    const { usage: row } = usage('a1')
    log.do({ type: 'recordUsage', usage: row }, own)
    expect(log.head.counters).toMatchObject({
      promptTokens: 100,
      completionTokens: 20,
      reasoningTokens: 5,
      cachedReadTokens: 40,
    })
    expect(smoothOperatorView(viewOf(log), idleRule).tokenCount).toBe(120)
    expect(sumUsage([row]).consumedTokens).toBe(120)
    const price = { prompt: 1_000_000, completion: 1_000_000, cachedRead: 0, cachedWrite: 0 }
    expect(priceOf({ ...row, providerId: 'p', model: 'm' }, { prices: { 'p/m': price } })).toBe(
      100 - 40 - 10 + 20,
    )
  })

  test('trap: context size, lifetime sums and transmitted input taken for one number', () => {
    const log = withProviderContext()
    const counts = { totalTokens: 77, budgetTokens: 100, systemTokens: 0, summaryTokens: 0, windowTokens: 0 }
    round(
      log,
      { type: 'measureContext', usage: counts },
      usage('a1', { context: { contextId: 'x1', tokens: 7 } }),
    )
    const view = viewOf(log)
    expect(view.contextUsage?.totalTokens).toBe(77)
    expect(view.counters.promptTokens + view.counters.completionTokens).toBe(120)
    expect(view.counters.initialTokenCount + view.counters.deltaTokenCount).toBe(57)
  })

  test('trap: rounds counted as turns', () => {
    const log = inRun()
    for (let i = 0; i < 4; i++) round(log, calls(`call-${i}`), result(`call-${i}`))
    log.doAll(
      [{ type: 'startRound' }, answers('done'), { type: 'completeRound' }, { type: 'completeRun' }],
      own,
    )
    expect(log.head.counters).toMatchObject({ turnCount: 1, roundCount: 5, exchangeCount: 1 })
  })

  test('trap: arrays of questions and answers paired by index', () => {
    const log = talk(0)
    log.doAll([says('first', { id: 'first' }), says('second', { id: 'second' }), answers('to the second')])
    const { agentResponses, userMessages, exchangeCount } = oxiosView(
      { ...viewOf(log), ownerUserId: 'user-1' },
      messages(log),
    )
    expect(userMessages.map((message) => message.id)).toEqual(['first', 'second'])
    expect(agentResponses.map((message) => message.replyTo)).toEqual(['second'])
    expect(exchangeCount).toBe(1)
  })

  test('trap: an unanswered, an interrupted and a twice answered question counted as exchanges', () => {
    const log = TestLog.create()
    log.doAll([says('a'), answers('cut', { finish: 'interrupted' })])
    expect(log.head.counters.exchangeCount).toBe(0)
    log.doAll([answers('whole'), answers('again')])
    expect(log.head.counters.exchangeCount).toBe(1)
  })

  test('trap: the initial token count added again by a retry or by a later context', () => {
    const log = withProviderContext()
    log.do({ type: 'startRound' }, own)
    log.do({ type: 'openProviderContext', contextId: 'x2', initialTokens: 999 }, own)
    // The first request of x2 and its retry, both in the round that opened it.
    log.doAll(
      [
        usage('a1', { status: 'failed', context: { contextId: 'x2', tokens: 9 } }),
        usage('a2', { context: { contextId: 'x2', tokens: 9 } }),
      ],
      own,
    )
    expect(log.head.counters).toMatchObject({ initialTokenCount: 50, deltaTokenCount: 0 })
    log.do({ type: 'completeRound' }, own)
    // A later request and its retry count once.
    round(
      log,
      usage('a3', { context: { contextId: 'x2', tokens: 6 } }),
      usage('a4', { context: { contextId: 'x2', tokens: 6 } }),
    )
    expect(log.head.counters).toMatchObject({ initialTokenCount: 50, deltaTokenCount: 6 })
  })

  test('trap: cost as a float', () => {
    const log = inRun()
    for (let i = 0; i < 10; i++) log.do(usage(`a${i}`, { costMicrocents: 100_000 }), own)
    expect(log.head.counters.costMicrocents).toBe(1_000_000)
    expect(agentSessionRow(viewOf(log)).costCents).toBe(1)
    const price = { prompt: Number.MAX_SAFE_INTEGER, completion: 0 }
    const counts = { promptTokens: 1_000_001, completionTokens: 0, cachedReadTokens: 0, cachedWriteTokens: 0 }
    expect(priceOf({ model: 'm', ...counts, promptTokens: 999_999 }, { prices: { m: price } })).toBe(
      9_007_190_247_541_736,
    )
    expect(priceOf({ model: 'm', ...counts }, { prices: { m: price } })).toBeUndefined()
  })

  test('trap: an unknown model priced at zero, an estimate shown as a fact', () => {
    const log = inRun()
    expect(priceOf({ ...usage('a').usage, model: 'new-model' }, { prices: {} })).toBeUndefined()
    expect(priceOf({ ...usage('a').usage, model: 'constructor' }, { prices: {} })).toBeUndefined()
    log.do(usage('a1', { costMicrocents: undefined, costSource: 'unknown', estimated: true }), own)
    expect(agentSessionRow(viewOf(log))).toMatchObject({ costCents: 0, costUnknown: 1, costEstimated: true })
    log.do({ type: 'setBudget', budget: { ...budget, spend: { costMicrocents: 1_000 } } })
    expect(outcomeOf(log, { type: 'reserveBudget', tokens: 1, toolCalls: 0 }, own)).toBe('price_unknown')
  })

  test('trap: counters kept and never updated, or set by a client', () => {
    const log = inRun()
    log.doAll([usage('a1'), usage('a2', { status: 'failed' }), usage('a1')], own)
    const rows = log.events
      .filter((event) => event.type === 'usage.recorded')
      .map((event) => usageRecord.parse(event.data))
    const { attempts, consumedTokens: _sum, ...totals } = sumUsage(rows)
    expect(attempts).toBe(2)
    expect(log.head.counters).toMatchObject(totals)
    expect(Object.keys(messageInput.shape)).not.toContain('seq')
  })

  test('trap: counters beyond 2⁵³ lose digits', () => {
    expect(
      usageRecord.safeParse({ attemptId: 'a', promptTokens: 2 ** 53, completionTokens: 0 }).success,
    ).toBe(false)
  })
})

const budget = {
  maxContextTokens: 128_000,
  strategy: { type: 'hybrid' as const },
  triggerPercent: 85,
  targetPercent: 40,
  workingReserveTokens: 50_000,
  fallbackTriggerPercent: 75,
  spend: {},
}

describe('state', () => {
  test('trap: expired only when a sweeper runs, or one instant late', () => {
    const log = TestLog.create({ ttlSecs: 60 })
    log.nowMs += 59_999
    expect(isExpired(log.head, log.nowMs)).toBe(false)
    log.nowMs += 1
    expect(isExpired(log.head, log.nowMs)).toBe(true)
    expect(outcomeOf(log, says('late'))).toBe('session_expired')
    expect(sessionRecordView(viewOf(log), log)).toMatchObject({ state: 'Expired' })
    expect(sessionRecordView(viewOf(log), log)).not.toHaveProperty('closedAt')
    log.nowMs += 5_000
    log.do({ type: 'expire' })
    expect(sessionRecordView(viewOf(log), log).closedAt).toBe(toTime(startMs + 60_000))
  })

  test('trap: a time to live without a written anchor', () => {
    const fixed = TestLog.create({ ttlSecs: 60 })
    expect(expiresAtMs(fixed.head)).toBe(startMs + 60_000)
    fixed.nowMs += 10_000
    fixed.do({ type: 'activate' })
    fixed.nowMs += 10_000
    fixed.do(says('hi'))
    expect(expiresAtMs(fixed.head)).toBe(startMs + 70_000)
    const sliding = TestLog.create({ ttlSecs: 60, ttlSliding: true })
    sliding.nowMs += 20_000
    sliding.do(says('hi'))
    expect(expiresAtMs(sliding.head)).toBe(startMs + 80_000)
    expect(expiresAtMs(TestLog.create().head)).toBeUndefined()
  })

  test('trap: ended_at on a live session', () => {
    const log = inRun()
    log.do({ type: 'completeRun' }, own)
    expect(viewOf(log)).not.toHaveProperty('endedAt')
    log.do({ type: 'close', cancel: false })
    expect(viewOf(log).endedAt).toBeDefined()
  })

  test('trap: "running" for ever after a crash', () => {
    const log = inRun()
    expect(viewOf(log)).toMatchObject({ status: 'running', run: { lost: false, owner: worker.owner } })
    log.nowMs += worker.ttlMs
    expect(viewOf(log)).toMatchObject({ status: 'unknown', run: { lost: true } })
    expect(agentSessionRow(viewOf(log)).status).toBe('unknown')
  })

  test('trap: start-up marking live neighbours unknown', () => {
    const log = inRun()
    log.nowMs += worker.ttlMs - 1
    expect(outcomeOf(log, { type: 'takeOverRun', owner: 'worker-2', ttlMs: 1_000 })).toBe('lease_held')
    expect(statusOf(log.head, log.lease, log.nowMs)).toBe('running')
  })

  test('trap: a late end from a process declared lost overwriting the newer state', () => {
    const log = inRun()
    const { epoch } = log.lease
    log.nowMs += worker.ttlMs
    log.do({ type: 'takeOverRun', owner: 'worker-2', ttlMs: 60_000 })
    expect(outcomeOf(log, { type: 'failRun', error: 'late' }, { epoch })).toBe('stale_epoch')
    expect(log.head.run?.state).toBe('initializing')
  })

  test('trap: suspended taken for ended; the question lost in a restart', () => {
    const log = inRun()
    log.do(asks('q1'), own)
    const state = JSON.parse(JSON.stringify(log.state)) as typeof log.state
    const view = sessionView(state, { epoch: 1, owner: undefined, expiresAtMs: undefined }, log.nowMs)
    expect(view).toMatchObject({
      status: 'suspended',
      openQuestion: { questionId: 'q1' },
      run: { state: 'suspended', lost: false },
    })
    expect(view.endedAt).toBeUndefined()
    expect(agentSessionRow(view).status).toBe('active')
  })

  test('trap: kind and status of five systems taken for one field', () => {
    const log = inRun()
    const view = viewOf(log)
    expect([agentSessionRow(view).kind, bambooView(view, []).kind]).toEqual(['interactive', 'root'])
    expect([
      smoothOperatorView(view, idleRule).status,
      sessionRecordView(view, log).state,
      agentSessionRow(view).status,
      bambooView(view, []).agentRuntimeState?.state,
    ]).toEqual(['active', 'Active', 'active', 'initializing'])
  })

  test('trap: a locked model changed, or a switchable one changed without a trace', () => {
    const change = { type: 'setModel', providerId: 'openai', model: 'gpt' } as const
    const locked = TestLog.create()
    locked.do(says('hi'))
    expect(outcomeOf(locked, change)).toBe('model_locked')
    expect(outcomeOf(locked, startRun({ model: 'gpt' }))).toBe('model_locked')
    const switchable = TestLog.create({ modelPolicy: 'switchable' })
    switchable.doAll([says('hi'), startRun()])
    switchable.doAll([{ type: 'openProviderContext', initialTokens: 5 }, { type: 'completeRun' }], own)
    expect(switchable.types(change)).toEqual(['session.model_changed', 'provider_context.invalidated'])
    expect(switchable.head).toMatchObject({ providerId: 'openai', model: 'gpt' })
  })

  test('trap: last writer wins on a whole-session save', () => {
    const log = TestLog.create()
    const read = log.head.version
    log.do({ type: 'rename', title: 'first', automatic: false }, { expectedVersion: read })
    expect(
      outcomeOf(log, { type: 'rename', title: 'second', automatic: false }, { expectedVersion: read }),
    ).toBe('version_conflict')
    expect(log.head.title).toBe('first')
  })

  test('trap: the clock used for order, equal timestamps called stale', () => {
    const log = talk(1)
    log.do(says('same instant', { id: 'same' }))
    log.nowMs -= 60_000
    log.do(says('clock set back', { id: 'back' }))
    expect(messages(log).map((message) => message.id)).toEqual(['u1', 'a1', 'same', 'back'])
    expect(log.head.lastUser?.id).toBe('back')
  })

  test('trap: root, parent and depth that disagree', () => {
    const child = TestLog.create({
      id: 'c',
      lineage: 'child',
      parentSessionId: 'p',
      rootSessionId: 'r',
      spawnDepth: 2,
    })
    expect(viewOf(child)).toMatchObject({
      lineage: 'child',
      parentSessionId: 'p',
      rootSessionId: 'r',
      spawnDepth: 2,
    })
    const fork = viewOf(child.fork(1))
    expect(fork).toMatchObject({ lineage: 'root', rootSessionId: fork.id, spawnDepth: 0 })
    expect(fork).not.toHaveProperty('parentSessionId')
    const deep = TestLog.create({ spawnDepth: 8 })
    expect(outcomeOf(deep, { type: 'spawnChild', childId: 'x', agentId: 'a', grant: {} })).toBe(
      'limit_exceeded',
    )
  })
})

describe('persistence', () => {
  test('trap: absent taken for unchanged, so that nothing can be cleared', () => {
    const log = TestLog.create({
      title: 'T',
      metadata: { a: 1, b: 2 },
      personaId: 'p',
      seedId: 's',
      reasoningEffort: 'low',
    })
    log.do({ type: 'setInstructions', instructions: 'short' })
    log.do({ type: 'patchMetadata', values: { a: null, c: 3 } })
    expect(viewOf(log).metadata).toEqual({ b: 2, c: 3 })
    log.doAll([
      { type: 'replaceMetadata', values: {} },
      { type: 'rename', title: null, automatic: false },
      { type: 'setSeed', seedId: null },
      { type: 'setPersona', personaId: null },
      { type: 'setEffort', reasoningEffort: null },
      { type: 'setInstructions', instructions: null },
    ])
    const view = viewOf(log)
    expect(view.metadata).toEqual({})
    for (const field of ['title', 'seedId', 'personaId', 'reasoningEffort', 'compressionInstructions'])
      expect(view).not.toHaveProperty(field)
    log.do({ type: 'replaceMetadata', values: null })
    expect(viewOf(log)).not.toHaveProperty('metadata')
  })

  test('trap: absent, null and empty taken for one value', () => {
    const none = viewOf(TestLog.create({ userParticipantId: 'p1', agentParticipantId: 'p2' }))
    const empty = viewOf(TestLog.create({ metadata: {} }))
    expect([sessionRecordView(none, idleRule).metadata, sessionRecordView(empty, idleRule).metadata]).toEqual(
      [null, {}],
    )
    expect(Object.keys(smoothOperatorView(none, idleRule))).not.toContain('metadata')
    expect(Object.values(none)).not.toContain(undefined)
  })

  test('trap: metadata of any JSON value, of strings only, and with the keys of prototypes', () => {
    const log = TestLog.create({ metadata: metadataObject(['a', 1]) })
    expect(sessionRecordView(viewOf(log), log).metadata).toEqual(['a', 1])
    log.do({ type: 'replaceMetadata', values: { text: 'x', number: 1, list: [null] } })
    expect(bambooView({ ...viewOf(log), title: 'T' }, []).metadata).toEqual({
      text: 'x',
      number: '1',
      list: '[null]',
    })
    log.do({ type: 'patchMetadata', values: JSON.parse('{"constructor": 1, "toString": "mine"}') })
    expect(Object.keys(viewOf(log).metadata ?? {})).toEqual([
      'text',
      'number',
      'list',
      'constructor',
      'toString',
    ])
  })

  test('trap: the request for a manual compression saved, logged or returned', () => {
    const log = withProviderContext()
    expect(
      JSON.stringify([log.events, log.state, viewOf(log), bambooView(viewOf(log), messages(log))]),
    ).not.toMatch(/force/i)
  })

  test('trap: clearing derived state clears too much or too little, or moves updated_at', () => {
    const log = withProviderContext()
    log.doAll([
      {
        type: 'setTasks',
        list: { title: 'L', items: [task()] },
      },
      { type: 'setBudget', budget },
      { type: 'setInstructions', instructions: 'i' },
      { type: 'setPrompt', prompt: { sections: [], effectiveText: 'p' } },
      says('keep me', { neverCompress: true, id: 'kept' }, 'steer'),
    ])
    round(log, {
      type: 'measureContext',
      usage: { totalTokens: 5, budgetTokens: 9, systemTokens: 0, summaryTokens: 0, windowTokens: 0 },
    })
    log.do(compacts({ from: 1, to: seqOf(log, 'hello') }, log.head.pathSeq), own)
    log.do({ type: 'openProviderContext', initialTokens: 1, responseId: 'resp-2' }, own)
    log.doAll([asks('q1')], own)
    const before = viewOf(log)
    expect(before).toMatchObject({ contextUsage: { totalTokens: 5 }, compactions: [{}] })
    log.nowMs += 9_000
    log.do({ type: 'clearContext' })
    const { contextUsage: _usage, seq: _seq, version: _version, compactions: _compactions, ...kept } = before
    expect(viewOf(log)).toEqual({ ...kept, compactions: [], seq: before.seq + 1, version: before.seq + 1 })
    expect(log.head.providerContext).toBeUndefined()
    expect(summarySeq(log.state)).toBeUndefined()
    expect(messages(log).find((message) => message.id === 'kept')?.neverCompress).toBe(true)
    expect(log.events.some((event) => event.type === 'compaction.applied')).toBe(true)
  })

  test('trap: a provider response id that outlives a rewrite of history', () => {
    const rewrites: ((log: TestLog) => unknown)[] = [
      (log) =>
        log.do({
          type: 'edit',
          messageId: 'hello',
          message: { role: 'user', parts: [{ type: 'text', text: 'x' }] },
        }),
      (log) => log.do({ type: 'truncate', seq: 1 }),
      (log) => log.do({ type: 'undo' }),
      (log) => log.do(compacts({ from: 1, to: seqOf(log, 'hello') }, log.head.pathSeq)),
      (log) => log.do({ type: 'clearContext' }),
    ]
    for (const rewrite of rewrites) {
      const log = withProviderContext()
      log.do({ type: 'completeRun' }, own)
      expect(log.head.providerContext?.responseId).toBe('resp-1')
      rewrite(log)
      expect(log.head.providerContext).toBeUndefined()
      const appended = log.copy()
      appended.do(says('more'))
      expect(appended.head.providerContext).toBeUndefined()
    }
    expect(withProviderContext().fork(3).head.providerContext).toBeUndefined()
  })

  test('trap: index and body written apart: every ref is a function of the events', () => {
    const log = talk(20)
    let state: ReturnType<typeof foldAll>
    const rebuilt = log.events.flatMap((event) => {
      const before = state?.head
      state = foldAll([...log.events.slice(0, event.seq)])
      return refsOf(before, event, (state as NonNullable<typeof state>).head)
    })
    expect(rebuilt).toEqual(log.refs)
  })

  test('trap: the user message lost because the model was called first', () => {
    const log = inRun()
    log.do({ type: 'failRun', error: 'the model never answered' }, own)
    expect(messages(log).map((message) => message.id)).toEqual(['hello'])
    expect(log.head.run).toMatchObject({ state: 'failed', answers: 'hello' })
    expect(log.events.findIndex((event) => event.type === 'message.appended')).toBeLessThan(
      log.events.findIndex((event) => event.type === 'run.started'),
    )
  })

  test('trap: a storage failure shown as not-found', () => {
    const log = talk(1)
    const deciding = decide(
      log.head,
      { type: 'edit', messageId: 'u1', message: { role: 'user', parts: [{ type: 'text', text: 'x' }] } },
      log.env({}),
    )
    deciding.next()
    expect(() => deciding.throw(new Error('the disk failed'))).toThrow('the disk failed')
  })

  test('trap: a missing tenant taken for all tenants', () => {
    for (const missing of ['', ' ', undefined, null]) expect(() => tenantId(missing as string)).toThrow()
  })

  test('trap: an unknown enum value read as a default', () => {
    const created = TestLog.create().events[0] as FoldEvent
    const foreign = {
      ...created,
      data: { ...(created.data as object), channel: 'pigeon', purpose: 'haunting' },
    }
    const state = foldAll([foreign, { ...created, seq: 2, type: 'session.haunted', data: {} }])
    if (!state) throw new Error('no state')
    const view = sessionView(state, { epoch: 0, owner: undefined, expiresAtMs: undefined }, startMs)
    expect(agentSessionRow(view)).toMatchObject({ channel: 'pigeon', kind: 'haunting' })
    expect(view.seq).toBe(2)
    const critical = foldAll([
      created,
      { ...created, seq: 2, type: 'session.haunted', critical: true, data: {} },
    ])
    expect(critical?.head.readOnly).toBe(true)
  })

  test('trap: times cut to milliseconds, or without a zone', () => {
    const created = TestLog.create().events[0] as FoldEvent
    const at = '2025-05-05T05:05:05.123456789Z'
    const state = foldAll([{ ...created, at }])
    expect(
      state && sessionView(state, { epoch: 0, owner: undefined, expiresAtMs: undefined }, startMs).createdAt,
    ).toBe(at)
    expect(time.safeParse('2025-05-05T05:05:05+00:00').success).toBe(false)
  })
})

describe('history and compaction', () => {
  test('trap: the oldest N replayed instead of the newest N', () => {
    const log = talk(5)
    const newest = newestItems(items(log), 3).map((item) => item.type === 'message' && item.message.id)
    expect(newest).toEqual(['a4', 'u5', 'a5'])
  })

  test('trap: a call parted from its result by paging, truncation, fork or compaction', () => {
    const log = TestLog.create()
    log.doAll([says('go'), calls('c1', 'c2'), result('c1'), result('c2'), says('more', { id: 'more' })])
    const inside = log.events.find((event) => event.type === 'tool.finished')?.seq ?? 0
    expect(newestItems(items(log), 2)).toHaveLength(4)
    expect(outcomeOf(log, { type: 'truncate', seq: inside })).toBe('fork_inside_round')
    expect(() => log.fork(inside)).toThrow(expect.objectContaining({ code: 'fork_inside_round' }))
    expect(outcomeOf(log, compacts({ from: 1, to: inside }, 0))).toBe('invalid_compaction')
    expect(outcomeOf(log, compacts({ from: inside, to: seqOf(log, 'more') }, 0))).toBe('invalid_compaction')
    expect(outcomeOf(log, compacts({ from: 1, to: inside + 1 }, 0))).toBe('compaction.applied')
  })

  test('trap: a call left open by a crash makes the next request invalid, or is run again', () => {
    const log = inRun()
    log.doAll([{ type: 'startRound' }, calls('c1', 'c2'), result('c2', 'real')], own)
    const before = sent(log)
    expect(before.slice(-2).map((message) => message.parts[0])).toMatchObject([
      { callId: 'c1', output: 'interrupted, outcome unknown', outcome: 'unknown' },
      { callId: 'c2', output: 'real' },
    ])
    log.nowMs += worker.ttlMs
    log.do({ type: 'takeOverRun', owner: 'worker-2', ttlMs: 60_000 })
    log.do({ type: 'closeCalls', reason: 'recovery' }, own)
    expect(log.types(result('c1', 'late'), own)).toEqual(['note.added'])
    const results = sent(log).flatMap((message) =>
      message.parts.filter((part) => part.type === 'tool_result'),
    )
    expect(results.map((part) => part.type === 'tool_result' && part.callId)).toEqual(['c1', 'c2'])
    expect(JSON.stringify(sent(log))).toContain('arrived late')
  })

  test('trap: a compaction racing an append or an edit', () => {
    const log = talk(3)
    const compaction = compacts({ from: 1, to: seqOf(log, 'a2') }, log.head.pathSeq)
    const edited = log.copy()
    log.do(says('meanwhile'))
    expect(outcomeOf(log, compaction)).toBe('compaction.applied')
    edited.do({
      type: 'edit',
      messageId: 'u3',
      message: { role: 'user', parts: [{ type: 'text', text: 'other' }] },
    })
    expect(outcomeOf(edited, compaction)).toBe('path_changed')
  })

  test('trap: a summary stored empty, or larger than what it stands for; the one before is lost', () => {
    const log = talk(4)
    log.do(compacts({ from: 1, to: seqOf(log, 'a1') }, log.head.pathSeq, { summary: 'First.' }))
    const to = seqOf(log, 'a2')
    const next = (fields: Parameters<typeof compacts>[2]) =>
      outcomeOf(log, compacts({ from: 1, to }, log.head.pathSeq, fields))
    expect(next({ summary: ' \n' })).toBe('invalid_compaction')
    expect(next({ tokensAfter: 100 })).toBe('invalid_compaction')
    expect(next({ summaryTokens: 100 })).toBe('invalid_compaction')
    log.do({ type: 'failCompaction', compactionId: 'c', trigger: 'manual', reason: 'blank summary' })
    expect(items(log)[0]).toMatchObject({ type: 'summary', text: 'First.' })
  })

  test('trap: an incremental summary that forgets the old one, or counts only the new range', () => {
    const log = talk(4)
    log.do(compacts({ from: 1, to: seqOf(log, 'a1') }, log.head.pathSeq, { messagesCovered: 2 }))
    const cut = compacts({ from: seqOf(log, 'a1'), to: seqOf(log, 'a2') }, log.head.pathSeq)
    expect(outcomeOf(log, cut)).toBe('invalid_compaction')
    const [applied] = log.do(
      compacts({ from: 1, to: seqOf(log, 'a2') }, log.head.pathSeq, {
        messagesCovered: 4,
        summary: 'All of it.',
      }),
    )
    expect(applied?.data).toMatchObject({ supersedes: [`c1-${seqOf(talk(4), 'a1')}`] })
    const newest = log.events[(summarySeq(log.state) ?? 0) - 1] as FoldEvent
    expect(summaryOf(newest)).toMatchObject({ text: 'All of it.', messagesCovered: 4 })
    expect(items(log).map((item) => (item.type === 'message' ? item.message.id : item.type))).toEqual([
      'summary',
      'u3',
      'a3',
      'u4',
      'a4',
    ])
    expect(messages(log)).toHaveLength(8)
  })

  test('trap: a small window that triggers at once, a target above the trigger', () => {
    for (const window of [1_000, 8_000, 64_000, 99_999, 100_000, 128_000, 1_000_000]) {
      for (const reserve of [0, 50_000]) {
        const resolved = resolveBudget({
          ...budget,
          maxContextTokens: window,
          workingReserveTokens: reserve,
          targetPercent: 99,
          triggerPercent: 30,
        })
        expect(resolved.targetTokens).toBeLessThan(resolved.triggerTokens)
        expect(resolved.triggerTokens).toBeLessThanOrEqual(resolved.roomTokens)
        expect(resolved.triggerTokens).toBeGreaterThanOrEqual(reserve === 0 ? window * 0.29 : window * 0.4)
      }
    }
  })

  test('trap: byte limits measured in UTF-16 units, a surrogate pair halved, trimming that never ends', () => {
    const text = '😀'.repeat(70_000)
    expect(text.length).toBeLessThan(256 * 1024)
    const short = shortenText(text)
    expect(short.isWellFormed()).toBe(true)
    expect(Buffer.byteLength(short)).toBeLessThan(225 * 1024)
    expect(short).toContain(`the output had ${Buffer.byteLength(text)} bytes, ${(160 + 64) * 1024} are kept`)
    expect(shortenText(short)).toBe(short)
    const log = TestLog.create()
    log.doAll([calls('c1', 'c2'), result('c1', { text }), result('c2', 'small')])
    const once = compactOversizedToolMessages(messages(log))
    expect(once.changed).toBe(1)
    expect(compactOversizedToolMessages(once.messages)).toEqual({ messages: once.messages, changed: 0 })
  })

  test('trap: a model reference split on the last slash', () => {
    expect(splitModel('openrouter/meta/llama/3')).toEqual({ providerId: 'openrouter', model: 'meta/llama/3' })
    expect(['bare', '/x', 'x/'].map((text) => splitModel(text))).toEqual([
      { model: 'bare' },
      { model: '/x' },
      { model: 'x/' },
    ])
  })
})

describe('interaction', () => {
  test('trap: a wrong answer closes the question, a right one is taken twice, a stale one answers a newer question', () => {
    const log = inRun()
    log.do(asks('q1'), own)
    const answer = (questionId: string, value: string) =>
      outcomeOf(log, { type: 'answerQuestion', questionId, answer: value })
    expect(answer('q1', 'c')).toBe('invalid_answer')
    expect(log.head.question?.questionId).toBe('q1')
    expect([answer('q1', 'a'), answer('q1', 'a')]).toEqual(['question.answered', 'question_not_open'])
    log.do({ type: 'resumeRun', ...worker })
    expect(outcomeOf(log, asks('q1'), own)).toBe('duplicate_id')
    log.do(asks('q2'), own)
    expect(answer('q1', 'a')).toBe('question_not_open')
    expect(log.head.question?.questionId).toBe('q2')
  })

  test('trap: completing a task with unmet criteria fails, or succeeds in silence', () => {
    const log = TestLog.create()
    log.do({
      type: 'setTasks',
      list: {
        title: 'L',
        items: [task({ completionCriteria: ['Tests pass', 'Docs  Done'], notes: 'mine' })],
      },
    })
    const complete = (criteriaMet: string[]) =>
      log.do({ type: 'updateTask', update: { itemId: 't1', status: 'completed', criteriaMet } })[0]?.data
    expect(complete(['1'])).toMatchObject({
      status: 'in_progress',
      notes: 'mine\nKept in progress: 1 of 2 completion criteria not met.',
    })
    expect(complete([' docs done '])).toMatchObject({ status: 'completed' })
  })

  test('trap: a cancel detected from text, two terminal events', () => {
    const log = inRun()
    log.do({ type: 'stopRun', reason: 'enough' })
    expect(viewOf(log).run?.stopRequested).toBe(true)
    log.doAll([answers('partial', { finish: 'interrupted' }), { type: 'cancelRun', reason: 'enough' }], own)
    expect(viewOf(log).run).toMatchObject({ state: 'cancelled', stopRequested: false })
    expect(outcomeOf(log, { type: 'cancelRun' })).toBe('no_live_run')
    expect(messages(log).at(-1)?.finish).toBe('interrupted')
  })

  test('trap: late usage and late outcomes lost to those who look afterwards', () => {
    const log = inRun()
    log.doAll([{ type: 'failRun', error: 'cut off' }], own)
    log.do({ type: 'close', cancel: false })
    log.do(usage('late'))
    expect(log.head.counters.promptTokens).toBe(100)
    expect(viewOf(log)).toMatchObject({ status: 'failed', outcome: 'failed' })
  })

  test('trap: a view that makes up what the session lacks', () => {
    const bare = viewOf(TestLog.create({ providerId: undefined, model: undefined }))
    const views = [
      () => smoothOperatorView(bare, idleRule),
      () => oxiosView(bare, []),
      () => sessionRecordView(bare, idleRule),
      () => agentSessionRow(bare),
      () => bambooView(bare, []),
    ]
    for (const view of views) expect(codeOf(view)).toBe('view_incomplete')
  })
})

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return isHoldfastError(error) ? error.code : String(error)
  }
}
