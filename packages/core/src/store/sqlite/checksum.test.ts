import { DatabaseSync } from 'node:sqlite'
import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attachmentOf, bodyOfBytes, type CommitInput, commitOf } from '../conformance/build.ts'
import type { Store, StoreFinding } from '../store.ts'
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

  it.each(['type', 'at', 'commit_id'])('%s that is bytes and no text any more', async (column) => {
    const db = new DatabaseSync(place.path, { defensive: false })
    db.exec(`PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'events';
      PRAGMA writable_schema = RESET; UPDATE events SET ${column} = CAST(${column} AS BLOB) WHERE seq = 2`)
    db.close()
    await expect(read(1, 1)).rejects.toMatchObject({ code: 'store_corrupt', details: { seq: 2 } })
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

describe('a changed row beside the events is found', () => {
  const changes: readonly [string, string, () => Promise<unknown>][] = [
    ['seq of a session', 'UPDATE sessions SET seq = 3 WHERE session = 1', () => read(0, 10)],
    ['base of a session', 'UPDATE sessions SET base = 2 WHERE session = 1', () => read(0, 10)],
    ['epoch', 'UPDATE sessions SET epoch = 9 WHERE session = 1', () => store.readHead(tenant, 's')],
    [
      'a list column',
      "UPDATE sessions SET thread = 'x' WHERE session = 1",
      () => store.readHead(tenant, 's'),
    ],
    ['ref', 'UPDATE refs SET seq = 2', () => store.readRefs(tenant, 's', 'k', 'r')],
    ['key', "UPDATE keys SET hash = 'x'", () => store.readKey(tenant, 's', 'key')],
    ['key in a list', "UPDATE keys SET hash = 'x'", () => store.listKeys(tenant, 's', { limit: 9 })],
    ['source of a fork', 'UPDATE segments SET source = 2', () => store.readSegments(tenant, 'fork')],
    [
      'number of the source of a fork',
      'UPDATE sessions SET session = 65 WHERE session = 1',
      () => store.readSegments(tenant, 'fork'),
    ],
    [
      'end of a prefix',
      'UPDATE segments SET last = 1, crc = -1',
      () => store.readRefs(tenant, 'fork', 'k', 'r'),
    ],
    ['draft', 'UPDATE drafts SET last = 1', () => store.listDrafts(tenant, 's')],
    ['chunk', "UPDATE chunks SET text = 'x' WHERE chunk = 1", () => store.readDraft(tenant, 's', 'd', 0)],
    ['last chunk', 'DELETE FROM chunks WHERE chunk = 2', () => store.readDraft(tenant, 's', 'd', 0)],
    [
      'checkpoint',
      "UPDATE checkpoints SET channels = '[]'",
      () => store.readCheckpoint(tenant, 'thread', ''),
    ],
    ['record', "UPDATE records SET body = '2'", () => store.readRecord(tenant, 'agent', 'a')],
    [
      'record in a list',
      'UPDATE records SET version = 2',
      () => store.listRecords(tenant, 'agent', { limit: 9 }),
    ],
    [
      'price book of a ledger row',
      "UPDATE usage SET price_book = 'x'",
      () => store.listUsage(tenant, { filter: {}, limit: 9 }),
    ],
    [
      'figure of a roll-up',
      'UPDATE usage SET cost_microcents = 1',
      () => store.rollUpUsage(tenant, { filter: {}, by: ['model'], limit: 9 }),
    ],
    ['when it was erased', 'UPDATE sessions SET erased = 9 WHERE session = 1', () => read(0, 10)],
    [
      'lease',
      'UPDATE sessions SET lease_expires = 9 WHERE session = 1',
      () => store.renewLease(tenant, 's', 1, 9),
    ],
    ['ledger row', "UPDATE usage SET purpose = 'x'", () => store.readUsage(tenant, 's', 0, 9)],
    ['owner of a ledger row', "UPDATE usage SET owner = 'x'", () => store.readUsage(tenant, 's', 0, 9)],
    [
      'part of what a ledger row counts',
      'UPDATE usage SET cached_write_hour_tokens = ifnull(cached_write_hour_tokens, 0) + 1',
      () => store.readUsage(tenant, 's', 0, 9),
    ],
    ['ledger row that lost its end', 'UPDATE usage SET crc = NULL', () => store.readUsage(tenant, 's', 0, 9)],
    ['figures that a row lost', 'UPDATE usage SET figures = NULL', () => store.sumUsage(tenant, {})],
    [
      'lease that lost its checksum',
      'UPDATE sessions SET lease_crc = NULL WHERE session = 1',
      () => store.readHead(tenant, 's'),
    ],
    ['key that lost its checksum', 'UPDATE keys SET crc = NULL', () => store.readKey(tenant, 's', 'key')],
    [
      'figure of a sum',
      'UPDATE usage SET prompt_tokens = prompt_tokens + 1',
      () => store.sumUsage(tenant, {}),
    ],
    ['names of a part', "UPDATE parts SET part = 'x'", () => store.readParts(tenant, 's', ['x'])],
    [
      'seq of an attachment',
      'UPDATE attachments SET seq = 0',
      () => store.readAttachment(tenant, 's', file.hash),
    ],
    [
      'event in the log of another session',
      'UPDATE events SET session = session % 2 + 1 WHERE seq = 1 AND session < 3',
      () => read(0, 1),
    ],
  ]
  beforeEach(async () => {
    const lease = { type: 'take', fromEpoch: 0, owner: 'o', ttlMs: 5_000 } as const
    const key = { key: 'key', hash: 'hash', expiresAtMs: 9e15 }
    const rows = { key, lease, refs: [{ kind: 'k', id: 'r', seq: 5 }], usage: [{ attemptId: 'u' }] }
    await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 4, ...rows })])
    await write('fork', { baseSeq: 2, segments: [{ sessionId: 's', from: 1, to: 2 }] })
    const draft = { tenantId: tenant, sessionId: 's', draftId: 'd', runId: 'r', epoch: 1, first: 1 }
    const chunk = { kind: 'text', text: 'word' } as const
    await store.appendDraft({ ...draft, chunks: [chunk, chunk] })
    const name = { threadId: 'thread', namespace: '', checkpointId: 'c', parentId: undefined }
    const kept = { channels: { a: file.hash }, bodies: [] }
    await store.putCheckpoint({ tenantId: tenant, sessionId: 's', ...name, ...kept })
    await store.putRecord(tenant, { kind: 'agent', id: 'a', key: undefined, body: '1' }, 0)
  })

  it.each(changes)('%s', async (_, sql, ask) => {
    await ask()
    if (sql.includes('events SET session')) place.behind('DROP INDEX events_seq')
    place.behind(sql)
    await expect(ask()).rejects.toMatchObject({ code: 'store_corrupt' })
  })

  it('a damaged lease or list column hides no event', async () => {
    place.behind("UPDATE sessions SET epoch = 9, thread = 'x' WHERE session = 1")
    expect(await read(0, 10)).toHaveLength(5)
    expect(await store.readRawSession(tenant, 's')).toMatchObject({ suspect: ['lease', 'columns'] })
  })

  it('a commit to a damaged session fails alone, and leaves nothing', async () => {
    place.behind("UPDATE sessions SET epoch = 9 WHERE id = 's'")
    const again = await sqlite(place.path).open({})
    const commits = ['other', 's', 'new'].map((sessionId) =>
      commitOf({
        tenantId: tenant,
        sessionId,
        baseSeq: { other: 1, s: 5, new: 0 }[sessionId] ?? 0,
        create: sessionId === 'new',
      }),
    )
    const outcomes = await again.commit(commits)
    expect(outcomes.map(({ status }) => status)).toEqual(['committed', 'failed', 'committed'])
    expect((await again.readHead(tenant, 'other'))?.seq).toBe(2)
    expect(place.behind("SELECT seq FROM sessions WHERE id = 's'")).toEqual([{ seq: 5 }])
    await expect(again.commit(commits.slice(1, 2))).rejects.toMatchObject({ code: 'store_corrupt' })
    await again.close()
  })

  it('a session whose row is damaged can be deleted', async () => {
    place.behind("UPDATE sessions SET epoch = 9 WHERE id = 'other'")
    await expect(store.readHead(tenant, 'other')).rejects.toMatchObject({ code: 'store_corrupt' })
    expect(await store.deleteSession(tenant, 'other', { cascade: false })).toMatchObject({
      status: 'deleted',
    })
  })
})

it('a session that took the number of the source of a fork does not pass for it', async () => {
  await write('fork', { baseSeq: 2, segments: [{ sessionId: 's', from: 1, to: 2 }] })
  const raw = rawFile()
  raw.exec('PRAGMA writable_schema = ON')
  const index = raw.prepare("SELECT rootpage, sql FROM sqlite_schema WHERE name = 'sessions_id'").get()
  raw.exec("DELETE FROM sqlite_schema WHERE name = 'sessions_id'")
  raw.close()
  place.behind('UPDATE sessions SET session = 65 WHERE session = 1')
  place.behind("UPDATE sessions SET session = 1 WHERE id = 'other'")
  const again = rawFile()
  again.exec('PRAGMA writable_schema = ON')
  again
    .prepare("INSERT INTO sqlite_schema VALUES ('index', 'sessions_id', 'sessions', ?, ?)")
    .run(index?.rootpage ?? null, index?.sql ?? null)
  again.close()
  const damaged = await sqlite(place.path).open({})
  await expect(damaged.readSegments(tenant, 'fork')).rejects.toMatchObject({ code: 'store_corrupt' })
  await damaged.close()
})

/** Where the schema may be written too. */
function rawFile(): DatabaseSync {
  const raw = new DatabaseSync(place.path)
  raw.enableDefensive?.(false)
  return raw
}

it('a schema whose own text is changed is found', async () => {
  const raw = rawFile()
  raw.exec(`
    PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = replace(sql, 'expires INTEGER NOT NULL, crc', 'eypires INTEGER NOT NULL, crc')
      WHERE name = 'keys';
    UPDATE sqlite_schema SET sql = replace(sql, '(expires)', '(eypires)') WHERE name = 'keys_expires';`)
  raw.close()
  const again = await sqlite(place.path).open({})
  await expect(again.sweepKeys(1, 1)).rejects.toMatchObject({ code: 'store_corrupt' })
  await again.close()
})

it.each([
  ['its tokenizer', "sql = replace(sql, 'ascii', 'bscii')", 'sqlite_schema'],
  ['the version of its format', "v = 9 WHERE k = 'version' --", 'search_config'],
])('a search index with another text for %s is found', async (_what, change, table) => {
  const raw = rawFile()
  raw.exec(`PRAGMA writable_schema = ON; UPDATE ${table} SET ${change} WHERE name = 'search'`)
  raw.close()
  const again = await sqlite(place.path).open({})
  const asked = { words: ['one'], limit: 9, offset: 0 }
  await expect(again.search(tenant, asked)).rejects.toMatchObject({ code: 'store_corrupt' })
  await again.close()
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

async function findings(): Promise<StoreFinding[]> {
  const found: StoreFinding[] = []
  for await (const finding of store.checkStore((_, body) => body)) found.push(finding)
  return found
}

it('a tenant whose row bears another name is named, hides no other, and is not made anew under its own', async () => {
  const whole = tenantId('whole')
  await store.commit([commitOf({ tenantId: whole, sessionId: 's', baseSeq: 0, create: true })])
  place.behind("UPDATE tenants SET id = 'u' WHERE id = 't'")
  const again = await sqlite(place.path).open({})
  expect(await again.listTenants()).toEqual([whole])
  expect(await findings()).toMatchObject([{ code: 'row_damaged', tenantId: 'u' }])
  const create = (id: string) =>
    again.commit([commitOf({ tenantId: tenantId(id), sessionId: 'new', baseSeq: 0, create: true })])
  for (const id of ['t', 'u']) await expect(create(id)).rejects.toMatchObject({ code: 'store_corrupt' })
  expect(await create('another')).toMatchObject([{ status: 'committed' }])
  await again.close()
})

it('a tenant whose row is gone is told, and no other gets its number', async () => {
  place.behind('DELETE FROM tenants')
  expect(await findings()).toMatchObject([
    { code: 'tenant_lost', message: expect.stringContaining('2 sessions') },
  ])
  const again = await sqlite(place.path).open({})
  const stranger = tenantId('stranger')
  await again.commit([commitOf({ tenantId: stranger, sessionId: 'own', baseSeq: 0, create: true })])
  const heads = await again.listHeads(stranger, { index: 'all', limit: 9 })
  expect(heads.map(({ sessionId }) => sessionId)).toEqual(['own'])
  await again.close()
})

it.each([
  ['an event row is gone', 'DELETE FROM events WHERE aside IS NOT NULL'],
  ['an event row has another seq', 'UPDATE events SET seq = 40, aside = NULL WHERE aside IS NOT NULL'],
  ['an event names no body', 'UPDATE events SET aside = NULL WHERE aside IS NOT NULL'],
  ['an event names another body', "UPDATE events SET aside = x'00' WHERE aside IS NOT NULL"],
  [
    'the row of the session is gone',
    "DELETE FROM sessions WHERE id = 's'; DELETE FROM events WHERE session = 1",
  ],
])('a body that may be the last of its event stays: %s', async (_, sql) => {
  for (const text of sql.split('; ')) place.behind(text)
  await store.scrub()
  expect(place.behind('SELECT count(*) AS n FROM bodies')).toEqual([{ n: 1 }])
})

it('a body that no event names goes from a session that is whole', async () => {
  place.behind("INSERT INTO bodies VALUES (1, x'00', 'of no event')")
  expect(await findings()).toMatchObject([{ code: 'stray_rows', sessionId: 's' }])
  await store.scrub()
  expect(place.behind('SELECT count(*) AS n FROM bodies')).toEqual([{ n: 1 }])
})

it('a file whose row says that it is none is told, and survives an erasure beside it', async () => {
  place.behind('UPDATE attachments SET is_file = 0')
  expect(await findings()).toMatchObject([{ code: 'row_damaged', sessionId: 's' }])
  const erased = { seqs: [2], erasedBody: () => '{"erased":true}' }
  await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 4, erase: erased })])
  expect(await store.readAttachment(tenant, 's', file.hash)).toHaveLength(file.bytes.length)
  const named = { ...erased, attachments: [file.hash] }
  await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 5, erase: named })])
  expect(await store.readAttachment(tenant, 's', file.hash)).toBeUndefined()
})

describe('text of a draft whose row is gone', () => {
  const draft = { tenantId: tenant, sessionId: 's', draftId: 'd', runId: 'r', epoch: 1, first: 1 }
  const texts = () => place.behind('SELECT text FROM chunks ORDER BY rowid').map(({ text }) => text)

  beforeEach(async () => {
    const lease = { type: 'take', fromEpoch: 0, owner: 'o', ttlMs: 5_000 } as const
    await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 4, lease })])
    await store.appendDraft({ ...draft, chunks: [{ kind: 'text', text: 'lost' }] })
    place.behind('DELETE FROM drafts')
  })

  it('is told, survives a scrub, and is not taken for that of the next draft', async () => {
    expect(await findings()).toMatchObject([{ code: 'draft_lost', sessionId: 's' }])
    await store.scrub()
    await store.appendDraft({ ...draft, draftId: 'next', chunks: [{ kind: 'text', text: 'next' }] })
    expect(texts()).toEqual(['lost', 'next'])
    expect(await store.readDraft(tenant, 's', 'next', 0)).toEqual([{ chunk: 1, kind: 'text', text: 'next' }])
  })

  it('goes with an erasure in its session', async () => {
    const erased = { seqs: [2], erasedBody: () => '{"erased":true}' }
    await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 5, erase: erased })])
    expect(texts()).toEqual([])
  })

  it('goes with its session', async () => {
    await store.deleteSession(tenant, 'other', { cascade: false })
    expect(texts()).toEqual(['lost'])
    await store.deleteSession(tenant, 's', { cascade: false })
    expect(texts()).toEqual([])
  })
})

it('a draft whose session is gone is told', async () => {
  place.behind("INSERT INTO drafts (session, id, run, epoch, last) VALUES (77, 'd', 'r', 1, 1)")
  expect(await findings()).toMatchObject([
    { code: 'draft_lost', message: expect.stringContaining('1 drafts') },
  ])
})
