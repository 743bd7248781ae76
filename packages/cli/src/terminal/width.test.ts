import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cut, padEnd, padStart, widthOf, wrap } from './width.ts'

test.each([
  ['abc', 3],
  ['日本語', 6],
  ['👨‍👩‍👧', 2],
  ['e\u0301', 1],
  ['한글', 4],
  ['', 0],
])('%s takes %i columns', (text, width) => {
  expect(widthOf(text)).toBe(width)
})

test('padding counts columns, not characters', () => {
  expect(padEnd('日本', 6)).toBe('日本  ')
  expect(padStart('寿司', 5)).toBe(' 寿司')
})

test('a wide character that does not fit whole is left out', () => {
  expect(cut('日本語', 4)).toBe('日…')
  expect(cut('日本語', 5)).toBe('日本…')
  expect(cut('日本語', 6)).toBe('日本語')
  expect(cut('abc', 0)).toBe('')
})

const words = fc.array(
  fc.constantFrom('a', 'word', '日本語', '👨‍👩‍👧', 'averylongwordthatneverfits', ' ', '  '),
)

test('nothing that is cut or wrapped is wider than its room, and wrapping loses no character', () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 8, max: 30 }), (parts, width) => {
      const text = parts.join(' ')
      expect(widthOf(cut(text, width))).toBeLessThanOrEqual(width)
      const lines = wrap(text, width)
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width)
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
    }),
  )
})

test('a wrapped line keeps its indentation', () => {
  expect(wrap('    one two three', 12)).toEqual(['    one two', '    three'])
})
