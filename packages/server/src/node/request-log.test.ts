import { HoldfastError } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { Answered } from '../operations/answered.ts'
import { redacted } from './redacted.ts'
import { faultLog, type LogLevel, requestLog } from './request-log.ts'

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

it('what failed with nobody waiting is a line with its cause, without the secrets in it', () => {
  const lines: string[] = []
  const cause = new Error(`Incorrect API key provided: sk-proj-${'abab'.repeat(8)}`)
  const log = faultLog('error', { write: (line) => void lines.push(line) })
  log(new HoldfastError('store_unavailable', `no store for ${key}`, { cause }), 's-1')
  log('a word')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 50, sessionId: 's-1', msg: 'no store for hf_[redacted]' },
    { level: 50, msg: 'a word' },
  ])
  expect(lines[0]).toContain('Incorrect API key provided: sk-[redacted]')
  expect(lines.join()).not.toMatch(/abab|a1_B/)
  faultLog('silent', { write: (line) => void lines.push(line) })('unsaid')
  expect(lines).toHaveLength(2)
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
  `Incorrect API key provided: sk-proj-${'abab-cdcd_'.repeat(4)}.`,
  `invalid x-api-key sk-ant-api03-${'abab'.repeat(8)}`,
  `https://models.example/v1?key=AIza${'abab'.repeat(9)}`,
  'x-api-key: dXNlcjpwYXNz',
  '{"apiKey":"dXNlcjpwYXNz"}',
])('takes the secret out of %s', (text) => {
  const line = redacted(`{"msg":${JSON.stringify(text)}}\n`)
  expect(line).toContain('[redacted]')
  expect(line).not.toMatch(/a1_B|abab|cdcd|abcdefgh|dXNlcjpwYXNz/)
  expect(() => JSON.parse(line)).not.toThrow()
})
