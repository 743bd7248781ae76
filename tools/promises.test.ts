/** The tables of promises and the tests that produce them cannot drift apart: each row is named by some test. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCatalogue, limits } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** Test files, and the data that tests run: conformance cases and hostile inputs. */
const proofs = ['packages', 'prove']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
      join(root, folder, path),
    ),
  )
  .filter((path) => !path.includes('node_modules') && !path.includes('/dist/'))
  .filter(
    (path) =>
      path.endsWith('.test.ts') || path.includes('/conformance/cases/') || path.endsWith('/hostile.ts'),
  )
  .map((path) => readFileSync(path, 'utf8'))

describe('every error code is produced by a test', () => {
  // The catalogue's own test looks at the table, not at what produces a code.
  const producing = proofs.filter((text) => !text.includes('errorCatalogue'))
  test.each(Object.keys(errorCatalogue))('%s', (code) => {
    expect(producing.some((text) => text.includes(`'${code}'`))).toBe(true)
  })
})

describe('every limit is met by a test', () => {
  test.each(Object.keys(limits))('%s', (name) => {
    expect(proofs.some((text) => text.includes(`limits.${name}`) || text.includes(`'${name}'`))).toBe(true)
  })
})
