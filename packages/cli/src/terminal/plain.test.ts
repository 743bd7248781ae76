import { expect, test } from 'vitest'
import { plainLine, plainText } from './plain.ts'

test('what would steer the terminal is shown, not done', () => {
  expect(plainLine('\u001b[2Jgone\u0007')).toBe('␛[2Jgone␇')
  expect(plainLine('\u009b31mred\u007f')).toBe('\\u{9b}31mred␡')
  expect(plainText('\u001b]52;c;ZXZpbA==\u0007')).toBe('␛]52;c;ZXZpbA==␇')
})

test('characters that reorder or hide text become their code points', () => {
  expect(plainLine('a\u202eb\u200bc\u2066d')).toBe('a\\u{202e}b\\u{200b}c\\u{2066}d')
})

test('emoji, flags and joined scripts stay as they are', () => {
  for (const text of ['👨‍👩‍👧', '🇩🇪', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '⚠️', 'می‌خواهم', '日本語']) expect(plainLine(text)).toBe(text)
})

test('a line has no breaks; a text keeps its own, and a carriage return cannot go back over a line', () => {
  expect(plainLine('  one\n\ttwo ')).toBe('one two')
  expect(plainText('one\r\n\ttwo\rthree')).toBe('one\n    two\nthree')
})
