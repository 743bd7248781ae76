import { tokenBudget } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import { answers, calls, compacts, result, says, startRun } from '../testing/commands.ts'
import { TestLog } from '../testing/log.ts'
import { outcomeOf } from '../testing/states.ts'

const own = { own: true }

function measure(log: TestLog, totalTokens: number): unknown[] {
  const usage = { totalTokens, budgetTokens: 1_000, systemTokens: 0, summaryTokens: 0, windowTokens: 0 }
  return log
    .do({ type: 'measureContext', usage })
    .slice(1)
    .map((event) => event.data)
}

describe('measuring', () => {
  const budgeted = () => {
    const log = TestLog.create()
    // 1,350 − 250 output − 100 margin: 1,000 tokens of room.
    log.do({
      type: 'setBudget',
      budget: tokenBudget.parse({ maxContextTokens: 1_350, maxOutputTokens: 250 }),
    })
    return log
  }

  test.each([
    [699, undefined],
    [700, 'elevated'],
    [899, 'elevated'],
    [900, 'high'],
    [979, 'high'],
    [980, 'critical'],
    [2_000, 'critical'],
  ] as const)('%i of 1,000 tokens is pressure %s', (tokens, level) => {
    expect(measure(budgeted(), tokens)).toEqual(
      level ? [{ level, percent: Math.floor(tokens / 10), tokens, ofTokens: 1_000 }] : [],
    )
  })

  test('says each threshold once, and again after it was left', () => {
    const log = budgeted()
    const levels = [600, 710, 750, 950, 910, 990, 100, 700].map((tokens) =>
      measure(log, tokens).map((data) => (data as { level: string }).level),
    )
    expect(levels).toEqual([[], ['elevated'], [], ['high'], [], ['critical'], [], ['elevated']])
  })

  test('without a budget goes by the default window', () => {
    const log = TestLog.create()
    // 128,000 − 16,384 output − 1,280 margin.
    expect(measure(log, 110_336)).toMatchObject([{ level: 'critical', ofTokens: 110_336, percent: 100 }])
  })

  test('is replaced by the next measure: a snapshot, not a sum', () => {
    const log = budgeted()
    measure(log, 10)
    measure(log, 20)
    expect(log.state.parts.context?.usage?.totalTokens).toBe(20)
  })

  test('keeps what the measured call was sent, and nothing of a call that was measured without it', () => {
    const log = budgeted()
    const usage = { totalTokens: 1, budgetTokens: 1, systemTokens: 0, summaryTokens: 0, windowTokens: 1 }
    const manifest = { blocks: [], bytes: 0, tokens: 1 }
    const cacheBreak = {
      kind: 'tools',
      change: 'changed',
      fromByte: 0,
      toByte: 2,
      fromToken: 0,
      rereadTokens: 1,
    } as const
    const [measured] = log.do({ type: 'measureContext', usage, manifest, cacheBreak })
    expect(measured?.data).toEqual({ ...usage, manifest, cacheBreak })
    expect(log.state.parts.context).toEqual({ usage: { ...usage, measuredAt: measured?.at }, manifest })
    measure(log, 2)
    expect(log.state.parts.context).not.toHaveProperty('manifest')
  })
})

test('trimming goes forward only, and not beyond the end', () => {
  const log = TestLog.create()
  log.doAll([says('a'), says('b'), says('c')])
  const trim = (throughSeq: number) => outcomeOf(log, { type: 'trimContext', trimmed: 1, throughSeq })
  expect([trim(3), trim(3), trim(2), trim(99), trim(4)]).toEqual([
    'context.trimmed',
    'nothing',
    'nothing',
    'invalid_input',
    'context.trimmed',
  ])
})

describe('a compaction', () => {
  /** created, activated, then u at 3, calls at 4–6, results at 7–8, an answer at 9, u at 10, an answer at 11. */
  function history(): TestLog {
    const log = TestLog.create()
    log.doAll([
      says('u'),
      calls('c1', 'c2'),
      result('c1'),
      result('c2'),
      answers('a'),
      says('u'),
      answers('a'),
    ])
    return log
  }

  const apply = (log: TestLog, from: number, to: number, fields: Parameters<typeof compacts>[2] = {}) =>
    outcomeOf(log, compacts({ from, to }, log.head.pathSeq, fields))

  test.each([
    [1, 3, 'compaction.applied'],
    [1, 4, 'invalid_compaction'],
    [1, 5, 'invalid_compaction'],
    [1, 7, 'invalid_compaction'],
    [1, 8, 'compaction.applied'],
    [4, 8, 'compaction.applied'],
    [7, 9, 'invalid_compaction'],
    [8, 9, 'invalid_compaction'],
    [9, 9, 'compaction.applied'],
    [1, 11, 'compaction.applied'],
    [3, 2, 'invalid_compaction'],
    [1, 12, 'invalid_compaction'],
  ] as const)('of %i to %i gives %s', (from, to, outcome) => expect(apply(history(), from, to)).toBe(outcome))

  test('at the open end of a call is refused', () => {
    const log = TestLog.create()
    log.doAll([says('u'), calls('c1')])
    expect(apply(log, 1, log.head.seq)).toBe('invalid_compaction')
  })

  test('is disjoint from older ones, or contains them whole and supersedes them', () => {
    const log = history()
    expect([apply(log, 4, 8), apply(log, 9, 9)]).toEqual(['compaction.applied', 'compaction.applied'])
    expect([apply(log, 1, 8, { compactionId: 'x' }), apply(log, 3, 8, { compactionId: 'c4-8' })]).toEqual([
      'compaction.applied',
      'duplicate_id',
    ])
    expect(log.state.parts.compaction?.overlays.map((overlay) => overlay.compactionId)).toEqual(['x', 'c9-9'])
    expect([apply(log, 3, 9, { compactionId: 'y' }), apply(log, 1, 9, { compactionId: 'z' })]).toEqual([
      'invalid_compaction',
      'compaction.applied',
    ])
    expect(log.events.at(-1)?.data).toMatchObject({ supersedes: ['x', 'c9-9'] })
    expect(log.state.parts.compaction?.records).toHaveLength(4)
  })

  test('belongs to the worker of a live run', () => {
    const log = history()
    log.do(startRun())
    expect(apply(log, 1, 3)).toBe('run_elsewhere')
    log.do(compacts({ from: 1, to: 3 }, log.head.pathSeq), own)
    expect(log.events.at(-1)).toMatchObject({ type: 'compaction.applied', runId: log.head.run?.runId })
  })

  test('of a range that left the path is refused', () => {
    const log = history()
    log.do({ type: 'undo' })
    expect(apply(log, 1, 10)).toBe('invalid_compaction')
    expect(apply(log, 1, 9)).toBe('compaction.applied')
  })

  test('stays after a truncation behind its range, and goes with one inside it', () => {
    const log = history()
    apply(log, 1, 3)
    const inside = log.copy()
    log.do({ type: 'truncate', seq: 9 })
    expect(log.state.parts.compaction?.overlays).toHaveLength(1)
    inside.do({ type: 'truncate', seq: 2 })
    expect(inside.state.parts.compaction?.overlays).toEqual([])
  })

  test('comes back with the undo that took it away, unless one was made since over its place, or the context cleared', () => {
    const inForce = ({ state }: TestLog) =>
      state.parts.compaction?.overlays.map((overlay) => overlay.compactionId)
    const log = history()
    apply(log, 1, 3)
    apply(log, 4, 11)
    const before = inForce(log)
    log.do({ type: 'undo' })
    expect(inForce(log)).toEqual(['c1-3'])
    log.do({ type: 'undo' })
    const [cleared, other] = [log.copy(), log.copy()]
    log.doAll([{ type: 'redo' }, { type: 'redo' }])
    expect(inForce(log)).toEqual(before)
    cleared.doAll([{ type: 'clearContext' }, { type: 'redo' }, { type: 'redo' }])
    expect(inForce(cleared) ?? []).toEqual([])
    apply(other, 1, 2, { compactionId: 'since' })
    other.doAll([{ type: 'redo' }, { type: 'redo' }])
    expect(inForce(other)).toEqual(['since', 'c4-11'])
  })

  test('beyond the limit of those in force is refused, unless it supersedes', () => {
    const log = TestLog.create()
    log.do(says('first'))
    for (let i = 0; i < 64; i++) {
      log.do(says('more'))
      log.do(compacts({ from: log.head.seq, to: log.head.seq }, log.head.pathSeq))
    }
    log.do(says('one more'))
    expect(apply(log, log.head.seq, log.head.seq)).toBe('limit_exceeded')
    expect(apply(log, 1, log.head.seq)).toBe('compaction.applied')
  })
})
