import { expect, test } from 'vitest'
import { type Model, type Recorded, whyNotLinear } from './check.ts'

/** A register: `set` writes, `get` was answered with what it read. */
type Op = { set: number } | { get: number }

const register: Model<number, Op> = {
  initial: 0,
  apply: (state, op) => {
    if ('set' in op) return [op.set]
    return op.get === state ? [state] : []
  },
  digest: String,
}

const at = (begin: number, end: number | undefined, op: Op): Recorded<Op> => ({
  op,
  begin,
  ...(end !== undefined && { end }),
})

test.each<[string, boolean, Recorded<Op>[]]>([
  ['nothing', true, []],
  ['a read after a write', true, [at(1, 2, { set: 1 }), at(3, 4, { get: 1 })]],
  ['a stale read', false, [at(1, 2, { set: 1 }), at(3, 4, { get: 0 })]],
  ['a read beside a write, before it', true, [at(1, 4, { set: 1 }), at(2, 3, { get: 0 })]],
  ['a read beside a write, after it', true, [at(1, 4, { set: 1 }), at(2, 3, { get: 1 })]],
  ['two reads that go back', false, [at(1, 9, { set: 1 }), at(2, 3, { get: 1 }), at(4, 5, { get: 0 })]],
  ['what nobody wrote', false, [at(1, 2, { set: 1 }), at(3, 4, { get: 2 })]],
  [
    'a write without an answer that took effect later',
    true,
    [at(1, undefined, { set: 1 }), at(3, 4, { get: 0 }), at(5, 6, { get: 1 })],
  ],
  ['a write without an answer that never did', true, [at(1, undefined, { set: 1 }), at(3, 4, { get: 0 })]],
  [
    'one that came and went',
    false,
    [at(1, undefined, { set: 1 }), at(3, 4, { get: 1 }), at(5, 6, { get: 0 })],
  ],
  [
    'two writers at once, seen in one order by all',
    true,
    [at(1, 4, { set: 1 }), at(1, 4, { set: 2 }), at(5, 6, { get: 1 }), at(5, 6, { get: 1 })],
  ],
  [
    'two writers at once, seen in two orders',
    false,
    [at(1, 4, { set: 1 }), at(1, 4, { set: 2 }), at(5, 6, { get: 1 }), at(7, 8, { get: 2 })],
  ],
])('%s: %s', (_what, isLinear, history) => {
  expect(whyNotLinear(history, register) === undefined).toBe(isLinear)
})

test('what is stuck says how far it came and what could have been next', () => {
  const history = [at(1, 2, { set: 1 }), at(3, 4, { get: 1 }), at(5, 6, { get: 7 })]
  expect(whyNotLinear(history, register)).toEqual({ placed: 2, next: [{ get: 7 }] })
})
