/** One handle on a SQLite place: finds the tenant, leaves the work to the file that owns it. */
import type { TenantId } from '@holdfast/protocol'
import type * as seam from '../store.ts'
import type { UsageScope } from '../usage-rows.ts'
import { readAttachment, readAttachmentPiece } from './attachments.ts'
import { checkStore } from './check.ts'
import { putCheckpoint, readCheckpoint } from './checkpoints.ts'
import { commitEach } from './commit.ts'
import type { Connection } from './connection.ts'
import { deleteSession } from './deletion.ts'
import { appendDraft, listDrafts, readDraft } from './drafts.ts'
import { readEvents } from './events.ts'
import { listForks, readSegments } from './forks.ts'
import { listKeys, readKey, sweepKeys, type UsedKey } from './keys.ts'
import { renewLease } from './leases.ts'
import { listDue, listHeads } from './lists.ts'
import type { OpenedDatabase } from './open.ts'
import { readParts, readWaypoint } from './parts.ts'
import { rebuild } from './rebuild.ts'
import { listRecords, putRecord, type RecordQuery, readRecord } from './records.ts'
import { listRefs, readRefs } from './refs.ts'
import { scrub, sweepAllGarbage } from './scrub.ts'
import { indexSlice, isIndexBehind, resetIndex, type SearchQuery, search, sliceBytes } from './search.ts'
import { readHead, readRawSession } from './sessions.ts'
import { addTenant, listTenants, tenantOf } from './tenants.ts'
import { Transactions } from './transactions.ts'
import { readUsage, sumUsage } from './usage.ts'
import { listUsage, rollUpUsage } from './usage-walk.ts'
import { Watch } from './watch.ts'

export interface SqliteStoreOptions {
  clock: () => number
  search: boolean
}

export class SqliteStore implements seam.Store {
  readonly commitLanes: number = 1
  readonly #clock: () => number
  readonly #hasSearch: boolean
  readonly #info: seam.StoreInfo
  readonly #transactions: Transactions
  readonly #watch: Watch | undefined

  constructor(opened: OpenedDatabase, options: SqliteStoreOptions) {
    this.#clock = options.clock
    this.#hasSearch = options.search
    this.#info = infoOf(opened, options)
    this.#transactions = new Transactions(opened)
    this.#watch = opened.db.place.inMemory ? undefined : new Watch(this.#transactions)
  }

  now(): number {
    return this.#clock()
  }

  info(): seam.StoreInfo {
    return { ...this.#info, settings: { ...this.#info.settings } }
  }

  onSync(listener: (tookMs: number) => void): () => void {
    return this.#transactions.onSync(listener)
  }

  commit(commits: readonly seam.Commit[]): Promise<readonly seam.CommitOutcome[]> {
    return this.#transactions.write((db) => commitEach(db, commits, this.now()))
  }

  readHead(tenantId: TenantId, sessionId: string): Promise<seam.StoredHead | undefined> {
    return this.#read(tenantId, (db, tenant) => readHead(db, tenant, sessionId))
  }

  readEvents(tenantId: TenantId, sessionId: string, range: seam.EventRange): Promise<seam.StoredEvent[]> {
    return this.#readState(tenantId, (db, tenant) => readEvents(db, tenant, sessionId, range))
  }

  readSegments(tenantId: TenantId, sessionId: string): Promise<seam.Segment[]> {
    return this.#readState(tenantId, (db, tenant) => readSegments(db, tenant, sessionId))
  }

  readParts(
    tenantId: TenantId,
    sessionId: string,
    parts: readonly string[],
    atSeq = Number.MAX_SAFE_INTEGER,
  ): Promise<ReadonlyMap<string, string>> {
    return this.#readState(tenantId, (db, tenant) => readParts(db, tenant, sessionId, parts, atSeq))
  }

  readWaypoint(
    tenantId: TenantId,
    sessionId: string,
    atSeq: number,
  ): Promise<{ seq: number; body: string } | undefined> {
    return this.#readState(tenantId, (db, tenant) => readWaypoint(db, tenant, sessionId, atSeq))
  }

  readRefs(tenantId: TenantId, sessionId: string, kind: string, id: string): Promise<number[]> {
    return this.#readState(tenantId, (db, tenant) => readRefs(db, tenant, sessionId, kind, id))
  }

  readKey(tenantId: TenantId, sessionId: string, key: string): Promise<UsedKey | undefined> {
    return this.#readState(tenantId, (db, tenant) => readKey(db, tenant, sessionId, key))
  }

  listKeys(
    tenantId: TenantId,
    sessionId: string,
    query: { after?: string; limit: number },
  ): Promise<seam.KeyRow[]> {
    return this.#readState(tenantId, (db, tenant) => listKeys(db, tenant, sessionId, query))
  }

  readAttachment(tenantId: TenantId, sessionId: string, hash: string): Promise<Uint8Array | undefined> {
    return this.#readState(tenantId, (db, tenant) => readAttachment(db, tenant, sessionId, hash))
  }

  readAttachmentPiece(
    tenantId: TenantId,
    sessionId: string,
    hash: string,
    range: seam.ByteRange,
  ): Promise<seam.AttachmentPiece | undefined> {
    return this.#readState(tenantId, (db, tenant) =>
      readAttachmentPiece(db, tenant, sessionId, { ...range, hash }),
    )
  }

  listHeads(tenantId: TenantId, query: seam.ListQuery): Promise<seam.ListRow[]> {
    return this.#read(tenantId, (db, tenant) => listHeads(db, tenant, query))
  }

  listTenants(): Promise<TenantId[]> {
    return this.#transactions.read(listTenants)
  }

  listDue(tenantId: TenantId, kind: seam.DueKind, atMs: number, limit: number, skip = 0): Promise<string[]> {
    return this.#read(tenantId, (db, tenant) => listDue(db, tenant, kind, atMs, { limit, skip }))
  }

  listForks(tenantId: TenantId, sessionId: string): Promise<string[]> {
    return this.#readState(tenantId, (db, tenant) => listForks(db, tenant, sessionId))
  }

  renewLease(tenantId: TenantId, sessionId: string, epoch: number, ttlMs: number): Promise<boolean> {
    return this.#transactions.gather((db) =>
      renewLease(db, tenantOf(db, tenantId), sessionId, epoch, this.now() + ttlMs),
    )
  }

  appendDraft(write: seam.DraftWrite): Promise<seam.DraftOutcome> {
    return this.#transactions.gather((db) => appendDraft(db, tenantOf(db, write.tenantId), write))
  }

  readDraft(
    tenantId: TenantId,
    sessionId: string,
    draftId: string,
    afterChunk: number,
  ): Promise<seam.StoredChunk[]> {
    return this.#readState(tenantId, (db, tenant) => readDraft(db, tenant, sessionId, draftId, afterChunk))
  }

  listDrafts(tenantId: TenantId, sessionId: string): Promise<seam.OpenDraft[]> {
    return this.#readState(tenantId, (db, tenant) => listDrafts(db, tenant, sessionId))
  }

  putCheckpoint(write: seam.CheckpointWrite): Promise<void> {
    return this.#transactions.write((db) => putCheckpoint(db, tenantOf(db, write.tenantId), write))
  }

  readCheckpoint(
    tenantId: TenantId,
    threadId: string,
    namespace: string,
    checkpointId?: string,
  ): Promise<(seam.CheckpointRow & { sessionId: string }) | undefined> {
    const name = { threadId, namespace, checkpointId }
    return this.#read(tenantId, (db, tenant) => readCheckpoint(db, tenant, name))
  }

  putRecord(
    tenantId: TenantId,
    record: Omit<seam.RecordRow, 'version'>,
    expectedVersion: number,
  ): Promise<seam.RecordOutcome> {
    return this.#transactions.write((db) => putRecord(db, addTenant(db, tenantId), record, expectedVersion))
  }

  readRecord(tenantId: TenantId, kind: string, id: string): Promise<seam.RecordRow | undefined> {
    return this.#read(tenantId, (db, tenant) => readRecord(db, tenant, kind, id))
  }

  listRecords(tenantId: TenantId, kind: string, query: RecordQuery): Promise<seam.RecordRow[]> {
    return this.#read(tenantId, (db, tenant) => listRecords(db, tenant, kind, query))
  }

  readUsage(tenantId: TenantId, sessionId: string, after: number, limit: number): Promise<seam.UsageRow[]> {
    return this.#read(tenantId, (db, tenant) => readUsage(db, tenant, sessionId, after, limit))
  }

  sumUsage(tenantId: TenantId, scope: UsageScope): Promise<seam.UsageTotals> {
    return this.#read(tenantId, (db, tenant) => sumUsage(db, tenant, scope))
  }

  listUsage(
    tenantId: TenantId,
    walk: seam.UsageWalk,
  ): Promise<{ rows: seam.LedgerRow[]; next?: seam.UsagePosition }> {
    return this.#readState(tenantId, (db, tenant) => listUsage(db, tenant, walk))
  }

  rollUpUsage(
    tenantId: TenantId,
    walk: seam.UsageWalk & { by: readonly seam.UsageGrouping[] },
  ): Promise<{ groups: seam.UsageGroup[]; next?: seam.UsagePosition }> {
    return this.#readState(tenantId, (db, tenant) => rollUpUsage(db, tenant, walk))
  }

  /** A slice in each turn of the event loop, so that others come to their turn in between. */
  async indexPending(_: TenantId, textOf: seam.TextOf, maxBytes: number): Promise<boolean> {
    let left = maxBytes
    while (await this.#isIndexBehind()) {
      if (left <= 0) return true
      const slice = Math.min(left, sliceBytes)
      left -= await this.#transactions.gather((db) => indexSlice(db, textOf, slice))
    }
    return false
  }

  #isIndexBehind(): Promise<boolean> {
    return this.#transactions.read((db) => this.#hasSearch && isIndexBehind(db))
  }

  search(tenantId: TenantId, query: SearchQuery): Promise<seam.SearchHit[]> {
    return this.#readState(tenantId, (db, tenant) => (this.#hasSearch ? search(db, tenant, query) : []))
  }

  resetIndex(): Promise<void> {
    return this.#transactions.write(resetIndex)
  }

  async deleteSession(
    tenantId: TenantId,
    sessionId: string,
    options: { cascade: boolean; seq?: number },
  ): Promise<seam.DeleteOutcome> {
    const outcome = await this.#transactions.write((db) =>
      deleteSession(db, tenantOf(db, tenantId), sessionId, options),
    )
    if (outcome.status === 'deleted') await sweepAllGarbage(this.#transactions)
    return outcome
  }

  sweepKeys(atMs: number, limit: number): Promise<number> {
    return this.#transactions.write((db) => sweepKeys(db, atMs, limit))
  }

  scrub(): Promise<void> {
    return scrub(this.#transactions)
  }

  readRawSession(tenantId: TenantId, sessionId: string): Promise<seam.RawSession | undefined> {
    return this.#readState(tenantId, (db, tenant) => readRawSession(db, tenant, sessionId))
  }

  listRefs(tenantId: TenantId, sessionId: string, from: number, through: number): Promise<seam.RawRef[]> {
    return this.#readState(tenantId, (db, tenant) => listRefs(db, tenant, sessionId, from, through))
  }

  rebuild(rebuilt: seam.Rebuild): Promise<boolean> {
    return this.#transactions.write((db) => rebuild(db, tenantOf(db, rebuilt.tenantId), rebuilt))
  }

  checkStore(textOf: seam.TextOf): AsyncIterable<seam.StoreFinding> {
    return checkStore(this.#transactions, this.#info.schemaVersion, this.#hasSearch ? textOf : undefined)
  }

  checkReplication(): Promise<seam.StoreFinding[]> {
    return this.#transactions.read(() => [])
  }

  onForeignWrite(listener: () => void): () => void {
    return this.#watch?.add(listener) ?? (() => {})
  }

  async close(): Promise<void> {
    this.#watch?.stop()
    await this.#transactions.close()
  }

  /** For one statement. */
  #read<T>(tenantId: TenantId, read: (db: Connection, tenant: number) => T): Promise<T> {
    return this.#transactions.read((db) => read(db, tenantOf(db, tenantId)))
  }

  /** For several statements that must see one state. */
  #readState<T>(tenantId: TenantId, read: (db: Connection, tenant: number) => T): Promise<T> {
    return this.#transactions.read((db) => db.snapshot(() => read(db, tenantOf(db, tenantId))))
  }
}

function infoOf({ db, schemaVersion }: OpenedDatabase, { search }: SqliteStoreOptions): seam.StoreInfo {
  const { driver, durability, inMemory } = db.place
  return {
    engine: 'sqlite',
    engineVersion: db.engineVersion,
    durable: durability === 'full' && !inMemory,
    schemaVersion,
    settings: { ...db.settings, driver: driver.name, search: search ? 'on' : 'off' },
  }
}
