import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor, idPattern, START } from './index.ts'

test('a cursor comes back from its text as it was', () => {
  const draft = fc.record({ draftId: fc.stringMatching(idPattern), chunk: fc.maxSafeNat() })
  const cursor = fc.record({ seq: fc.maxSafeNat(), draft }, { requiredKeys: ['seq'] })
  fc.assert(
    fc.property(cursor, (given) => {
      expect(decodeCursor(encodeCursor(given))).toEqual(given)
    }),
  )
})

test('the start is 0', () => {
  expect(encodeCursor(START)).toBe('0')
})

test('a place inside a draft is written seq, draft, chunk', () => {
  expect(encodeCursor({ seq: 12, draft: { draftId: 'draft_id', chunk: 3 } })).toBe('12:draft_id:3')
})

test('a text that decodes is the only text of its cursor', () => {
  const piece = fc.constantFrom('0', '1', '12', '01', '-1', ' 1', '1.0', '1e1', ':', 'a', '..', '')
  const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(text, (given) => {
      try {
        expect(encodeCursor(decodeCursor(given))).toBe(given)
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid_cursor' })
      }
    }),
  )
})

for (const text of [
  '',
  '-1',
  '01',
  '1.5',
  '1e3',
  '9007199254740992',
  '1:',
  '1:a',
  '1:a:',
  '1:../b:1',
  '1:a:1:2',
  '1\n',
]) {
  test(`${JSON.stringify(text)} is no cursor`, () => {
    expect(() => decodeCursor(text)).toThrow(expect.objectContaining({ code: 'invalid_cursor' }))
  })
}
