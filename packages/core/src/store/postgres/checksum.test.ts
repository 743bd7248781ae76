import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attachmentOf, bodyOfBytes, type CommitInput, commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'

const tenant = tenantId('t')
const file = attachmentOf('file')

describePostgres('the Postgres store', () => {
  let place: TemporaryPlace
  let store: Store

  beforeEach(async () => {
    place = new TemporaryPlace()
    store = await place.open(undefined)
    await write('s', {
      events: ['"one"', '"two"', bodyOfBytes(20_000), '"four"'],
      parts: [{ part: 'tasks', body: '"part"' }],
      attachments: [file],
      waypoint: true,
    })
    await write('other', {})
  })

  afterEach(() => place.remove())

  async function write(sessionId: string, input: Partial<CommitInput>): Promise<void> {
    await store.commit([commitOf({ tenantId: tenant, sessionId, baseSeq: 0, create: true, ...input })])
  }

  function read(after: number, limit: number) {
    const range = { after, limit, maxBytes: 1e6, direction: 'forward' } as const
    return store.readEvents(tenant, 's', range)
  }

  describe('finds a changed event', () => {
    const changes: readonly [string, string][] = [
      ['body', `UPDATE @events SET body = '"Two"' WHERE seq = 2`],
      ['type', `UPDATE @events SET type = 'note.addee' WHERE seq = 2`],
      ['time', `UPDATE @events SET at = '2026-01-02T03:04:05.679Z' WHERE seq = 2`],
      ['version', 'UPDATE @events SET v = 2 WHERE seq = 2'],
      ['commit', `UPDATE @events SET commit_id = commit_id || 'x' WHERE seq = 2`],
      ['checksum', 'UPDATE @events SET crc = crc + 1 WHERE seq = 2'],
      ['missing body', 'UPDATE @events SET body = NULL WHERE seq = 2'],
    ]
    it.each(changes)('%s', async (_, sql) => {
      await place.behind(`${sql} AND session = 's'`)
      await expect(read(0, 10)).rejects.toMatchObject({
        code: 'store_corrupt',
        details: { sessionId: 's', seq: 2 },
        message: expect.stringMatching(/Event 2 .*session s /),
      })
      expect((await read(0, 1)).map(({ seq }) => seq)).toEqual([1])
      expect((await read(2, 10)).map(({ seq }) => seq)).toEqual([3, 4])
    })

    it('missing row', async () => {
      await place.behind(`DELETE FROM @events WHERE seq = 2 AND session = 's'`)
      await expect(read(0, 10)).rejects.toMatchObject({ code: 'store_corrupt', details: { sessionId: 's' } })
      await expect(read(1, 1)).rejects.toMatchObject({ code: 'store_corrupt', details: { sessionId: 's' } })
      expect((await read(0, 1)).map(({ seq }) => seq)).toEqual([1])
      expect((await read(2, 10)).map(({ seq }) => seq)).toEqual([3, 4])
    })

    it('body kept aside, changed or gone', async () => {
      await place.behind("UPDATE @bodies SET body = replace(body, 'xxx', 'xyx')")
      await expect(read(2, 1)).rejects.toMatchObject({ code: 'store_corrupt', details: { seq: 3 } })
      await place.behind('DELETE FROM @bodies')
      await expect(read(2, 1)).rejects.toMatchObject({ code: 'store_corrupt', details: { seq: 3 } })
    })

    it('missing last event, which a page would otherwise hide', async () => {
      await place.behind(`DELETE FROM @events WHERE seq = 4 AND session = 's'`)
      await expect(read(3, 10)).rejects.toMatchObject({ code: 'store_corrupt', details: { sessionId: 's' } })
      await expect(read(0, 10)).rejects.toMatchObject({ code: 'store_corrupt', details: { sessionId: 's' } })
    })
  })

  describe('finds a changed text beside the events', () => {
    it('head', async () => {
      await place.behind("UPDATE @sessions SET head = 'x' WHERE session = 's'")
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
      await place.behind("UPDATE @parts SET body = 'x'")
      await expect(store.readParts(tenant, 's', ['tasks'])).rejects.toMatchObject({ code: 'store_corrupt' })
    })

    it('waypoint', async () => {
      await place.behind("UPDATE @waypoints SET head = 'x'")
      await expect(store.readWaypoint(tenant, 's', 9)).rejects.toMatchObject({ code: 'store_corrupt' })
    })

    it('attachment', async () => {
      await place.behind("UPDATE @attachments SET bytes = '\\x00'")
      await expect(store.readAttachment(tenant, 's', file.hash)).rejects.toMatchObject({
        code: 'store_corrupt',
      })
    })
  })

  it('keeps equal large bodies of a session once, until the last event that names them is erased', async () => {
    const body = bodyOfBytes(30_000)
    await write('twins', { events: [body, body] })
    const kept = async () =>
      Number((await place.behind("SELECT count(*) AS n FROM @bodies WHERE session = 'twins'"))[0]?.n)
    const erase = (baseSeq: number, seq: number) => {
      const erased = { seqs: [seq], erasedBody: () => '{"erased":true}' }
      return store.commit([commitOf({ tenantId: tenant, sessionId: 'twins', baseSeq, erase: erased })])
    }
    expect(await kept()).toBe(1)
    await erase(2, 1)
    expect(await kept()).toBe(1)
    await erase(3, 2)
    expect(await kept()).toBe(0)
  })

  it('erases a damaged event, and indexes what is not damaged', async () => {
    await place.behind(`UPDATE @events SET body = '"damaged"' WHERE seq = 2 AND session = 's'`)
    while (await store.indexPending(tenant, (_, body) => body, 1_000_000));
    const find = async (word: string) =>
      (await store.search(tenant, { words: [word], limit: 9, offset: 0 })).map(({ seq }) => seq)
    expect(await find('damaged')).toEqual([])
    expect(await find('four')).toEqual([4])
    const erase = { seqs: [2], erasedBody: () => '{"erased":true}' }
    await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 4, erase })])
    expect((await read(1, 1))[0]?.body).toBe('{"erased":true}')
  })
})
