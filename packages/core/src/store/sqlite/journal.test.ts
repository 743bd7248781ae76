import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { sqlite } from './index.ts'
import { TemporaryPlace } from './temporary.ts'

const tenant = tenantId('t')
const frameBytes = 24 + 4096
const commits = 5
let place: TemporaryPlace
let store: Store

/** Five commits in the journal of a file that was not closed. */
beforeEach(async () => {
  place = new TemporaryPlace()
  store = await sqlite(place.path).open({})
  await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 0, create: true })])
  for (let baseSeq = 1; baseSeq < commits; baseSeq += 1)
    await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq })])
})

afterEach(async () => {
  await store.close()
  place.remove()
})

/** What a process that was killed leaves, with its journal changed. */
function left(change: (journal: Buffer) => Buffer): string {
  const path = join(place.folder, 'left.db')
  copyFileSync(place.path, path)
  writeFileSync(`${path}-wal`, change(readFileSync(`${place.path}-wal`)))
  return path
}

function flipped(at: (length: number) => number): string {
  return left((journal) => {
    const byte = at(journal.length)
    journal.writeUInt8(journal.readUInt8(byte) ^ 0x10, byte)
    return journal
  })
}

async function seqIn(path: string, durability: 'full' | 'normal' = 'full'): Promise<number | undefined> {
  const opened = await sqlite(path, { durability }).open({})
  const head = await opened.readHead(tenant, 's')
  await opened.close()
  return head?.seq
}

it('a journal that was left whole is recovered', async () => {
  expect(await seqIn(left((journal) => journal))).toBe(commits)
})

it.each([
  ['the header', () => 3],
  ['the salt of the header', () => 17],
  ['a page', () => 32 + 24 + 100],
  ['a page number', () => 32 + 3],
  ['the salt of a frame', () => 32 + 2 * frameBytes + 9],
  ['the sum of a frame', () => 32 + 2 * frameBytes + 17],
  ['the second word of that sum', () => 32 + 2 * frameBytes + 21],
  ['the sum of the last frame', (length: number) => length - frameBytes + 17],
])('a flipped bit in %s is told before anything is lost', async (_, at) => {
  const path = flipped(at)
  for (const _try of [1, 2]) {
    await expect(seqIn(path)).rejects.toMatchObject({ code: 'store_corrupt', details: { path } })
  }
})

it('a file whose journal is damaged can be opened without what comes behind', async () => {
  const path = flipped((length) => length - 12 * frameBytes)
  await expect(seqIn(path)).rejects.toMatchObject({ code: 'store_corrupt' })
  const seq = await seqIn(path, 'normal')
  expect(seq).toBeGreaterThan(0)
  expect(seq).toBeLessThan(commits)
  expect(await seqIn(path)).toBe(seq)
})

it('a last commit that a power cut tore is not taken for damage', async () => {
  expect(await seqIn(flipped((length) => length - 4_000))).toBe(commits - 1)
  // The old end of a page may differ from its new one by a bit.
  expect(await seqIn(flipped((length) => length - 1))).toBe(commits - 1)
  expect(await seqIn(left((journal) => journal.subarray(0, -1)))).toBe(commits - 1)
  expect(await seqIn(left((journal) => journal.fill(0, journal.length - frameBytes)))).toBe(commits - 1)
  expect(await seqIn(left((journal) => journal.subarray(0, 20)))).toBeUndefined()
})

it('frames of an earlier round of the journal are not taken for damage', async () => {
  place.behind('PRAGMA wal_checkpoint(RESTART)')
  await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: commits })])
  expect(await seqIn(left((journal) => journal))).toBe(commits + 1)
})
