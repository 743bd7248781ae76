import { type SpendLimits, tokenBudget } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import type { Command } from '../command.ts'
import { calls, startRun, usage } from '../testing/commands.ts'
import { TestLog } from '../testing/log.ts'
import { outcomeOf } from '../testing/states.ts'
import { decide } from './index.ts'

const own = { own: true }

function limited(spend: SpendLimits): TestLog {
  const log = TestLog.create()
  log.do({ type: 'setBudget', budget: tokenBudget.parse({ spend }) })
  log.do(startRun())
  return log
}

function reserve(log: TestLog, fields: Partial<Command<'reserveBudget'>>): string {
  return outcomeOf(log, { type: 'reserveBudget', tokens: 0, costMicrocents: 0, toolCalls: 0, ...fields }, own)
}

function spawn(log: TestLog, childId: string, grant: Command<'spawnChild'>['grant']): string {
  return outcomeOf(log, { type: 'spawnChild', childId, agentId: 'agent-2', grant }, own)
}

function finish(log: TestLog, childId: string, tokens = 0): string {
  return outcomeOf(log, {
    type: 'finishChild',
    childId,
    outcome: 'completed',
    spent: { tokens, costMicrocents: 0, toolCalls: 0 },
  })
}

describe('reserving', () => {
  test('up to what remains is granted, one more is refused', () => {
    const log = limited({ tokens: 1_000 })
    log.do(usage('a1'), own)
    expect([
      reserve(log, { tokens: 881 }),
      reserve(log, { tokens: 880 }),
      reserve(log, { tokens: 1 }),
    ]).toEqual(['budget_exceeded', 'budget.reserved', 'budget_exceeded'])
  })

  test('tells what remains', () => {
    const log = limited({ costMicrocents: 10 })
    expect(() => log.do({ type: 'reserveBudget', tokens: 0, costMicrocents: 11, toolCalls: 0 }, own)).toThrow(
      expect.objectContaining({
        code: 'budget_exceeded',
        details: { amount: 'costMicrocents', remaining: 10, wanted: 11 },
      }),
    )
  })

  test('counts tool calls that were made', () => {
    const log = limited({ toolCalls: 3 })
    log.doAll([{ type: 'startRound' }, calls('c1', 'c2')], own)
    expect([reserve(log, { toolCalls: 2 }), reserve(log, { toolCalls: 1 })]).toEqual([
      'budget_exceeded',
      'budget.reserved',
    ])
  })

  test('without a known price is refused under a money limit, and free of it otherwise', () => {
    const unknown = { type: 'reserveBudget', tokens: 5, toolCalls: 0 } as const
    expect(outcomeOf(limited({ costMicrocents: 10 }), unknown, own)).toBe('price_unknown')
    expect(outcomeOf(limited({ tokens: 10 }), unknown, own)).toBe('budget.reserved')
  })

  test('beyond the limit of open reservations, or twice under one id, is refused', () => {
    const log = limited({})
    for (let i = 0; i < 32; i++) expect(reserve(log, { reservationId: `r${i}` })).toBe('budget.reserved')
    expect(reserve(log, { reservationId: 'r1' })).toBe('duplicate_id')
    expect(reserve(log, { reservationId: 'r32' })).toBe('limit_exceeded')
  })

  test('belongs to the worker of the run, and to anyone while there is none', () => {
    const wanted = { type: 'reserveBudget', tokens: 6, toolCalls: 0 } as const
    const log = limited({ tokens: 10 })
    expect(outcomeOf(log, wanted)).toBe('run_live')
    log.do({ type: 'completeRun' }, own)
    expect([outcomeOf(log, wanted), outcomeOf(log, wanted)]).toEqual(['budget.reserved', 'budget_exceeded'])
  })
})

describe('settling', () => {
  test('frees what was reserved, once', () => {
    const log = limited({ tokens: 10 })
    reserve(log, { reservationId: 'r1', tokens: 10 })
    const settle = { type: 'settleBudget', reservationId: 'r1' } as const
    expect([outcomeOf(log, settle, own), outcomeOf(log, settle, own)]).toEqual([
      'budget.settled',
      'reservation_not_open',
    ])
    expect(reserve(log, { tokens: 10 })).toBe('budget.reserved')
  })

  test('an overrun is recorded and leaves nothing to reserve', () => {
    const log = limited({ tokens: 100 })
    reserve(log, { reservationId: 'r1', tokens: 100 })
    log.doAll([usage('a1'), { type: 'settleBudget', reservationId: 'r1' }], own)
    expect(log.head.counters.promptTokens).toBe(100)
    expect([reserve(log, { tokens: 1 }), reserve(log, {})]).toEqual(['budget_exceeded', 'budget_exceeded'])
  })

  test('is done for the run when it ends, however it ends', () => {
    const log = limited({ tokens: 10 })
    reserve(log, { reservationId: 'r1', tokens: 10 })
    expect(log.types({ type: 'failRun', error: 'crashed' }, own)).toEqual(['budget.settled', 'run.failed'])
    expect(log.head.spend.reservedTokens).toBe(0)
    expect(log.state.parts.budget?.reservations).toEqual([])
  })

  test('is done for reservations of nothing too, however many runs leave one', () => {
    const log = TestLog.create()
    for (let i = 0; i < 40; i++) {
      log.do(startRun())
      expect(reserve(log, {})).toBe('budget.reserved')
      expect(log.types({ type: 'failRun', error: 'crashed' }, own)).toEqual(['budget.settled', 'run.failed'])
    }
    expect(log.state.parts.budget?.reservations).toEqual([])
  })

  test('reads no reservations where a run has left none', () => {
    const log = limited({ tokens: 10 })
    for (const tokens of [0, 5]) {
      reserve(log, { reservationId: 'r', tokens })
      log.do({ type: 'settleBudget', reservationId: 'r' }, own)
    }
    const ending = decide(log.head, { type: 'failRun', error: 'crashed' }, log.env(own))
    const reads: unknown[] = []
    for (let step = ending.next(); !step.done; step = ending.next([])) reads.push(step.value)
    expect(reads).toEqual([{ read: 'drafts' }])
  })
})

describe('children', () => {
  test('are granted from the remainder, and give the rest back when they finish', () => {
    const log = limited({ tokens: 100 })
    expect([
      spawn(log, 'c1', { tokens: 101 }),
      spawn(log, 'c1', { tokens: 60 }),
      spawn(log, 'c2', { tokens: 50 }),
    ]).toEqual(['budget_exceeded', 'child.spawned', 'budget_exceeded'])
    expect(finish(log, 'c1', 30)).toBe('child.finished')
    expect([spawn(log, 'c2', { tokens: 71 }), spawn(log, 'c2', { tokens: 70 })]).toEqual([
      'budget_exceeded',
      'child.spawned',
    ])
  })

  test('of a limited parent need an explicit grant of what is limited', () => {
    expect(spawn(limited({ tokens: 100 }), 'c1', {})).toBe('budget_exceeded')
    expect(spawn(limited({ tokens: 100 }), 'c1', { tokens: 0 })).toBe('child.spawned')
    expect(spawn(limited({}), 'c1', {})).toBe('child.spawned')
  })

  test('finish once; telling it again changes nothing; one never spawned is an error', () => {
    const log = limited({})
    spawn(log, 'c1', {})
    expect([finish(log, 'c1', 5), finish(log, 'c1', 5), finish(log, 'c9')]).toEqual([
      'child.finished',
      'nothing',
      'child_not_open',
    ])
    expect(log.head.spend.childTokens).toBe(5)
    expect(spawn(log, 'c1', {})).toBe('duplicate_id')
  })

  test('finish after their parent has closed', () => {
    const log = limited({})
    spawn(log, 'c1', {})
    log.do({ type: 'close', cancel: true })
    expect(finish(log, 'c1')).toBe('child.finished')
    expect(log.head.openChildren).toBe(0)
  })

  test('that a new wait is for are counted anew', () => {
    const log = limited({})
    spawn(log, 'c1', {})
    log.do({ type: 'suspendRun', reason: 'children', waitFor: 'any' }, own)
    finish(log, 'c1')
    expect(log.state.parts.children).toMatchObject({ finished: 1, failed: 0 })
    log.do({ type: 'resumeRun', owner: 'w', ttlMs: 1_000 })
    spawn(log, 'c2', {})
    log.do({ type: 'suspendRun', reason: 'children', waitFor: 'any' }, own)
    expect(log.state.parts.children).toMatchObject({ finished: 0, failed: 0, open: [{ childId: 'c2' }] })
  })

  test('beyond the limit of open ones are refused', () => {
    const log = limited({})
    for (let i = 0; i < 64; i++) spawn(log, `c${i}`, {})
    expect(spawn(log, 'c64', {})).toBe('limit_exceeded')
  })
})
