import fc from 'fast-check'
import { expect, test } from 'vitest'
import { usage } from '../session/testing/commands.ts'
import { TestLog } from '../session/testing/log.ts'
import { noUsage, sumUsage } from './totals.ts'

test('no rows sum to nothing', () => expect(sumUsage([])).toEqual(noUsage))

test('failed and cut-off attempts are rows too; an unknown cost is counted, not added', () => {
  const rows = [
    usage('a1').usage,
    usage('a2', { status: 'failed', completionTokens: 0, reasoningTokens: 0 }).usage,
    usage('a3', { status: 'aborted', estimated: true, costMicrocents: undefined, costSource: 'unknown' })
      .usage,
  ]
  expect(sumUsage(rows)).toEqual({
    attempts: 3,
    promptTokens: 300,
    completionTokens: 40,
    reasoningTokens: 10,
    cachedReadTokens: 120,
    cachedWriteTokens: 30,
    consumedTokens: 340,
    costMicrocents: 2_000,
    costEstimated: true,
    costUnknown: 1,
  })
})

test('the counters of a session are the sum of its rows, whatever was recorded twice', () => {
  const attempts = fc.array(
    fc.record({ id: fc.nat(6), promptTokens: fc.integer({ min: 50, max: 900 }), known: fc.boolean() }),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(attempts, (list) => {
      const log = TestLog.create()
      const rows = new Map<number, Parameters<typeof sumUsage>[0] extends Iterable<infer Row> ? Row : never>()
      for (const { id, promptTokens, known } of list) {
        const cost = known ? {} : { costMicrocents: undefined, costSource: 'unknown' as const }
        const command = usage(`a${id}`, { promptTokens, ...cost })
        log.do(command)
        if (!rows.has(id)) rows.set(id, command.usage)
      }
      const { attempts: _attempts, consumedTokens: _consumed, ...totals } = sumUsage(rows.values())
      expect(log.head.counters).toMatchObject(totals)
    }),
  )
})
