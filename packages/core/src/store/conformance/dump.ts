/** Everything that a store says under the known names, as plain data: two dumps are equal when nothing changed. */
import type { TenantId } from '@holdfast/protocol'
import type { DueKind, RefRow, Store, StoredEvent } from '../store.ts'
import { plain } from './expect.ts'
import type { Names } from './names.ts'
import { allPages } from './paging.ts'

const farFutureMs = Number.MAX_SAFE_INTEGER
const all = 1_000
/** Parts are asked for as of each seq up to this one. */
const seqsAsked = 24

export async function dump(store: Store, names: Names): Promise<Record<string, unknown>> {
  const tenants: Record<string, unknown> = {}
  for (const tenantId of names.tenants) tenants[tenantId] = await dumpTenant(store, names, tenantId)
  return { tenants, listed: (await store.listTenants()).toSorted() }
}

async function dumpTenant(store: Store, names: Names, tenantId: TenantId): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const sessionId of names.sessions) {
    found[`session ${sessionId}`] = plain(await dumpSession(store, names, tenantId, sessionId))
  }
  for (const index of ['all', 'question'] as const) {
    found[`list ${index}`] = plain(await store.listHeads(tenantId, { index, limit: all }))
  }
  for (const list of names.lists) {
    found[`list ${list.index} ${list.value}`] = plain(
      await store.listHeads(tenantId, { ...list, limit: all }),
    )
  }
  for (const kind of ['expiry', 'question', 'lease'] satisfies DueKind[]) {
    found[`due ${kind}`] = await store.listDue(tenantId, kind, farFutureMs, all)
  }
  for (const kind of names.recordKinds) {
    found[`records ${kind}`] = plain(await store.listRecords(tenantId, kind, { limit: all }))
  }
  for (const { threadId, namespace, checkpointId } of names.checkpoints) {
    const at = `${threadId} ${namespace}`
    found[`checkpoint ${at}`] = plain(await store.readCheckpoint(tenantId, threadId, namespace))
    found[`checkpoint ${at} ${checkpointId}`] = plain(
      await store.readCheckpoint(tenantId, threadId, namespace, checkpointId),
    )
  }
  found.usage = await store.sumUsage(tenantId, {})
  found.ledger = plain(await store.listUsage(tenantId, { filter: {}, limit: all }))
  return found
}

/** Each read of the seam for one session; what is absent stays undefined. */
async function dumpSession(
  store: Store,
  names: Names,
  tenantId: TenantId,
  sessionId: string,
): Promise<Record<string, unknown>> {
  const head = await store.readHead(tenantId, sessionId)
  const seq = head?.seq ?? 0
  const found: Record<string, unknown> = {
    head,
    raw: await store.readRawSession(tenantId, sessionId),
    refs: (await store.listRefs(tenantId, sessionId, 0, farFutureMs)).toSorted(byText),
    events: await allEvents(store, tenantId, sessionId),
    segments: await store.readSegments(tenantId, sessionId),
    waypoint: await store.readWaypoint(tenantId, sessionId, seq),
    forks: (await store.listForks(tenantId, sessionId)).toSorted(),
    usage: await store.readUsage(tenantId, sessionId, 0, all),
    usageSum: await store.sumUsage(tenantId, { sessionId }),
    treeSum: await store.sumUsage(tenantId, { rootSessionId: sessionId }),
    parts: await store.readParts(tenantId, sessionId, [...names.parts]),
  }
  for (let atSeq = 0; atSeq <= Math.min(seq, seqsAsked); atSeq += 1) {
    found[`parts at ${atSeq}`] = await store.readParts(tenantId, sessionId, [...names.parts], atSeq)
    found[`waypoint at ${atSeq}`] = await store.readWaypoint(tenantId, sessionId, atSeq)
  }
  for (const { kind, id } of names.refs) {
    found[`ref ${kind} ${id}`] = await store.readRefs(tenantId, sessionId, kind, id)
  }
  for (const key of names.keys) found[`key ${key}`] = await store.readKey(tenantId, sessionId, key)
  found.keys = await store.listKeys(tenantId, sessionId, { limit: all })
  for (const hash of names.hashes) {
    found[`body ${hash}`] = await store.readAttachment(tenantId, sessionId, hash)
  }
  const drafts = await store.listDrafts(tenantId, sessionId)
  found.drafts = drafts.toSorted((a, b) => (a.draftId < b.draftId ? -1 : 1))
  for (const draftId of names.drafts) {
    found[`draft ${draftId}`] = await store.readDraft(tenantId, sessionId, draftId, 0)
  }
  return found
}

function byText(a: RefRow, b: RefRow): number {
  const [left, right] = [a, b].map(({ kind, id, seq }) => JSON.stringify([kind, id, seq])) as [string, string]
  return left < right ? -1 : 1
}

/** All events of a session, page by page. */
export async function allEvents(store: Store, tenantId: TenantId, sessionId: string): Promise<StoredEvent[]> {
  const range = { limit: all, maxBytes: farFutureMs, direction: 'forward' } as const
  return allPages((last) => store.readEvents(tenantId, sessionId, { ...range, after: last?.seq ?? 0 }))
}
