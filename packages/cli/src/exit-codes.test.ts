import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ErrorCode, HoldfastError } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { endingOf, exitCodes } from './exit-codes.ts'

test('the README has the table of exit codes as it is here', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  for (const { code, meaning } of Object.values(exitCodes))
    expect(readme).toContain(`| ${code} | ${meaning} |`)
})

test.each([
  ['invalid_input', 'usage'],
  ['not_found', 'missing'],
  ['session_closed', 'refused'],
  ['version_conflict', 'refused'],
  ['store_busy', 'store'],
  ['store_corrupt', 'store'],
] as const satisfies [ErrorCode, string][])('%s ends as %s', (code, ending) => {
  expect(endingOf(new HoldfastError(code, 'so'))).toBe(ending)
})
