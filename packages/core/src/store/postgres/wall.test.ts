import { type TenantId, tenantId } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attachmentOf, bodyOfBytes, commitOf, hashOf, headFor, usageOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import type { PostgresOptions } from './index.ts'
import { TemporaryPlace } from './testing/place.ts'
import { rewriting } from './testing/rewriting.ts'
import { TemporaryRoles } from './testing/roles.ts'
import { describeSuperuser } from './testing/server.ts'
import { unfiltered } from './testing/unfiltered.ts'

const mine = tenantId('mine')
const theirs = tenantId('theirs')
/** Every name that their rows have, so that whoever asks has guessed all of them. */
const id = 'guessed'
const file = attachmentOf(id)
const body = { hash: hashOf('body'), body: '"body"' }
const nowMs = 1_000_000

/** The test build: no statement has a condition on the tenant. */
const withoutFilters = rewriting(unfiltered)
/** And nothing keeps its statements inside the wall either. */
const withoutWall = rewriting((sql) =>
  unfiltered(sql).replace(/set_config\('role', \$2, (true|\$4)\)/, '$2::text'),
)

type Call = (store: Store) => Promise<unknown>

const reads: Readonly<Record<string, Call>> = {
  head: (store) => store.readHead(mine, id),
  'events forward': (store) => store.readEvents(mine, id, { limit: 9, maxBytes: 1e6, direction: 'forward' }),
  'events backward': (store) =>
    store.readEvents(mine, id, { limit: 9, maxBytes: 1e6, direction: 'backward' }),
  segments: (store) => store.readSegments(mine, 'fork'),
  parts: (store) => store.readParts(mine, id, [id]),
  waypoint: (store) => store.readWaypoint(mine, id, 9),
  refs: (store) => store.readRefs(mine, id, id, id),
  key: (store) => store.readKey(mine, id, id),
  keys: (store) => store.listKeys(mine, id, { limit: 9 }),
  attachment: (store) => store.readAttachment(mine, id, file.hash),
  'attachment in pieces': (store) => store.readAttachmentPiece(mine, id, file.hash, { offset: 0, length: 9 }),
  'list of all': (store) => store.listHeads(mine, { index: 'all', limit: 9 }),
  'list by owner': (store) => store.listHeads(mine, { index: 'owner', value: id, limit: 9 }),
  'list by agent': (store) => store.listHeads(mine, { index: 'agent', value: id, limit: 9 }),
  'list by conversation': (store) => store.listHeads(mine, { index: 'conversation', value: id, limit: 9 }),
  'list by thread': (store) => store.listHeads(mine, { index: 'thread', value: id, limit: 9 }),
  'list by root': (store) => store.listHeads(mine, { index: 'root', value: id, limit: 9 }),
  'list of questions': (store) => store.listHeads(mine, { index: 'question', limit: 9 }),
  'due expiry': (store) => store.listDue(mine, 'expiry', 1e12, 9),
  'due questions': (store) => store.listDue(mine, 'question', 1e12, 9),
  'due leases': (store) => store.listDue(mine, 'lease', 1e12, 9),
  forks: (store) => store.listForks(mine, id),
  draft: (store) => store.readDraft(mine, id, id, 0),
  drafts: (store) => store.listDrafts(mine, id),
  'newest checkpoint': (store) => store.readCheckpoint(mine, id, id),
  checkpoint: (store) => store.readCheckpoint(mine, id, id, id),
  record: (store) => store.readRecord(mine, id, id),
  records: (store) => store.listRecords(mine, id, { limit: 9 }),
  'records by key': (store) => store.listRecords(mine, id, { key: id, limit: 9 }),
  usage: (store) => store.readUsage(mine, id, 0, 9),
  'usage of a session': (store) => store.sumUsage(mine, { sessionId: id }),
  'usage of a tree': (store) => store.sumUsage(mine, { rootSessionId: id }),
  'usage of a session in a tree': (store) => store.sumUsage(mine, { sessionId: id, rootSessionId: id }),
  'usage of all': (store) => store.sumUsage(mine, {}),
  'ledger of a session': (store) => store.listUsage(mine, { filter: { sessionId: id }, limit: 9 }),
  'ledger of a tree': (store) => store.listUsage(mine, { filter: { rootSessionId: id }, limit: 9 }),
  ledger: (store) => store.listUsage(mine, { filter: {}, limit: 9 }),
  'next stretch of the ledger': (store) => store.listUsage(mine, { filter: {}, limit: 1 }),
  'roll-up': (store) => store.rollUpUsage(mine, { filter: {}, limit: 9, by: ['sessionId'] }),
  'roll-up of a session': (store) => store.rollUpUsage(mine, { filter: { sessionId: id }, limit: 9, by: [] }),
  'roll-up of a tree': (store) =>
    store.rollUpUsage(mine, { filter: { rootSessionId: id }, limit: 9, by: [] }),
  'row of a session': (store) => store.readRawSession(mine, id),
  'refs of some events': (store) => store.listRefs(mine, id, 1, 9),
  search: (store) => store.search(mine, { words: [id], limit: 9, offset: 0 }),
  'search in a session': (store) => store.search(mine, { words: [id], sessionId: id, limit: 9, offset: 0 }),
}

const append = { tenantId: mine, sessionId: id, baseSeq: 3 }
const draft = { tenantId: mine, sessionId: id, draftId: id, runId: id, epoch: 1 }
const chunks = [{ kind: 'text', text: 'mine' }] as const
const erase = { seqs: [1, 2, 3], erasedBody: () => '{}', attachments: [file.hash] }
const checkpoint = { sessionId: id, threadId: id, namespace: id, checkpointId: id, parentId: undefined }
const creation = { tenantId: mine, sessionId: id, baseSeq: 0, create: true, events: 3 }
const rebuild = {
  tenantId: mine,
  sessionId: id,
  lastSeq: 3,
  head: headFor(id, 3),
  epoch: 5,
  parts: [{ part: id, body: '2', seq: 1 }],
  waypoints: [{ seq: 3, body: '3' }],
  refs: [{ kind: id, id, seq: 2 }],
  strayRefs: [{ kind: id, id, seq: 1 }],
  usage: [{ ...usageOf(id, 1), attemptId: 'rebuilt' }],
  usageSeqs: [1],
}
const held = { type: 'take', fromEpoch: 0, owner: id, ttlMs: 60_000 } as const

/** What is refused is refused as for a session that nobody has. */
const writes: Readonly<Record<string, Call>> = {
  append: (store) => store.commit([commitOf(append)]),
  'append in the epoch of its lease': (store) => store.commit([commitOf({ ...append, epoch: 1 })]),
  'append to several': (store) =>
    store.commit([commitOf(append), commitOf({ ...append, sessionId: 'fork', baseSeq: 4 })]),
  'repeat of a key': (store) =>
    store.commit([commitOf({ ...append, key: { key: id, hash: id, expiresAtMs: nowMs } })]),
  erasure: (store) => store.commit([commitOf({ ...append, erase })]),
  creation: (store) => store.commit([commitOf(creation)]),
  'creation with an id that they deleted': (store) =>
    store.commit([commitOf({ ...creation, sessionId: 'deleted' })]),
  'fork of it': (store) =>
    store.commit([
      commitOf({ ...append, sessionId: 'new', create: true, segments: [{ sessionId: id, from: 1, to: 3 }] }),
    ]),
  'commits in a session of the same name': async (store) => [
    await store.commit([commitOf({ ...creation, lease: held, parts: [{ part: id, body: '1' }] })]),
    await store.appendDraft({ ...draft, first: 1, chunks }),
    await store.commit([commitOf({ ...append, dropDrafts: [id], head: { activity: 7 } })]),
    await store.commit([commitOf({ ...append, baseSeq: 4, erase })]),
  ],
  'renewal of the lease': (store) => store.renewLease(mine, id, 1, 5_000),
  'chunk of a draft': (store) => store.appendDraft({ ...draft, first: 2, chunks }),
  'first chunk of a draft': (store) => store.appendDraft({ ...draft, draftId: 'new', first: 1, chunks }),
  checkpoint: (store) =>
    store.putCheckpoint({ tenantId: mine, ...checkpoint, channels: { a: body.hash }, bodies: [body] }),
  'new version of a record': (store) => store.putRecord(mine, { kind: id, id, key: undefined, body: '2' }, 1),
  'record of the same name': async (store) => [
    await store.putRecord(mine, { kind: id, id, key: undefined, body: '1' }, 0),
    await store.putRecord(mine, { kind: id, id, key: undefined, body: '2' }, 1),
  ],
  rebuild: (store) => store.rebuild(rebuild),
  'rebuild of a session of the same name': async (store) => [
    await store.commit([commitOf(creation)]),
    await store.rebuild(rebuild),
  ],
  indexing: (store) => store.indexPending(mine, (_, text) => text, 1e6),
  'deletion of what has moved': (store) => store.deleteSession(mine, id, { cascade: true, seq: 1 }),
  deletion: (store) => store.deleteSession(mine, id, { cascade: true }),
  'deletion of a session of the same name': async (store) => [
    await store.commit([commitOf(creation)]),
    await store.deleteSession(mine, id, { cascade: true }),
  ],
}

/** Something of theirs in every table. */
async function furnish(place: TemporaryPlace, store: Store): Promise<void> {
  const head = { agentId: id, ownerUserId: id, conversationId: id, threadId: id, rootSessionId: id }
  const times = { questionAskedAtMs: 5, questionExpiresAtMs: 6, expiresAtMs: 7 }
  const commit = { tenantId: theirs, baseSeq: 0, create: true, head: { ...head, ...times } }
  const beside = {
    events: [`"${id}"`, bodyOfBytes(10_000), '"three"'],
    parts: [{ part: id, body: '1' }],
    refs: [{ kind: id, id, seq: 1 }],
    usage: [{ rootSessionId: id }],
    attachments: [file],
    key: { key: id, hash: id, expiresAtMs: nowMs },
    lease: held,
    waypoint: true,
  }
  await store.commit([
    commitOf({ ...commit, sessionId: id, ...beside }),
    commitOf({ ...commit, sessionId: 'deleted', lease: held, events: 2 }),
  ])
  const segments = [{ sessionId: id, from: 1, to: 3 }]
  await store.commit([commitOf({ ...commit, sessionId: 'fork', baseSeq: 3, segments })])
  await store.appendDraft({ ...draft, tenantId: theirs, first: 1, chunks: [{ kind: 'text', text: id }] })
  await store.putCheckpoint({ tenantId: theirs, ...checkpoint, channels: { a: body.hash }, bodies: [body] })
  await store.putRecord(theirs, { kind: id, id, key: id, body: '1' }, 0)
  await index(store, theirs)
  const erased = { seqs: [2], erasedBody: () => '"less"' }
  await store.commit([commitOf({ tenantId: theirs, sessionId: 'deleted', baseSeq: 2, erase: erased })])
  // What a commit leaves set on the one connection is theirs when somebody else comes.
  await store.commit([commitOf({ ...commit, sessionId: 'set' })])
  for (const baseSeq of [1, 2])
    await store.commit([commitOf({ tenantId: theirs, sessionId: 'set', baseSeq, head })])
  await place.behind('INSERT INTO @tombstones VALUES ($1, $2)', [theirs, 'deleted'])
  await place.behind('INSERT INTO @garbage VALUES ($1, $2)', [theirs, 'deleted'])
}

async function index(store: Store, tenant: TenantId): Promise<void> {
  while (await store.indexPending(tenant, (_, text) => text, 1e6));
}

function linesOf(dump: readonly string[], tenant: TenantId): string[] {
  return dump.filter((line) => line.includes(`(${tenant},`) || line.endsWith(`(${tenant})`))
}

/** What a call says, be it an error. */
async function said(call: Call, store: Store): Promise<unknown> {
  try {
    return await call(store)
  } catch (error) {
    return { thrown: `${error}` }
  }
}

describeSuperuser('with no condition on the tenant in any statement', () => {
  let roles: TemporaryRoles
  beforeAll(async () => {
    roles = await TemporaryRoles.make()
  })
  afterAll(() => roles.remove())

  describe('a superuser’s statements under another role', () => {
    let place: TemporaryPlace
    let store: Store
    beforeAll(async () => {
      place = new TemporaryPlace({ driver: withoutFilters, connections: 1 })
      store = await place.open(() => nowMs)
    })
    afterAll(() => place.remove())

    it('read nothing of another tenant', async () => {
      const nothing = await readAll(store)
      await furnish(place, store)
      const furnished = linesOf(await place.dump(), theirs).map((line) => line.slice(0, line.indexOf('(')))
      expect([...new Set(furnished), 'schema_version'].toSorted()).toEqual(await place.tables())
      expect(await readAll(store)).toEqual(nothing)
    })

    it.each(Object.keys(writes))('change nothing of another tenant: %s', async (title) => {
      const write = writes[title] as Call
      await place.empty()
      const expected = await said(write, store)
      await place.empty()
      await furnish(place, store)
      const before = linesOf(await place.dump(), theirs)
      expect(await said(write, store)).toEqual(expected)
      expect(linesOf(await place.dump(), theirs)).toEqual(before)
    })
  })

  const others: Readonly<Record<string, () => Partial<PostgresOptions> & { url: string }>> = {
    'the role that owns the tables': () => ({ url: roles.urlOf(roles.owner) }),
    'a role that may read and write them': () => ({
      url: roles.urlOf(roles.app),
      migrationUrl: roles.urlOf(roles.owner),
    }),
  }

  it.each(Object.keys(others))('%s reads and changes nothing of another tenant either', async (name) => {
    const place = new TemporaryPlace({ ...others[name]?.(), driver: withoutFilters, connections: 1 })
    const store = await place.open(() => nowMs)
    const nothing = await readAll(store)
    await furnish(place, store)
    expect(await readAll(store)).toEqual(nothing)
    const before = linesOf(await place.dump(), theirs)
    for (const write of Object.values(writes)) await said(write, store)
    expect(linesOf(await place.dump(), theirs)).toEqual(before)
    await place.remove()
  })

  describe('and without the wall', () => {
    let place: TemporaryPlace
    let store: Store
    beforeAll(async () => {
      place = new TemporaryPlace({ driver: withoutWall, connections: 1 })
      store = await place.open(() => nowMs)
    })
    afterAll(() => place.remove())

    it('every read shows what is another tenant’s', async () => {
      await place.empty()
      const nothing = await readAll(store)
      await furnish(place, store)
      const leaked = await readAll(store)
      const blind = Object.keys(reads).filter((_, n) => same(leaked[n], nothing[n]))
      expect(blind).toEqual([])
    })

    it('every write changes or tells what is another tenant’s', async () => {
      const harmless: string[] = []
      for (const [title, write] of Object.entries(writes)) {
        await place.empty()
        const expected = await said(write, store)
        await place.empty()
        await furnish(place, store)
        const before = linesOf(await place.dump(), theirs)
        const outcome = await said(write, store)
        if (same(outcome, expected) && same(linesOf(await place.dump(), theirs), before)) harmless.push(title)
      }
      expect(harmless).toEqual([])
    })
  })
})

async function readAll(store: Store): Promise<unknown[]> {
  const found: unknown[] = []
  for (const read of Object.values(reads)) found.push(await said(read, store))
  return found
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(plain(one)) === JSON.stringify(plain(other))
}

function plain(value: unknown): unknown {
  return value instanceof Map ? [...value] : value === undefined ? 'nothing' : value
}
