import { HoldfastError } from '@holdfast/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crcOfEvent } from '../../checksum.ts'
import { commitOf, usageOf } from '../../conformance/build.ts'
import type { Commit, CommitOutcome } from '../../store.ts'
import { packCommits, packOutcomes, unpackCommits, unpackOutcomes } from './pack-commits.ts'
import { packError, unpackError } from './pack-errors.ts'

const file = { hash: 'h', bytes: new Uint8Array([1, 2, 3]) }

/** As another thread gets it. */
function sent<T>(packed: T): T {
  return structuredClone(packed)
}

const some = <T>(value: T) => fc.option(fc.constant(value), { nil: undefined })

const commit = fc
  .record({
    sessionId: fc.string(),
    baseSeq: fc.nat(),
    create: fc.boolean(),
    events: fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 }),
    expiresAtMs: some(5),
    segments: some([{ sessionId: 'source', from: 1, to: 2, headSeq: 3 }]),
    epoch: some(0),
    lease: some({ type: 'release', lost: true } as const),
    key: some({ key: 'k', hash: 'h', expiresAtMs: 1 }),
    parts: some([{ part: 'tasks', body: undefined }]),
    refs: some([{ kind: 'message', id: 'm', seq: 1 }]),
    usage: some([usageOf('s', 1)]),
    attachments: some([file]),
    waypoint: fc.boolean(),
    dropDrafts: some(['draft']),
  })
  .map(({ expiresAtMs, ...all }): Commit => {
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    return commitOf({ tenantId: 't', ...given, head: { expiresAtMs } } as Parameters<typeof commitOf>[0])
  })

/** As the thread has it. */
function summed({ events, commitId, baseSeq, ...rest }: Commit): Commit {
  const withSums = events.map((event, n) => ({ ...event, crc: crcOfEvent(baseSeq + n + 1, commitId, event) }))
  return { ...rest, commitId, baseSeq, events: withSums }
}

it('commits come out as they went in, whatever they carry, each event with its checksum', () => {
  fc.assert(
    fc.property(fc.array(commit, { maxLength: 4 }), (commits) => {
      expect(unpackCommits(sent(packCommits(commits).packed))).toEqual(commits.map(summed))
    }),
  )
})

it('bytes are handed over as copies, so that the same commit can be sent again', () => {
  const commits = [commitOf({ tenantId: 't' as never, sessionId: 's', baseSeq: 1, attachments: [file] })]
  for (let sending = 1; sending <= 2; sending++) {
    const { packed, handedOver } = packCommits(commits)
    const moved = structuredClone(packed, { transfer: [...handedOver] })
    expect(handedOver.map(({ byteLength }) => byteLength)).toEqual([0])
    expect(unpackCommits(moved)).toEqual(commits.map(summed))
  }
})

it('outcomes come out as they went in', () => {
  const lease = { epoch: 2, owner: 'w', expiresAtMs: 9 }
  const outcomes: CommitOutcome[] = [
    {
      status: 'committed',
      firstSeq: 1,
      lastSeq: 4,
      lease: { epoch: 0, owner: undefined, expiresAtMs: undefined },
    },
    { status: 'conflict', seq: 0 },
    { status: 'failed', error: new HoldfastError('store_corrupt', 'damaged', { details: { seq: 3 } }) },
    { status: 'committed', firstSeq: 5, lastSeq: 5, lease },
    { status: 'lease_held', lease },
    { status: 'replayed', firstSeq: 1, lastSeq: 2 },
  ]
  expect(unpackOutcomes(sent(packOutcomes(outcomes)))).toEqual(outcomes)
})

it('an error keeps its class, code, details, stack and causes', () => {
  const engine = Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 1_034 })
  const error = new HoldfastError('commit_unknown', 'unknown', {
    details: { seq: 3, ids: ['a'] },
    cause: new TypeError('outer', { cause: engine }),
  })
  const received = unpackError(sent(packError(error)))
  expect(received).toBeInstanceOf(HoldfastError)
  expect(received).toMatchObject({
    code: 'commit_unknown',
    details: { seq: 3, ids: ['a'] },
    stack: error.stack,
  })
  expect(received.cause).toMatchObject({ name: 'TypeError', message: 'outer' })
  expect((received.cause as Error).cause).toEqual(engine)
})

it('what is thrown may be anything, and is told as an error that can be sent', () => {
  expect(unpackError(sent(packError('words')))).toEqual(new Error('words'))
  const odd = Object.assign(new Error('odd'), { call: () => 1, cause: Symbol('why') })
  const received = unpackError(sent(packError(odd)))
  expect(received.message).toBe('odd')
  expect(received.cause).toBe('Symbol(why)')
})
