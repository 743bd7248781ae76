import fc from 'fast-check'
import { expect, test } from 'vitest'
import { externalId, type Ids, id, messageId, tenantId, uuidv7Ids } from './index.ts'

const take = (ids: Ids, count: number) => Array.from({ length: count }, () => ids.next())

/** A small generator of its own, so that a run can be repeated. */
function randomUint32(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
}

test('an id is safe in a path, a cursor and a log line', () => {
  for (const good of ['a', '_', '0', 'a.b-c@d_e', '__proto__', 'a'.repeat(128)])
    expect(id.parse(good)).toBe(good)
  for (const bad of [
    '',
    ' ',
    '.',
    '..',
    '-a',
    '@a',
    'a/b',
    'a:b',
    'a b',
    'a\n',
    'a\u0000',
    'é',
    'a'.repeat(129),
  ]) {
    expect(id.safeParse(bad).success).toBe(false)
  }
})

test('a name from another system may hold any printable text', () => {
  for (const good of ['gpt-5', 'acme/a b', 'Ωmega 🤖', 'a'.repeat(256)])
    expect(externalId.parse(good)).toBe(good)
  for (const bad of ['', ' ', '\u3000', 'a\u0000', 'a\nb', '\u007f', '\u0085', 'a\u2028', 'a'.repeat(257)]) {
    expect(externalId.safeParse(bad).success).toBe(false)
  }
})

test('a chosen message id never looks like a seq', () => {
  expect(messageId.safeParse('12').success).toBe(false)
  expect(messageId.parse('12a')).toBe('12a')
})

test('a blank tenant is refused', () => {
  expect(() => tenantId('')).toThrow()
  expect(tenantId('acme')).toBe('acme')
})

test('made ids are ids, and UUIDs of version 7', () => {
  for (const made of take(uuidv7Ids(Date.now), 100)) {
    expect(id.parse(made)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
})

test('made ids rise, also within a millisecond', () => {
  const made = take(
    uuidv7Ids(() => 1_700_000_000_000),
    10_000,
  )
  expect(made).toEqual([...made].sort())
  expect(new Set(made).size).toBe(made.length)
})

test('made ids rise while the clock goes back by less than ten seconds', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9_999), { minLength: 2 }), (offsets) => {
      let call = 0
      const ids = uuidv7Ids(() => 1_700_000_000_000 + (offsets[call++] ?? 0))
      const made = take(ids, offsets.length)
      expect(made).toEqual([...made].sort())
    }),
  )
})

test('the same clock and randomness make the same ids', () => {
  const make = (seed: number) =>
    take(
      uuidv7Ids(() => 1_700_000_000_000, randomUint32(seed)),
      5,
    )
  expect(make(7)).toEqual(make(7))
  expect(make(7)).not.toEqual(make(8))
})

test('an id begins with its time', () => {
  const made = uuidv7Ids(() => 1_700_000_000_123.9).next()
  expect(Number.parseInt(made.replace('-', '').slice(0, 12), 16)).toBe(1_700_000_000_123)
})
