import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const known = ['sessions', 'search', 'show', 'import', 'export']

test.each([
  ['sesions', 'sessions'],
  ['serach', 'search'],
  ['Show', 'show'],
  ['sess', 'sessions'],
  ['imprt', 'import'],
  ['xyzzy', undefined],
])('%s means %s', (word, meant) => {
  expect(nearest(word, known)).toBe(meant)
})
