import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffLines } from './line-diff.ts'

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })

test('each side can be read back from the difference', () => {
  fc.assert(
    fc.property(lines, lines, (ours, theirs) => {
      const diff = diffLines(ours, theirs)
      const side = (without: string) => diff.filter(({ side }) => side !== without).map(({ text }) => text)
      expect(side('theirs')).toEqual(ours)
      expect(side('ours')).toEqual(theirs)
    }),
  )
})

test('what is common stays together', () => {
  expect(diffLines(['a', 'b', 'c'], ['a', 'x', 'c'])).toEqual([
    { side: 'both', text: 'a' },
    { side: 'ours', text: 'b' },
    { side: 'theirs', text: 'x' },
    { side: 'both', text: 'c' },
  ])
})

test('very long differences are two blocks', () => {
  const many = (name: string) => Array.from({ length: 3_000 }, (_, n) => `${name}${n}`)
  const diff = diffLines([...many('a'), 'end'], [...many('b'), 'end'])
  expect(diff).toHaveLength(6_001)
  expect(diff[2_999]?.side).toBe('ours')
  expect(diff[3_000]?.side).toBe('theirs')
})
