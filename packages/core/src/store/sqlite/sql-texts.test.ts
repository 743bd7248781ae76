import { tenantId } from '@holdfast/protocol'
import BetterSqlite3 from 'better-sqlite3'
import { expect, it } from 'vitest'
import { attachmentOf, bodyOfBytes, commitOf, hashOf } from '../conformance/build.ts'
import { hostileIds } from '../conformance/hostile.ts'
import { type BetterSqlite, sqlite } from './index.ts'

it('the SQL that runs is the same whatever the ids, words and sizes are', async () => {
  const plain = await textsFor('plain')
  expect(plain.size).toBeGreaterThan(60)
  const texts = new Set<string>()
  for (const id of hostileIds) for (const text of await textsFor(id)) texts.add(text)
  expect([...texts].filter((text) => !plain.has(text))).toEqual([])
})

const noTimes = { questionAskedAtMs: undefined, questionExpiresAtMs: undefined, expiresAtMs: undefined }

/** Every text that the library is handed while `id` stands in every place that takes a name. */
async function textsFor(id: string): Promise<Set<string>> {
  const texts = new Set<string>()
  const tenant = tenantId('tenant')
  const store = await sqlite(':memory:', { driver: recording(texts) }).open({ clock: () => 1_000 })
  const head = { agentId: id, ownerUserId: id, conversationId: id, threadId: id, rootSessionId: id }
  const commit = (sessionId: string, baseSeq: number) => {
    return {
      tenantId: tenant,
      sessionId,
      baseSeq,
      commitId: `${id} ${baseSeq}`,
      head: { ...head, activity: baseSeq },
    }
  }
  const key = { key: id, hash: id, expiresAtMs: 5 }
  await store.commit([
    commitOf({
      ...commit(id, 0),
      create: true,
      key,
      lease: { type: 'take', fromEpoch: 0, owner: id, ttlMs: 5 },
      events: [JSON.stringify(id), bodyOfBytes(10_000)],
      parts: [{ part: id, body: '1' }],
      refs: [{ kind: id, id, seq: 1 }],
      usage: [{ attemptId: id, runId: id, ownerUserId: id }],
      attachments: [attachmentOf(id)],
      waypoint: true,
    }),
    commitOf(commit(id, 2)),
    commitOf(commit(id, 3)),
    commitOf({ ...commit(id, 4), key }),
    commitOf({ ...commit('fork', 3), create: true, segments: [{ sessionId: id, from: 1, to: 3 }] }),
  ])
  const draft = { tenantId: tenant, sessionId: id, draftId: id, runId: id, epoch: 1, first: 1 }
  await store.appendDraft({ ...draft, chunks: [{ kind: 'text', text: id }] })
  await store.readDraft(tenant, id, id, 0)
  await store.listDrafts(tenant, id)
  await store.renewLease(tenant, id, 1, 5)
  for (const direction of ['forward', 'backward'] as const) {
    await store.readEvents(tenant, 'fork', { limit: 100, maxBytes: 1e6, direction })
  }
  await store.readHead(tenant, id)
  await store.readSegments(tenant, 'fork')
  await store.listForks(tenant, id)
  await store.readParts(tenant, id, [id])
  await store.readWaypoint(tenant, id, 5)
  await store.readRefs(tenant, id, id, id)
  await store.readKey(tenant, id, id)
  await store.listKeys(tenant, id, { limit: 9 })
  await store.readAttachment(tenant, id, hashOf(id))
  await store.readAttachmentPiece(tenant, id, hashOf(id), { offset: 1, length: 9 })
  for (const index of ['all', 'owner', 'agent', 'conversation', 'thread', 'root', 'question'] as const) {
    await store.listHeads(tenant, { index, value: id, limit: 5 })
    await store.listHeads(tenant, { index, value: id, limit: 5, after: { key: 5, id } })
  }
  for (const kind of ['expiry', 'question', 'lease'] as const) await store.listDue(tenant, kind, 1e9, 5)
  await store.listTenants()
  const place = {
    tenantId: tenant,
    sessionId: id,
    threadId: id,
    namespace: id,
    checkpointId: id,
    parentId: id,
  }
  const body = { hash: hashOf(id), body: id }
  await store.putCheckpoint({ ...place, channels: { [id]: body.hash }, bodies: [body] })
  const replayed = { seq: 1, replayed: true, channels: {}, bodies: [] }
  await store.putCheckpoint({ ...place, ...replayed })
  await store.putCheckpoint({ ...place, checkpointId: 'first', ...replayed })
  await store.readCheckpoint(tenant, id, id)
  await store.readCheckpoint(tenant, id, id, id)
  await store.putRecord(tenant, { kind: id, id, key: id, body: '1' }, 0)
  await store.listRecords(tenant, id, { key: id, after: id, limit: 5 })
  await store.listRecords(tenant, id, { limit: 5 })
  await store.readUsage(tenant, id, 0, 5)
  for (const scope of [{}, { sessionId: id }, { rootSessionId: id }, { sessionId: id, rootSessionId: id }]) {
    await store.sumUsage(tenant, scope)
  }
  for (const scope of [{}, { sessionId: id }, { rootSessionId: id }]) {
    const filter = { ...scope, ownerUserId: id, agentId: id, providerId: id, model: id, purpose: id }
    const walk = { filter, after: { at: id, sessionId: id, seq: 1 }, limit: 5 }
    await store.listUsage(tenant, walk)
    for (const by of [[], ['day', 'model']] as const) await store.rollUpUsage(tenant, { ...walk, by })
  }
  while (await store.indexPending(tenant, (_, text) => `${text} ${id}`, 1e6));
  await store.search(tenant, { words: [id, 'word'], limit: 5, offset: 0 })
  await store.search(tenant, { words: [id, 'word'], sessionId: id, limit: 5, offset: 0 })
  await store.readRawSession(tenant, id)
  await store.listRefs(tenant, id, 0, 9)
  await store.rebuild({
    tenantId: tenant,
    sessionId: id,
    lastSeq: 4,
    lease: { epoch: 1, owner: undefined, expiresAtMs: undefined },
    head: { ...head, body: '1', createdAtMs: 1, activity: 1, ...noTimes },
    parts: [{ part: id, seq: 2, body: '1' }],
    waypoints: [{ seq: 2, body: '1' }],
    refs: [{ kind: id, id, seq: 2 }],
    strayRefs: [{ kind: id, id, seq: 1 }],
    usage: [],
    usageSeqs: [2],
  })
  for await (const _ of store.checkStore((_type, text) => text));
  const erase = { seqs: [1, 2], erasedBody: () => JSON.stringify(id) }
  await store.commit([commitOf({ ...commit(id, 4), erase, dropDrafts: [id] })])
  await store.sweepKeys(1e9, 5)
  await store.deleteSession(tenant, id, { cascade: true })
  await store.scrub()
  await store.resetIndex()
  await store.close()
  return texts
}

function recording(texts: Set<string>): BetterSqlite {
  return class extends BetterSqlite3 {
    override prepare: typeof BetterSqlite3.prototype.prepare = (sql: string) => {
      texts.add(sql)
      return super.prepare(sql) as never
    }

    override exec(sql: string): this {
      texts.add(sql)
      return super.exec(sql)
    }
  }
}
