import { limits, tenantId } from '@holdfast/protocol'
import pg from 'pg'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { bodyOfBytes, type CommitInput, commitOf } from '../conformance/build.ts'
import type { Store, StoreFinding } from '../store.ts'
import { checkStore } from './check.ts'
import { openDatabase } from './open.ts'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'
import { Transactions } from './transactions.ts'

const tenant = tenantId('t')
let place: TemporaryPlace
let store: Store

async function append(sessionId: string, baseSeq: number, input: Partial<CommitInput> = {}): Promise<void> {
  const commit = commitOf({ tenantId: tenant, sessionId, baseSeq, create: baseSeq === 0, ...input })
  expect((await store.commit([commit]))[0]?.status).toBe('committed')
}

async function gathered(found: AsyncIterable<StoreFinding>): Promise<StoreFinding[]> {
  const findings: StoreFinding[] = []
  for await (const finding of found) findings.push(finding)
  return findings
}

function findings(): Promise<StoreFinding[]> {
  return gathered(store.checkStore((_, body) => body))
}

const large = (text: string) => bodyOfBytes(2 * limits.asideBytes, text)

describePostgres('the check of a Postgres store', () => {
  beforeEach(async () => {
    place = new TemporaryPlace()
    store = await place.open(undefined)
  })

  afterEach(() => place.remove())

  it('finds a table that the server cannot read, and goes on to the others', async ({ skip }) => {
    if (!inject('postgresSuperuser')) skip('only a superuser can damage the catalogue')
    await append('s', 0)
    await store.putRecord(tenant, { kind: 'k', id: 'r', key: undefined, body: '1' }, 0)
    await place.behind('DELETE FROM @listings')
    await place.behind(`
      UPDATE pg_class SET relfilenode = pg_relation_filenode('@records')
      WHERE oid = (SELECT indexrelid FROM pg_index WHERE indrelid = '@records'::regclass AND indisprimary)`)
    const found = await findings()
    expect(found.map(({ code }) => code)).toEqual(['engine_damaged', 'session_lost'])
    expect(found[0]).toMatchObject({
      tenantId: tenant,
      message: expect.stringMatching(/^the records cannot be read: .*index/),
    })
  })

  it('finds a setting that is not what it was when the store was opened', async () => {
    const opened = await openDatabase(place.url, { driver: pg, schema: place.schema })
    const db = new Transactions(opened.connections, opened.settings, opened.target.sending)
    const { settings, ...info } = store.info()
    const check = (full_page_writes: string) =>
      gathered(checkStore(db, { ...info, settings: { ...settings, full_page_writes } }, undefined))
    const [now, before] = settings.full_page_writes === 'on' ? ['on', 'off'] : ['off', 'on']
    expect(await check(String(now))).toEqual([])
    const message = `full_page_writes was ${before} when the store was opened and is ${now} now`
    expect(await check(String(before))).toEqual([{ code: 'setting_lost', message }])
    await Promise.all([db.close(), opened.owner.close(), opened.ear.close()])
  })

  it('finds a session that is in no list, and a rebuild puts it back', async () => {
    await append('s', 0)
    const before = await store.readRawSession(tenant, 's')
    await place.behind('DELETE FROM @listings')
    expect(await store.listHeads(tenant, { index: 'all', limit: 9 })).toEqual([])
    expect(await findings()).toMatchObject([{ code: 'session_lost', sessionId: 's' }])
    expect((await store.readRawSession(tenant, 's'))?.head.agentId).toBe('')
    const nothing = { parts: [], waypoints: [], refs: [], strayRefs: [], usage: [], usageSeqs: [] }
    const head = before?.head
    await store.rebuild({ tenantId: tenant, sessionId: 's', lastSeq: 1, ...(head && { head }), ...nothing })
    expect(await store.readRawSession(tenant, 's')).toEqual(before)
    expect(await findings()).toEqual([])
  })

  it('keeps bodies that no event names while an event of their session has lost its own', async () => {
    await append('s', 0, { events: [large('one'), large('two')] })
    await append('kept', 0, { events: [large('three')] })
    await append('gap', 0, { events: [large('four'), '"five"'] })
    await append('unnamed', 0, { events: [large('six')] })
    await place.behind("DELETE FROM @events WHERE session = 'gap' AND seq = 1")
    await place.behind("UPDATE @events SET aside = NULL WHERE session = 'unnamed'")
    const hashes = () => place.behind('SELECT session FROM @bodies ORDER BY session')
    await place.behind(String.raw`UPDATE @bodies SET hash = '\x01' WHERE body LIKE '%one%'`)
    await place.behind(String.raw`INSERT INTO @bodies VALUES ('t', 'kept', '\x02', 'of no event')`)
    expect(await findings()).toMatchObject([{ code: 'stray_rows', sessionId: 'kept' }])
    await store.scrub()
    expect(await findings()).toEqual([])
    expect(await hashes()).toEqual(['gap', 'kept', 's', 's', 'unnamed'].map((session) => ({ session })))
  })

  it('finds words that the index lost and words of none, past the first page, in each session', async () => {
    for (const id of ['a', 'b']) {
      await append(id, 0, { events: Array.from({ length: 600 }, (_, n) => `"${id}${n}"`) })
    }
    while (await store.indexPending(tenant, (_, body) => body, 1e6));
    expect(await findings()).toEqual([])
    await place.behind("DELETE FROM @search WHERE session = 'b' AND seq > 590")
    await place.behind("DELETE FROM @events WHERE session = 'a' AND seq = 600")
    await place.behind("UPDATE @sessions SET unindexed = false, indexed = 10 WHERE session = 'b'")
    const found = await findings()
    expect(found.map(({ code, sessionId, message }) => `${code} ${sessionId} ${message}`)).toEqual([
      'index_stale a the index claims to reach seq 600, the log ends at 599',
      'index_stale b the index reaches seq 10 and waits for none, the log ends at 600',
      'index_stale a the index has 1 rows of events that are not there',
    ])
    await store.resetIndex()
    while (await store.indexPending(tenant, (_, body) => body, 1e6));
    expect(await findings()).toEqual([])
    await place.behind("DELETE FROM @search WHERE session = 'b' AND seq > 590")
    expect(await findings()).toMatchObject([{ sessionId: 'b', message: '10 events are not in the index' }])
  })
})
