import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attachmentOf, bodyOfBytes, type CommitInput, commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { sqlite } from './index.ts'
import { TemporaryPlace } from './temporary.ts'

const tenant = tenantId('t')
const file = attachmentOf('file')
let place: TemporaryPlace
let store: Store

beforeEach(async () => {
  place = new TemporaryPlace()
  store = await sqlite(place.path).open({})
  await write('s', {
    events: ['"one"', '"two"', bodyOfBytes(20_000), '"four"'],
    parts: [{ part: 'tasks', body: '"part"' }],
    attachments: [file],
    waypoint: true,
  })
  await write('other', {})
})

afterEach(async () => {
  await store.close()
  place.remove()
})

async function write(sessionId: string, input: Partial<CommitInput>): Promise<void> {
  await store.commit([commitOf({ tenantId: tenant, sessionId, baseSeq: 0, create: true, ...input })])
}

function read(after: number, limit: number) {
  const range = { after, limit, maxBytes: 1e6, direction: 'forward' } as const
  return store.readEvents(tenant, 's', range)
}

describe('a changed event is found', () => {
  const changes: readonly [string, string][] = [
    ['body', `UPDATE events SET body = '"Two"' WHERE seq = 2`],
    ['type', `UPDATE events SET type = 'note.addee' WHERE seq = 2`],
    ['time', `UPDATE events SET at = '2026-01-02T03:04:05.679Z' WHERE seq = 2`],
    ['version', 'UPDATE events SET v = 2 WHERE seq = 2'],
    ['commit', `UPDATE events SET commit_id = commit_id || 'x' WHERE seq = 2`],
    ['checksum', 'UPDATE events SET crc = crc + 1 WHERE seq = 2'],
    ['missing body', 'UPDATE events SET body = NULL WHERE seq = 2'],
    ['missing row', 'DELETE FROM events WHERE seq = 2'],
  ]
  it.each(changes)('%s', async (_, sql) => {
    place.behind(`${sql} AND session = 1`)
    await expect(read(0, 10)).rejects.toMatchObject({
      code: 'store_corrupt',
      details: { sessionId: 's', seq: 2 },
      message: expect.stringMatching(/Event 2 .*session s /),
    })
    expect((await read(0, 1)).map(({ seq }) => seq)).toEqual([1])
    expect((await read(2, 10)).map(({ seq }) => seq)).toEqual([3, 4])
  })

  it('body kept aside, changed or gone', async () => {
    place.behind("UPDATE bodies SET body = replace(body, 'xxx', 'xyx')")
    await expect(read(2, 1)).rejects.toMatchObject({ code: 'store_corrupt', details: { seq: 3 } })
    place.behind('DELETE FROM bodies')
    await expect(read(2, 1)).rejects.toMatchObject({ code: 'store_corrupt', details: { seq: 3 } })
  })

  it('missing last event, which a page would otherwise hide', async () => {
    place.behind('DELETE FROM events WHERE seq = 4 AND session = 1')
    await expect(read(3, 10)).rejects.toMatchObject({ code: 'store_corrupt', details: { seq: 4 } })
  })
})

describe('a changed text beside the events is found', () => {
  it('head', async () => {
    place.behind("UPDATE sessions SET head = 'x' WHERE id = 's'")
    await expect(store.readHead(tenant, 's')).rejects.toMatchObject({ code: 'store_corrupt' })
    expect((await store.readHead(tenant, 'other'))?.seq).toBe(1)
    const list = await store.listHeads(tenant, { index: 'all', limit: 10 })
    expect(new Map(list.map(({ sessionId, damaged }) => [sessionId, damaged]))).toEqual(
      new Map([
        ['other', undefined],
        ['s', true],
      ]),
    )
  })

  it('part', async () => {
    place.behind("UPDATE parts SET body = 'x'")
    await expect(store.readParts(tenant, 's', ['tasks'])).rejects.toMatchObject({ code: 'store_corrupt' })
  })

  it('waypoint', async () => {
    place.behind("UPDATE waypoints SET head = 'x'")
    await expect(store.readWaypoint(tenant, 's', 9)).rejects.toMatchObject({ code: 'store_corrupt' })
  })

  it('attachment', async () => {
    place.behind("UPDATE attachments SET bytes = x'00'")
    await expect(store.readAttachment(tenant, 's', file.hash)).rejects.toMatchObject({
      code: 'store_corrupt',
    })
  })
})

it('equal large bodies of a session are kept once, and go with the last event that names them', async () => {
  const body = bodyOfBytes(30_000)
  await write('twins', { events: [body, body] })
  const kept = () => place.behind('SELECT count(*) AS n FROM bodies WHERE session = 3')[0]?.n
  const erase = (baseSeq: number, seq: number) => {
    const erased = { seqs: [seq], erasedBody: () => '{"erased":true}' }
    return store.commit([commitOf({ tenantId: tenant, sessionId: 'twins', baseSeq, erase: erased })])
  }
  expect(kept()).toBe(1)
  await erase(2, 1)
  expect(kept()).toBe(1)
  await erase(3, 2)
  expect(kept()).toBe(0)
})

it('a damaged event can be erased, and does not stop the indexing', async () => {
  place.behind(`UPDATE events SET body = '"damaged"' WHERE seq = 2 AND session = 1`)
  while (await store.indexPending(tenant, (_, body) => body, 1_000_000));
  const find = async (word: string) =>
    (await store.search(tenant, { words: [word], limit: 9, offset: 0 })).map(({ seq }) => seq)
  expect(await find('damaged')).toEqual([])
  expect(await find('four')).toEqual([4])
  const erase = { seqs: [2], erasedBody: () => '{"erased":true}' }
  await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 4, erase })])
  expect((await read(1, 1))[0]?.body).toBe('{"erased":true}')
})
