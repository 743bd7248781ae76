import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { afterAll, expect, it } from 'vitest'
import { sqliteWithWriter } from './with-writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-writer-'))
let files = 0
const newFile = (): string => join(folder, `${++files}.db`)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const said = { role: 'user' as const, parts: [{ type: 'text' as const, text: 'hello' }] }

it('is seen at once by followers here, and what another process writes a moment later', async () => {
  const path = newFile()
  const holdfast = await openHoldfast({ store: sqliteWithWriter(path) })
  const session = await holdfast.sessions.create({ agentId: 'agent' })
  const elsewhere = await openHoldfast({ store: sqlite(path) })
  const seen: number[] = []
  for await (const item of session.follow()) {
    if (item.type !== 'event') continue
    seen.push(item.seq)
    if (item.seq === 1) await session.append(said)
    if (item.seq === 3) await elsewhere.sessions.at(session.id).append(said)
    if (item.seq === 4) break
  }
  expect(seen).toEqual([1, 2, 3, 4])
  await elsewhere.close()
  await holdfast.close()
})

it('gives the refusals of its writes as the store does', async () => {
  const holdfast = await openHoldfast({ store: sqliteWithWriter(newFile()) })
  await holdfast.sessions.create({ id: 'one', agentId: 'agent' })
  await expect(holdfast.sessions.create({ id: 'one', agentId: 'another' })).rejects.toMatchObject({
    code: 'id_taken',
  })
  const store = await sqliteWithWriter(newFile()).open({})
  const checkpoint = { threadId: 't', namespace: '', checkpointId: 'c', parentId: undefined }
  const write = {
    tenantId: holdfast.tenantId,
    sessionId: 'one',
    ...checkpoint,
    channels: { a: 'f'.repeat(64) },
  }
  await expect(store.putCheckpoint({ ...write, bodies: [] })).rejects.toMatchObject({ name: 'HoldfastError' })
  await store.close()
  await expect(store.readHead(holdfast.tenantId, 'one')).rejects.toMatchObject({ code: 'store_closed' })
  await holdfast.close()
})

it('cannot be opened where there is no folder to write to', async () => {
  await expect(sqliteWithWriter('/dev/null/holdfast.db').open({})).rejects.toMatchObject({
    code: 'store_unavailable',
  })
})
