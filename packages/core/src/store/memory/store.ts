/** One handle on a memory place: finds the tenant and session, leaves the work to the part that owns it. */
import { HoldfastError, type TenantId } from '@holdfast/protocol'
import type * as seam from '../store.ts'
import type { UsageScope } from '../usage-rows.ts'
import { copyOf } from './attachments.ts'
import { putCheckpoint, readCheckpoint } from './checkpoints.ts'
import { commitOne, isHeld } from './commit.ts'
import { deleteSession } from './deletion.ts'
import { listKeys, sweepKeys } from './keys.ts'
import { listDue, listHeads } from './lists.ts'
import { type KeptSession, type KeptTenant, type Place, refName } from './place.ts'
import { attachmentOf, forksOf, headOf, openDraftsOf, partsAt, readEvents, refsOf } from './reads.ts'
import { rawSession, rebuild, refsBetween } from './rebuild.ts'
import { listRecords, putRecord, type RecordQuery } from './records.ts'
import { indexPending, resetIndex, search } from './search.ts'
import { listUsage, rollUpUsage, sumUsage } from './usage.ts'

export class MemoryStore implements seam.Store {
  readonly commitLanes = 1
  readonly #place: Place
  readonly #clock: () => number
  #closed = false

  constructor(place: Place, clock: () => number) {
    this.#place = place
    this.#clock = clock
  }

  now(): number {
    return this.#clock()
  }

  info(): seam.StoreInfo {
    return { engine: 'memory', engineVersion: '1', durable: false, schemaVersion: 1, settings: {} }
  }

  async commit(commits: readonly seam.Commit[]): Promise<readonly seam.CommitOutcome[]> {
    const { tenant } = this.#opened()
    const outcomes = commits.map((commit) => commitOne(tenant(commit.tenantId), commit, this.now()))
    if (outcomes.some(({ status }) => status === 'committed')) this.#wrote()
    return outcomes
  }

  async readHead(tenantId: TenantId, sessionId: string): Promise<seam.StoredHead | undefined> {
    const { session } = this.#find(tenantId, sessionId)
    return session && headOf(session)
  }

  async readEvents(
    tenantId: TenantId,
    sessionId: string,
    range: seam.EventRange,
  ): Promise<seam.StoredEvent[]> {
    const { tenant, session } = this.#find(tenantId, sessionId)
    return session ? readEvents(tenant, session, range) : []
  }

  async readSegments(tenantId: TenantId, sessionId: string): Promise<seam.Segment[]> {
    const { session } = this.#find(tenantId, sessionId)
    return (session?.segments ?? []).map((segment) => ({ ...segment }))
  }

  async readParts(
    tenantId: TenantId,
    sessionId: string,
    parts: readonly string[],
    atSeq = Number.POSITIVE_INFINITY,
  ): Promise<ReadonlyMap<string, string>> {
    const { session } = this.#find(tenantId, sessionId)
    return session ? partsAt(session, parts, atSeq) : new Map()
  }

  async readWaypoint(
    tenantId: TenantId,
    sessionId: string,
    atSeq: number,
  ): Promise<{ seq: number; body: string } | undefined> {
    const { session } = this.#find(tenantId, sessionId)
    const waypoint = session?.waypoints.findLast(({ seq }) => seq <= atSeq)
    return waypoint && { ...waypoint }
  }

  async readRefs(tenantId: TenantId, sessionId: string, kind: string, id: string): Promise<number[]> {
    const { tenant, session } = this.#find(tenantId, sessionId)
    return session ? refsOf(tenant, session, kind, id) : []
  }

  async readKey(
    tenantId: TenantId,
    sessionId: string,
    key: string,
  ): Promise<{ hash: string; firstSeq: number; lastSeq: number } | undefined> {
    const used = this.#find(tenantId, sessionId).session?.keys.get(key)
    return used && { hash: used.hash, firstSeq: used.firstSeq, lastSeq: used.lastSeq }
  }

  async listKeys(
    tenantId: TenantId,
    sessionId: string,
    query: { after?: string; limit: number },
  ): Promise<seam.KeyRow[]> {
    const { session } = this.#find(tenantId, sessionId)
    return session ? listKeys(session.keys, query) : []
  }

  async readAttachment(tenantId: TenantId, sessionId: string, hash: string): Promise<Uint8Array | undefined> {
    const { tenant, session } = this.#find(tenantId, sessionId)
    const bytes = session && attachmentOf(tenant, session, hash)
    return bytes && copyOf(bytes)
  }

  async readAttachmentPiece(
    tenantId: TenantId,
    sessionId: string,
    hash: string,
    { offset, length }: seam.ByteRange,
  ): Promise<seam.AttachmentPiece | undefined> {
    const { tenant, session } = this.#find(tenantId, sessionId)
    const bytes = session && attachmentOf(tenant, session, hash)
    return bytes && { bytes: copyOf(bytes.subarray(offset, offset + length)), size: bytes.byteLength }
  }

  async listHeads(tenantId: TenantId, query: seam.ListQuery): Promise<seam.ListRow[]> {
    return listHeads(this.#opened().tenant(tenantId), query)
  }

  async listTenants(): Promise<TenantId[]> {
    const { tenants } = this.#opened()
    return [...tenants]
      .filter(([, { sessions, tombstones }]) => sessions.size + tombstones.size > 0)
      .map(([tenantId]) => tenantId)
  }

  async listDue(
    tenantId: TenantId,
    kind: seam.DueKind,
    atMs: number,
    limit: number,
    skip = 0,
  ): Promise<string[]> {
    return listDue(this.#opened().tenant(tenantId), kind, atMs, { limit, skip })
  }

  async listForks(tenantId: TenantId, sessionId: string): Promise<string[]> {
    return forksOf(this.#opened().tenant(tenantId), sessionId)
  }

  async renewLease(tenantId: TenantId, sessionId: string, epoch: number, ttlMs: number): Promise<boolean> {
    const { session } = this.#find(tenantId, sessionId)
    if (!session || !isHeld(session.lease, epoch)) return false
    session.lease = { ...session.lease, expiresAtMs: this.now() + ttlMs }
    this.#wrote()
    return true
  }

  async appendDraft(write: seam.DraftWrite): Promise<seam.DraftOutcome> {
    const { session } = this.#find(write.tenantId, write.sessionId)
    if (!session || !isHeld(session.lease, write.epoch)) {
      return { status: 'fenced', epoch: session?.lease.epoch ?? 0 }
    }
    const { draftId, runId, epoch } = write
    const draft = session.drafts.get(draftId) ?? { runId, epoch, chunks: [] }
    if (session.refs.get(refName('draft', draftId))?.length) return { status: 'closed' }
    if (write.first !== draft.chunks.length + 1) return { status: 'gap', last: draft.chunks.length }
    draft.chunks.push(...write.chunks.map(({ kind, text }) => ({ kind, text })))
    session.drafts.set(draftId, draft)
    this.#wrote()
    return { status: 'written' }
  }

  async readDraft(
    tenantId: TenantId,
    sessionId: string,
    draftId: string,
    afterChunk: number,
  ): Promise<seam.StoredChunk[]> {
    const draft = this.#find(tenantId, sessionId).session?.drafts.get(draftId)
    const chunks = (draft?.chunks ?? []).map((chunk, index) => ({ chunk: index + 1, ...chunk }))
    return chunks.filter(({ chunk }) => chunk > afterChunk)
  }

  async listDrafts(tenantId: TenantId, sessionId: string): Promise<seam.OpenDraft[]> {
    const { session } = this.#find(tenantId, sessionId)
    return session ? openDraftsOf(session) : []
  }

  async putCheckpoint(write: seam.CheckpointWrite): Promise<void> {
    const { tenant, session } = this.#find(write.tenantId, write.sessionId)
    if (!session) throw new HoldfastError('not_found', `There is no session ${write.sessionId}.`)
    putCheckpoint(tenant, session, write)
    this.#wrote()
  }

  async readCheckpoint(
    tenantId: TenantId,
    threadId: string,
    namespace: string,
    checkpointId?: string,
  ): Promise<(seam.CheckpointRow & { sessionId: string }) | undefined> {
    return readCheckpoint(this.#opened().tenant(tenantId), threadId, namespace, checkpointId)
  }

  async putRecord(
    tenantId: TenantId,
    record: Omit<seam.RecordRow, 'version'>,
    expectedVersion: number,
  ): Promise<seam.RecordOutcome> {
    const outcome = putRecord(this.#opened().tenant(tenantId), record, expectedVersion)
    if (outcome.status === 'written') this.#wrote()
    return outcome
  }

  async readRecord(tenantId: TenantId, kind: string, id: string): Promise<seam.RecordRow | undefined> {
    const record = this.#opened().tenant(tenantId).records.get(kind)?.get(id)
    return record && { ...record }
  }

  async listRecords(tenantId: TenantId, kind: string, query: RecordQuery): Promise<seam.RecordRow[]> {
    return listRecords(this.#opened().tenant(tenantId), kind, query)
  }

  async readUsage(
    tenantId: TenantId,
    sessionId: string,
    after: number,
    limit: number,
  ): Promise<seam.UsageRow[]> {
    const rows = this.#opened().tenant(tenantId).usage.get(sessionId) ?? []
    return rows
      .filter(({ seq }) => seq > after)
      .slice(0, limit)
      .map((row) => ({ ...row }))
  }

  async sumUsage(tenantId: TenantId, scope: UsageScope): Promise<seam.UsageTotals> {
    return sumUsage(this.#opened().tenant(tenantId), scope)
  }

  async listUsage(
    tenantId: TenantId,
    walk: seam.UsageWalk,
  ): Promise<{ rows: seam.LedgerRow[]; next?: seam.UsagePosition }> {
    return listUsage(this.#opened().tenant(tenantId), walk)
  }

  async rollUpUsage(
    tenantId: TenantId,
    walk: seam.UsageWalk & { by: readonly seam.UsageGrouping[] },
  ): Promise<{ groups: seam.UsageGroup[]; next?: seam.UsagePosition }> {
    return rollUpUsage(this.#opened().tenant(tenantId), walk)
  }

  async indexPending(_: TenantId, textOf: seam.TextOf, maxBytes: number): Promise<boolean> {
    return indexPending(this.#opened().tenants.values(), textOf, maxBytes)
  }

  async search(
    tenantId: TenantId,
    query: { words: readonly string[]; sessionId?: string; limit: number; offset: number },
  ): Promise<seam.SearchHit[]> {
    const hits = search(this.#opened().tenant(tenantId), query.words, query.sessionId)
    return hits.slice(query.offset, query.offset + query.limit)
  }

  async resetIndex(): Promise<void> {
    for (const { sessions } of this.#opened().tenants.values()) sessions.forEach(resetIndex)
  }

  async deleteSession(
    tenantId: TenantId,
    sessionId: string,
    options: { cascade: boolean; seq?: number },
  ): Promise<seam.DeleteOutcome> {
    const outcome = deleteSession(this.#opened().tenant(tenantId), sessionId, options)
    if (outcome.status === 'deleted') this.#wrote()
    return outcome
  }

  async sweepKeys(atMs: number, limit: number): Promise<number> {
    let swept = 0
    for (const { sessions } of this.#opened().tenants.values()) {
      for (const { keys } of sessions.values()) swept += sweepKeys(keys, atMs, limit - swept)
    }
    return swept
  }

  /** Nothing is kept outside the maps. */
  async scrub(): Promise<void> {
    this.#opened()
  }

  async readRawSession(tenantId: TenantId, sessionId: string): Promise<seam.RawSession | undefined> {
    const { session } = this.#find(tenantId, sessionId)
    return session && rawSession(session)
  }

  async listRefs(
    tenantId: TenantId,
    sessionId: string,
    from: number,
    through: number,
  ): Promise<seam.RefRow[]> {
    const { session } = this.#find(tenantId, sessionId)
    return session ? refsBetween(session, from, through) : []
  }

  async rebuild(rebuilt: seam.Rebuild): Promise<boolean> {
    const { tenant, session } = this.#find(rebuilt.tenantId, rebuilt.sessionId)
    if (!session || !rebuild(tenant, session, rebuilt)) return false
    this.#wrote()
    return true
  }

  /** There is nothing between the maps and their readers that could be damaged. */
  async *checkStore(): AsyncGenerator<seam.StoreFinding> {
    this.#opened()
    yield* []
  }

  async checkReplication(): Promise<seam.StoreFinding[]> {
    this.#opened()
    return []
  }

  onForeignWrite(listener: () => void): () => void {
    return this.#place.listen(this, listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#place.forget(this)
  }

  #opened(): { tenants: ReadonlyMap<TenantId, KeptTenant>; tenant: (tenantId: TenantId) => KeptTenant } {
    if (this.#closed)
      throw new HoldfastError('store_closed', 'This store was closed; open it again to use it.')
    return { tenants: this.#place.tenants, tenant: (tenantId) => this.#place.tenant(tenantId) }
  }

  #find(tenantId: TenantId, sessionId: string): { tenant: KeptTenant; session: KeptSession | undefined } {
    const tenant = this.#opened().tenant(tenantId)
    return { tenant, session: tenant.sessions.get(sessionId) }
  }

  #wrote(): void {
    this.#place.announceWrite(this)
  }
}
