import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fits } from './glob.ts'

test('fits what a regular expression of the same form fits', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '1', '*', '#'), maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '2'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, text, (form, name) => {
      const regex = new RegExp(`^${form.replaceAll('*', '.*').replaceAll('#', '\\d')}$`)
      expect(fits(form, name)).toBe(regex.test(name))
    }),
    { numRuns: 2_000 },
  )
})

test('signs of regular expressions are themselves', () => {
  expect(fits('gpt-4.1', 'gpt-4x1')).toBe(false)
  expect(fits('a[b=c]*', 'a[b=c]-1')).toBe(true)
})

test('a pattern of many stars takes no longer than its length times that of the text', () => {
  expect(fits(`${'*a'.repeat(200)}b`, 'a'.repeat(5_000))).toBe(false)
})
