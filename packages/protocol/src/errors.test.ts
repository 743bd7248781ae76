import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { errorsDoc } from './errors-doc.ts'
import {
  type ErrorCode,
  errorCatalogue,
  HoldfastError,
  isHoldfastError,
  problem,
  toProblem,
} from './index.ts'

const codes = Object.keys(errorCatalogue) as ErrorCode[]

describe('an error', () => {
  for (const code of codes) {
    test(`${code} takes status and retry from the table`, () => {
      const { status, retry, meaning } = errorCatalogue[code]
      const error = new HoldfastError(code, 'what happened')
      expect([error.status, error.retry]).toEqual([status, retry])
      expect(problem.parse(toProblem(error))).toEqual({
        code,
        status,
        retry,
        title: meaning,
        detail: 'what happened',
        details: {},
      })
    })
  }

  test('keeps its cause and its details', () => {
    const cause = new Error('disk')
    const error = new HoldfastError('store_unavailable', 'no', { cause, details: { id: 'a' } })
    expect(error).toMatchObject({ cause, details: { id: 'a' }, name: 'HoldfastError', message: 'no' })
    expect(new HoldfastError('not_found', 'no')).not.toHaveProperty('cause')
  })

  test('is told from other errors, and by its code', () => {
    const error: unknown = new HoldfastError('not_found', 'no')
    expect(isHoldfastError(error)).toBe(true)
    expect(isHoldfastError(error, 'not_found')).toBe(true)
    expect(isHoldfastError(error, 'id_taken')).toBe(false)
    expect(isHoldfastError(new Error('no'))).toBe(false)
  })
})

describe('the catalogue', () => {
  test('has statuses of failures, and "later" is never said of the request itself', () => {
    for (const code of codes) {
      const { status, retry } = errorCatalogue[code]
      expect(status, code).toBeGreaterThanOrEqual(400)
      expect(status, code).toBeLessThan(600)
      if (retry === 'later') expect([409, 429, 503, 507], code).toContain(status)
    }
  })

  test('is described in ERRORS.md as it is; if not, run `npm run schemas`', () => {
    expect(readFileSync(new URL('../ERRORS.md', import.meta.url), 'utf8')).toBe(errorsDoc())
  })

  test('has a section for every code with status, retry and meaning', () => {
    const sections = new Map(
      errorsDoc()
        .split('\n## ')
        .map((text) => [text.split('\n')[0], text]),
    )
    for (const code of codes) {
      const { status, retry, meaning } = errorCatalogue[code]
      for (const part of [meaning, `Status: ${status}`, `Retry: ${retry}`])
        expect(sections.get(code)).toContain(part)
    }
  })
})
