import { isHoldfastError } from '@holdfast/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fold } from '../session/fold/index.ts'
import { refsOf } from '../session/projections.ts'
import type { State } from '../session/state.ts'
import { TestLog } from '../session/testing/log.ts'
import { commandOf, ops, type Step } from '../session/testing/random.ts'
import { type Plan, planWrite, type WriteEnv } from './plan.ts'

const steps = fc.array(fc.record({ op: fc.constantFrom(...ops), n: fc.nat(1_000) }), { maxLength: 40 })
const batch = fc.array(
  fc.record({
    op: fc.constantFrom('user', 'answer', 'call', 'result', 'usage', 'truncate', 'undo', 'edit'),
    n: fc.nat(1_000),
  }),
  { minLength: 1, maxLength: 6 },
) as fc.Arbitrary<Step[]>

test('a batch leaves the state that it was planned on, and its own state and refs are those of its events', () => {
  let planned = 0
  fc.assert(
    fc.property(steps, batch, (before, commands) => {
      const log = played(before)
      const start = structuredClone(log.state)
      const plan = planOn(log, commands)
      expect(log.state).toEqual(start)
      if (!plan) return
      planned += 1
      let state: State = start
      const refs = plan.events.flatMap((event) => {
        const last = state
        state = fold(state, event)
        return refsOf(last.head, event, state.head)
      })
      expect(plan.state).toEqual(state)
      expect(plan.refs).toEqual(refs)
    }),
    { numRuns: 300 },
  )
  expect(planned).toBeGreaterThan(50)
})

function played(sequence: readonly Step[]): TestLog {
  const log = TestLog.create()
  for (const step of sequence) {
    const { command, caller } = commandOf(log, step)
    unlessRefused(() => log.do(command, caller))
  }
  return log
}

function planOn(log: TestLog, batch: readonly Step[]): Plan | undefined {
  const commands = batch.map((step) => commandOf(log, step).command)
  const { lease: _lease, epoch: _epoch, expectedVersion: _version, ...env } = log.env({})
  const terms = { ...env, traceId: undefined, expectedVersion: undefined, dropDrafts: undefined } as const
  const own: WriteEnv = { ...terms, epoch: log.head.run === undefined ? undefined : log.lease.epoch }
  return unlessRefused(() => log.drive(planWrite(log.state, log.lease, commands, own)))
}

function unlessRefused<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return undefined
  }
}
