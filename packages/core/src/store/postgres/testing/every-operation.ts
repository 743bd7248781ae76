/** Calls of the seam with `id` in every place that takes a name, so that all SQL that may know a name has run. */
import type { TenantId } from '@holdfast/protocol'
import { attachmentOf, bodyOfBytes, commitOf, hashOf, usageOf } from '../../conformance/build.ts'
import type { Store } from '../../store.ts'

/** In a tenant that nobody else uses. */
export async function everyOperation(store: Store, tenantId: TenantId, id: string): Promise<void> {
  await everyWrite(store, tenantId, id)
  await everyRead(store, tenantId, id)
  await everyRepair(store, tenantId, id)
  await everyRemoval(store, tenantId, id)
}

function building(tenantId: TenantId, id: string) {
  const head = { agentId: id, ownerUserId: id, conversationId: id, threadId: id, rootSessionId: id }
  return (sessionId: string, baseSeq: number, activity = baseSeq) => {
    return { tenantId, sessionId, baseSeq, commitId: `${id} ${baseSeq}`, head: { ...head, activity } }
  }
}

async function everyWrite(store: Store, tenantId: TenantId, id: string): Promise<void> {
  const commit = building(tenantId, id)
  const key = { key: id, hash: id, expiresAtMs: 5 }
  const take = { type: 'take', fromEpoch: 0, owner: id, ttlMs: 5 } as const
  const beside = {
    events: [JSON.stringify(id), bodyOfBytes(10_000)],
    parts: [{ part: id, body: '1' }],
    usage: [{ attemptId: id, runId: id, ownerUserId: id }],
    attachments: [attachmentOf(id)],
    waypoint: true,
  }
  const refs = [{ kind: id, id, seq: 1 }]
  await store.commit([commitOf({ ...commit(id, 0), create: true, key, lease: take, refs, ...beside })])
  await store.commit([commitOf({ ...commit('other', 0), create: true })])
  await store.commit([
    commitOf({ ...commit('fork', 2), create: true, segments: [{ sessionId: id, from: 1, to: 2 }] }),
  ])
  await store.commit([commitOf(commit(id, 2))])
  await store.commit([commitOf(commit(id, 3)), commitOf({ ...commit('other', 1), ...beside })])
  await store.commit([commitOf({ ...commit(id, 4, 3), head: { ...commit(id, 4).head, expiresAtMs: 7 } })])
  await store.commit([commitOf({ ...commit(id, 5), key })])
  await store.commit([commitOf({ ...commit(id, 5), key }), commitOf(commit('other', 3))])
  const draft = { tenantId, sessionId: id, draftId: id, runId: id, epoch: 1, first: 1 }
  await store.appendDraft({ ...draft, chunks: [{ kind: 'text', text: id }] })
  await store.renewLease(tenantId, id, 1, 5)
  const checkpoint = { sessionId: id, threadId: id, namespace: id, checkpointId: id, parentId: id }
  const body = { hash: hashOf(id), body: id }
  const channels = { [id]: body.hash, held: attachmentOf(id).hash }
  await store.putCheckpoint({ tenantId, ...checkpoint, channels, bodies: [body] })
  await store.putCheckpoint({ tenantId, ...checkpoint, channels, bodies: [] })
  const replayed = { seq: 1, replayed: true, channels, bodies: [] }
  await store.putCheckpoint({ tenantId, ...checkpoint, ...replayed })
  await store.putCheckpoint({ tenantId, ...checkpoint, checkpointId: 'first', ...replayed })
  const record = { kind: id, id, key: id, body: '1' }
  await store.putRecord(tenantId, record, 0)
  await store.putRecord(tenantId, record, 1)
  while (await store.indexPending(tenantId, (_, text) => `${text} ${id}`, 1e6));
}

async function everyRead(store: Store, tenantId: TenantId, id: string): Promise<void> {
  await store.readHead(tenantId, id)
  for (const direction of ['forward', 'backward'] as const) {
    await store.readEvents(tenantId, 'fork', { limit: 100, maxBytes: 1e6, direction })
  }
  await store.readSegments(tenantId, 'fork')
  await store.readParts(tenantId, id, [id])
  await store.readWaypoint(tenantId, id, 5)
  await store.readRefs(tenantId, id, id, id)
  await store.readKey(tenantId, id, id)
  await store.listKeys(tenantId, id, { limit: 9 })
  await store.readAttachment(tenantId, id, hashOf(id))
  await store.readAttachmentPiece(tenantId, id, hashOf(id), { offset: 1, length: 9 })
  for (const index of ['all', 'owner', 'agent', 'conversation', 'thread', 'root', 'question'] as const) {
    await store.listHeads(tenantId, { index, value: id, limit: 5 })
    await store.listHeads(tenantId, { index, value: id, limit: 5, after: { key: 5, id } })
  }
  for (const kind of ['expiry', 'question', 'lease'] as const) await store.listDue(tenantId, kind, 1e9, 5)
  await store.listForks(tenantId, id)
  await store.listTenants()
  await store.readDraft(tenantId, id, id, 0)
  await store.listDrafts(tenantId, id)
  await store.readCheckpoint(tenantId, id, id)
  await store.readCheckpoint(tenantId, id, id, id)
  await store.readRecord(tenantId, id, id)
  await store.listRecords(tenantId, id, { key: id, after: id, limit: 5 })
  await store.listRecords(tenantId, id, { limit: 5 })
  await store.readUsage(tenantId, id, 0, 5)
  for (const scope of [{}, { sessionId: id }, { rootSessionId: id }, { sessionId: id, rootSessionId: id }]) {
    await store.sumUsage(tenantId, scope)
  }
  for (const filter of [{}, { sessionId: id }, { rootSessionId: id }, { ownerUserId: id, model: id }]) {
    const after = { at: id, sessionId: id, seq: 1 }
    await store.listUsage(tenantId, { filter, limit: 5 })
    await store.rollUpUsage(tenantId, { filter, limit: 1, after, by: ['day', 'model'] })
  }
  await store.search(tenantId, { words: [id, 'word'], limit: 5, offset: 0 })
  await store.search(tenantId, { words: [id, 'word'], sessionId: id, limit: 5, offset: 0 })
}

async function everyRepair(store: Store, tenantId: TenantId, id: string): Promise<void> {
  const raw = await store.readRawSession(tenantId, id)
  if (!raw) throw new Error(`session ${id} is not there`)
  await store.listRefs(tenantId, id, 1, 5)
  await store.rebuild({
    tenantId,
    sessionId: id,
    lastSeq: raw.lastSeq,
    head: raw.head,
    lease: { epoch: 9, owner: undefined, expiresAtMs: undefined },
    parts: [{ part: id, body: '2', seq: 1 }],
    waypoints: [{ seq: 2, body: '2' }],
    refs: [{ kind: id, id, seq: 2 }],
    strayRefs: [{ kind: id, id, seq: 1 }],
    usage: [{ ...usageOf(id, 1), attemptId: id }],
    usageSeqs: [1],
  })
  for await (const finding of store.checkStore((_, text) => text)) {
    throw new Error(`nothing was harmed, but: ${finding.code}`)
  }
}

async function everyRemoval(store: Store, tenantId: TenantId, id: string): Promise<void> {
  const commit = building(tenantId, id)
  const erase = { seqs: [1, 2], erasedBody: () => JSON.stringify(id), attachments: [attachmentOf(id).hash] }
  await store.commit([commitOf({ ...commit(id, 5), erase, dropDrafts: [id] })])
  while (await store.indexPending(tenantId, (_, text) => text, 1e6));
  await store.sweepKeys(1e9, 5)
  await store.deleteSession(tenantId, id, { cascade: true, seq: 0 })
  await store.deleteSession(tenantId, id, { cascade: true })
}
