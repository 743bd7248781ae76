import { HoldfastError } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { Answered } from '../operations/answered.ts'
import { redacted } from './redacted.ts'
import { type LogLevel, requestLog } from './request-log.ts'

const one: Answered = { method: 'GET', path: '/v1/sessions', status: 200, tookMs: 3, requestId: 'r-1' }
const key = `hf_${'a1_B'.repeat(10)}xyz`

function logged(level: LogLevel, answered: Partial<Answered>): string[] {
  const lines: string[] = []
  requestLog(level, { write: (line) => void lines.push(line) })({ ...one, ...answered })
  return lines
}

it('an answer is a line of JSON at `info`, and none at `error`', () => {
  const [line = '', ...others] = logged('info', { tenantId: 't' as never, keyId: 'k' })
  expect(others).toEqual([])
  expect(JSON.parse(line)).toMatchObject({ level: 30, ...one, tenantId: 't', keyId: 'k', msg: 'answered' })
  expect(logged('error', {})).toEqual([])
})

it('a failure of the server tells what caused it, without the secrets in it', () => {
  const cause = new Error(`connect postgres://me:hunter2@host/db failed; authorization: Bearer ${key}`)
  const error = new HoldfastError('store_unavailable', 'no store', { cause })
  const [line = ''] = logged('error', { status: 503, error })
  expect(JSON.parse(line)).toMatchObject({ level: 50, code: 'store_unavailable', msg: 'no store' })
  expect(line).toContain('failed')
  expect(line).not.toMatch(/hunter2|a1_B/)
})

it.each([
  key,
  `hfs_${'ab'.repeat(20)}.${'cd'.repeat(20)}`,
  'authorization: Bearer abcdefghijkl',
  'authorization: Basic dXNlcjpwYXNz',
  'postgres://user:dXNlcjpwYXNz@host/db',
  '{"password":"dXNlcjpwYXNz"}',
  String.raw`{\"token\": \"dXNlcjpwYXNz\"}`,
  'HOLDFAST_PEPPER=dXNlcjpwYXNz',
  'Cookie: dXNlcjpwYXNz',
])('takes the secret out of %s', (text) => {
  const line = redacted(`{"msg":${JSON.stringify(text)}}\n`)
  expect(line).toContain('[redacted]')
  expect(line).not.toMatch(/a1_B|abab|cdcd|abcdefgh|dXNlcjpwYXNz/)
  expect(() => JSON.parse(line)).not.toThrow()
})
