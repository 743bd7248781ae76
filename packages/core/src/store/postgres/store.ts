/** One handle on a Postgres place: leaves the work to the file that owns it. */
import { isHoldfastError, type TenantId } from '@holdfast/protocol'
import type * as seam from '../store.ts'
import type { UsageScope } from '../usage-rows.ts'
import { readAttachment, readAttachmentPiece } from './attachments.ts'
import { checkStore } from './check.ts'
import { putCheckpoint, readCheckpoint } from './checkpoints.ts'
import { Clock } from './clock.ts'
import { commitBatch } from './commit.ts'
import type { CommitWay } from './commit-way.ts'
import type { Connections } from './connection.ts'
import { deleteSession, sweepGarbage } from './deletion.ts'
import { appendDraft, listDrafts, readDraft } from './drafts.ts'
import { readEvents } from './events.ts'
import { listForks, readSegments } from './forks.ts'
import { listKeys, readKey, sweepKeys, type UsedKey } from './keys.ts'
import { Known } from './known.ts'
import { renewLease } from './leases.ts'
import { listDue, listHeads } from './lists.ts'
import type { OpenedDatabase } from './open.ts'
import { readParts, readWaypoint } from './parts.ts'
import { Places } from './places.ts'
import { rebuild } from './rebuild.ts'
import { listRecords, putRecord, type RecordQuery, readRecord } from './records.ts'
import { listRefs, readRefs } from './refs.ts'
import { checkReplication } from './replication.ts'
import { scrub } from './scrub.ts'
import { indexPending, resetIndex, type SearchQuery, search } from './search.ts'
import { readHead, readRawSession } from './sessions.ts'
import { listTenants } from './tenants.ts'
import { Transactions } from './transactions.ts'
import { readUsage, sumUsage } from './usage.ts'
import { listUsage, rollUpUsage } from './usage-walk.ts'
import { Watch } from './watch.ts'

export interface PostgresStoreOptions {
  clock: (() => number) | undefined
  search: boolean
}

export class PostgresStore implements seam.Store {
  readonly commitLanes = 2
  readonly #clock: Clock
  readonly #known = new Known()
  readonly #hasSearch: boolean
  readonly #info: seam.StoreInfo
  readonly #db: Transactions
  readonly #synchronousCommit: string
  readonly #places: Places
  readonly #way: CommitWay
  readonly #owner: Connections
  readonly #ear: Connections
  readonly #watch: Watch

  constructor(opened: OpenedDatabase, { clock, search }: PostgresStoreOptions) {
    this.#clock = new Clock(clock)
    this.#clock.hear(opened.server.nowMs)
    this.#hasSearch = search
    this.#info = infoOf(opened, search)
    this.#synchronousCommit = opened.settings.synchronousCommit
    this.#way = opened.target.way
    this.#db = new Transactions(opened.connections, opened.settings, opened.target.sending)
    this.#places = new Places(this.#db, this.#clock)
    this.#owner = opened.owner
    this.#ear = opened.ear
    this.#watch = new Watch(this.#db, opened.ear, opened.server.handle)
  }

  now(): number {
    return this.#clock.now()
  }

  info(): seam.StoreInfo {
    return { ...this.#info, settings: { ...this.#info.settings } }
  }

  async commit(commits: readonly seam.Commit[]): Promise<readonly seam.CommitOutcome[]> {
    const desk = {
      db: this.#db,
      clock: this.#clock,
      known: this.#known,
      places: this.#places,
      way: this.#way,
    }
    return this.#telling(commitBatch(desk, commits))
  }

  readHead(tenantId: TenantId, sessionId: string): Promise<seam.StoredHead | undefined> {
    return readHead(this.#db, tenantId, sessionId)
  }

  readEvents(tenantId: TenantId, sessionId: string, range: seam.EventRange): Promise<seam.StoredEvent[]> {
    return readEvents(this.#db, tenantId, sessionId, range)
  }

  readSegments(tenantId: TenantId, sessionId: string): Promise<seam.Segment[]> {
    return readSegments(this.#db, tenantId, sessionId)
  }

  readParts(
    tenantId: TenantId,
    sessionId: string,
    parts: readonly string[],
    atSeq = Number.MAX_SAFE_INTEGER,
  ): Promise<ReadonlyMap<string, string>> {
    return readParts(this.#db, tenantId, sessionId, parts, atSeq)
  }

  readWaypoint(
    tenantId: TenantId,
    sessionId: string,
    atSeq: number,
  ): Promise<{ seq: number; body: string } | undefined> {
    return readWaypoint(this.#db, tenantId, sessionId, atSeq)
  }

  readRefs(tenantId: TenantId, sessionId: string, kind: string, id: string): Promise<number[]> {
    return readRefs(this.#db, tenantId, sessionId, kind, id)
  }

  readKey(tenantId: TenantId, sessionId: string, key: string): Promise<UsedKey | undefined> {
    return readKey(this.#db, tenantId, sessionId, key)
  }

  listKeys(
    tenantId: TenantId,
    sessionId: string,
    query: { after?: string; limit: number },
  ): Promise<seam.KeyRow[]> {
    return listKeys(this.#db, tenantId, sessionId, query)
  }

  readAttachment(tenantId: TenantId, sessionId: string, hash: string): Promise<Uint8Array | undefined> {
    return readAttachment(this.#db, tenantId, sessionId, hash)
  }

  readAttachmentPiece(
    tenantId: TenantId,
    sessionId: string,
    hash: string,
    range: seam.ByteRange,
  ): Promise<seam.AttachmentPiece | undefined> {
    return readAttachmentPiece(this.#db, tenantId, sessionId, { ...range, hash })
  }

  listHeads(tenantId: TenantId, query: seam.ListQuery): Promise<seam.ListRow[]> {
    return listHeads(this.#db, this.#places, tenantId, query)
  }

  listTenants(): Promise<TenantId[]> {
    return listTenants(this.#db)
  }

  listDue(tenantId: TenantId, kind: seam.DueKind, atMs: number, limit: number, skip = 0): Promise<string[]> {
    return listDue(this.#db, tenantId, kind, atMs, { limit, skip })
  }

  listForks(tenantId: TenantId, sessionId: string): Promise<string[]> {
    return listForks(this.#db, tenantId, sessionId)
  }

  renewLease(tenantId: TenantId, sessionId: string, epoch: number, ttlMs: number): Promise<boolean> {
    return renewLease(this.#db, this.#clock, tenantId, { sessionId, epoch, ttlMs })
  }

  appendDraft(write: seam.DraftWrite): Promise<seam.DraftOutcome> {
    return this.#telling(appendDraft(this.#db, write))
  }

  readDraft(
    tenantId: TenantId,
    sessionId: string,
    draftId: string,
    afterChunk: number,
  ): Promise<seam.StoredChunk[]> {
    return readDraft(this.#db, tenantId, sessionId, draftId, afterChunk)
  }

  listDrafts(tenantId: TenantId, sessionId: string): Promise<seam.OpenDraft[]> {
    return listDrafts(this.#db, tenantId, sessionId)
  }

  putCheckpoint(write: seam.CheckpointWrite): Promise<void> {
    return putCheckpoint(this.#db, write.tenantId, write)
  }

  readCheckpoint(
    tenantId: TenantId,
    threadId: string,
    namespace: string,
    checkpointId?: string,
  ): Promise<(seam.CheckpointRow & { sessionId: string }) | undefined> {
    return readCheckpoint(this.#db, tenantId, { threadId, namespace, checkpointId })
  }

  putRecord(
    tenantId: TenantId,
    record: Omit<seam.RecordRow, 'version'>,
    expectedVersion: number,
  ): Promise<seam.RecordOutcome> {
    return putRecord(this.#db, tenantId, record, expectedVersion)
  }

  readRecord(tenantId: TenantId, kind: string, id: string): Promise<seam.RecordRow | undefined> {
    return readRecord(this.#db, tenantId, kind, id)
  }

  listRecords(tenantId: TenantId, kind: string, query: RecordQuery): Promise<seam.RecordRow[]> {
    return listRecords(this.#db, tenantId, kind, query)
  }

  readUsage(tenantId: TenantId, sessionId: string, after: number, limit: number): Promise<seam.UsageRow[]> {
    return readUsage(this.#db, tenantId, sessionId, after, limit)
  }

  sumUsage(tenantId: TenantId, scope: UsageScope): Promise<seam.UsageTotals> {
    return sumUsage(this.#db, tenantId, scope)
  }

  listUsage(
    tenantId: TenantId,
    walk: seam.UsageWalk,
  ): Promise<{ rows: seam.LedgerRow[]; next?: seam.UsagePosition }> {
    return listUsage(this.#db, tenantId, walk)
  }

  rollUpUsage(
    tenantId: TenantId,
    walk: seam.UsageWalk & { by: readonly seam.UsageGrouping[] },
  ): Promise<{ groups: seam.UsageGroup[]; next?: seam.UsagePosition }> {
    return rollUpUsage(this.#db, tenantId, walk)
  }

  async indexPending(tenantId: TenantId, textOf: seam.TextOf, maxBytes: number): Promise<boolean> {
    return this.#hasSearch && indexPending(this.#db, tenantId, textOf, maxBytes)
  }

  async search(tenantId: TenantId, query: SearchQuery): Promise<seam.SearchHit[]> {
    return this.#hasSearch ? search(this.#db, tenantId, query) : []
  }

  resetIndex(): Promise<void> {
    return resetIndex(this.#db)
  }

  async deleteSession(
    tenantId: TenantId,
    sessionId: string,
    options: { cascade: boolean; seq?: number },
  ): Promise<seam.DeleteOutcome> {
    const outcome = await this.#telling(deleteSession(this.#db, tenantId, sessionId, options))
    if (outcome.status === 'deleted') await this.#sweep(tenantId)
    return outcome
  }

  sweepKeys(atMs: number, limit: number): Promise<number> {
    return sweepKeys(this.#db, atMs, limit)
  }

  scrub(): Promise<void> {
    return scrub(this.#db, this.#owner)
  }

  readRawSession(tenantId: TenantId, sessionId: string): Promise<seam.RawSession | undefined> {
    return readRawSession(this.#db, tenantId, sessionId)
  }

  listRefs(tenantId: TenantId, sessionId: string, from: number, through: number): Promise<seam.RefRow[]> {
    return listRefs(this.#db, tenantId, sessionId, from, through)
  }

  rebuild(rebuilt: seam.Rebuild): Promise<boolean> {
    return this.#telling(rebuild(this.#db, this.#known, rebuilt))
  }

  checkStore(textOf: seam.TextOf): AsyncIterable<seam.StoreFinding> {
    return checkStore(this.#db, this.#info, this.#hasSearch ? textOf : undefined)
  }

  async checkReplication(): Promise<seam.StoreFinding[]> {
    this.#db.requireOpen()
    return checkReplication(this.#owner, this.#synchronousCommit)
  }

  onForeignWrite(listener: () => void): () => void {
    return this.#watch.add(listener)
  }

  async close(): Promise<void> {
    await this.#watch.stop()
    await this.#db.close()
    await Promise.all([this.#owner.close(), this.#ear.close()])
  }

  /** The session is gone whether or not its rows can be swept now: what is left is swept by the next deletion or scrub. */
  async #sweep(tenantId: TenantId): Promise<void> {
    await sweepGarbage(this.#db, tenantId).catch((error: unknown) => {
      if (!isHoldfastError(error)) throw error
    })
  }

  /** Other handles hear of the write. */
  async #telling<T>(write: Promise<T>): Promise<T> {
    const outcome = await write
    this.#watch.tell()
    return outcome
  }
}

function infoOf(
  { connections, server, settings, schemaVersion }: OpenedDatabase,
  search: boolean,
): seam.StoreInfo {
  const { fsync, fullPageWrites, version } = server
  return {
    engine: 'postgres',
    engineVersion: version,
    durable: fsync === 'on' && settings.synchronousCommit !== 'off',
    schemaVersion,
    settings: {
      fsync,
      full_page_writes: fullPageWrites,
      synchronous_commit: settings.synchronousCommit,
      role: settings.role,
      schema: connections.place.schema,
      search: search ? 'on' : 'off',
    },
  }
}
