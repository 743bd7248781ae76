import fc from 'fast-check'
import { expect, it } from 'vitest'
import { zeroCounters, zeroSpend } from '../session/fold/session.ts'
import type { Head } from '../session/state.ts'
import { decodeHead, encodeHead, headRow } from './head-codec.ts'

const text = fc.string({ maxLength: 20 })
const time = fc.constantFrom('2026-01-02T03:04:05.678Z', '2026-11-21T00:00:00.000Z')
const count = fc.nat(10_000)
const sums = <T extends object>(zeros: T) =>
  fc.record(
    Object.fromEntries(
      Object.entries(zeros).map(([key, zero]) => [key, typeof zero === 'boolean' ? fc.boolean() : count]),
    ),
  )

const required = {
  id: text,
  tenantId: text,
  conversationId: text,
  threadId: text,
  agentId: text,
  agentName: text,
  purpose: fc.constant('interactive'),
  channel: fc.constant('api'),
  lineage: fc.constant('root'),
  rootSessionId: text,
  spawnDepth: count,
  modelPolicy: fc.constant('locked'),
  createdAt: time,
  updatedAt: time,
  lastActivityAt: time,
  seq: count,
  version: count,
  pathSeq: count,
  counters: sums(zeroCounters),
  spend: sums(zeroSpend),
  openCalls: fc.array(text, { maxLength: 3 }),
  unanswered: fc.array(text, { maxLength: 3 }),
  waiting: fc.array(fc.record({ messageId: text, role: fc.constant('user'), policy: fc.constant('steer') }), {
    maxLength: 2,
  }),
  openChildren: count,
}
const optional = {
  ownerUserId: text,
  title: text,
  titleAutomatic: fc.constant(true),
  pinned: fc.constant(true),
  held: fc.constant(true),
  activatedAt: time,
  endedAt: time,
  ttlSecs: fc.integer({ min: 1, max: 1e6 }),
  model: text,
  canRedo: fc.constant(true),
  lastUser: fc.record({ id: text, seq: count }),
  question: fc.record({ questionId: text, askedAt: time, expiresAt: time }),
  run: fc.record({ runId: text, state: fc.constant('running'), startedAt: time }),
  readOnly: fc.constant(true),
}
const head = fc
  .tuple(fc.record(required), fc.record(optional, { requiredKeys: [] }))
  .map(([all, some]) => ({ ...all, ...some }) as unknown as Head)

it('gives back every head as it was', () => {
  fc.assert(
    fc.property(head, (one) => {
      expect(decodeHead(encodeHead(one))).toEqual(one)
    }),
  )
})

it('keeps what this version does not know', () => {
  const [one] = fc.sample(head, { numRuns: 1, seed: 1 }) as [Head]
  const text = encodeHead({ ...one, later: { x: 1 } } as unknown as Head)
  expect(decodeHead(text)).toMatchObject({ later: { x: 1 } })
})

it('leaves out what is zero or empty', () => {
  const [one] = fc.sample(head, { numRuns: 1, seed: 2 }) as [Head]
  const young = {
    ...one,
    counters: { ...zeroCounters },
    spend: { ...zeroSpend },
    openCalls: [],
    waiting: [],
    unanswered: [],
    openChildren: 0,
  }
  expect(encodeHead(young)).not.toMatch(/counters|spend|openCalls|waiting|unanswered|openChildren/)
})

it('refuses a head of a newer version and text that is no head', () => {
  expect(() => decodeHead('{"v":2,"id":"s"}')).toThrow(expect.objectContaining({ code: 'store_unsupported' }))
  expect(() => decodeHead('{"v":1')).toThrow(expect.objectContaining({ code: 'store_corrupt' }))
})

it('gives the columns of a session that can still expire, and none of its ended one', () => {
  const [one] = fc.sample(head, { numRuns: 1, seed: 3 }) as [Head]
  const { endedAt: _end, ...open } = { ...one, createdAt: '2026-01-02T03:04:05.000Z', ttlSecs: 60 }
  const row = headRow({ ...open, activatedAt: '2026-01-02T03:04:06.000Z' } as Head)
  expect(row.expiresAtMs).toBe(Date.parse('2026-01-02T03:05:06.000Z'))
  expect(headRow({ ...one, endedAt: '2026-01-02T03:04:06.000Z' }).expiresAtMs).toBeUndefined()
})
