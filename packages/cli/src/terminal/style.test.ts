import { expect, test } from 'vitest'
import { styleOf, wantsColour } from './style.ts'

test('colour is for terminals, unless the environment says otherwise', () => {
  expect(wantsColour({}, true)).toBe(true)
  expect(wantsColour({}, false)).toBe(false)
  expect(wantsColour({ NO_COLOR: '1' }, true)).toBe(false)
  expect(wantsColour({ NO_COLOR: '' }, true)).toBe(true)
  expect(wantsColour({ FORCE_COLOR: '1' }, false)).toBe(true)
  expect(wantsColour({ NO_COLOR: '1', FORCE_COLOR: '1' }, true)).toBe(false)
  expect(wantsColour({ TERM: 'dumb' }, true)).toBe(false)
})

test('a style draws, or leaves the text as it is', () => {
  expect(styleOf(true).bad('no')).toBe('\u001b[31mno\u001b[39m')
  expect(styleOf(false).bad('no')).toBe('no')
  expect(styleOf(true).bad('')).toBe('')
})
