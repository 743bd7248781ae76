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

const scripts = [
  'Привет, как дела',
  'Καλημέρα κόσμε',
  'שלום עולם',
  'مرحبا بالعالم',
  'สวัสดีชาวโลก',
  '你好世界',
  'こんにちは世界',
  'क्क्क्क्क्क्क्क्क्क्क्क',
  'ᄀᄀᄀᄀᄀᄀᄀᄀᄀ',
  '👨‍👩‍👧🇩🇪1️⃣👍🏽',
  'e\u0301a\u0323\u0302',
  '\u0600١',
  'plain',
  ' ',
]
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(...scripts),
      fc.constantFrom(...scripts.flatMap((text) => [...text])),
      fc.string({ unit: 'grapheme' }),
    ),
  )
  .map((parts) => parts.join(''))

test('in every script what is cut or wrapped fits, and a cut leaves out no more than it must', () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 8, max: 30 }), (text, width) => {
      const short = cut(text, width)
      expect(widthOf(short)).toBeLessThanOrEqual(width)
      expect(short === text).toBe(widthOf(text) <= width)
      for (const line of wrap(text, width)) expect(widthOf(line)).toBeLessThanOrEqual(width)
      expect(wrap(text, width).join('').replaceAll(' ', '')).toBe(text.replaceAll(/[ \n]/g, ''))
    }),
  )
})

test.each([
  ['Привет', 'Прив…'],
  ['Καλημέρα', 'Καλη…'],
  ['שלוםשלום', 'שלום…'],
  ['你好世界', '你好…'],
])('%s is cut to %s', (text, short) => {
  expect(cut(text, 5)).toBe(short)
})

test('a character of several code points stays whole', () => {
  expect(cut('👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧', 5)).toBe('👨‍👩‍👧👨‍👩‍👧…')
  expect(wrap('e\u0301'.repeat(20), 8)).toEqual([
    'e\u0301'.repeat(8),
    'e\u0301'.repeat(8),
    'e\u0301'.repeat(4),
  ])
})
