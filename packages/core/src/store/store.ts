/**
 * The seam between the log and what keeps it. A store stores: it decides nothing about what a session means. Every
 * promise is a numbered clause in `clauses.ts`, and every clause has at least one case in `conformance/`, run on every
 * store. Refusals are values (`CommitOutcome`); a thrown error is a `HoldfastError` of the store family.
 */
import type { HoldfastError, TenantId } from '@holdfast/protocol'

/** A new event. Its seq is `baseSeq + 1 + index`; `body` is the exact JSON text that every reader gets back. */
export interface NewEvent {
  type: string
  v: number
  /** ISO-8601 with `Z`. Informs; never orders. */
  at: string
  body: string
}

export interface StoredEvent extends NewEvent {
  seq: number
  /** The commit that wrote it. */
  commitId: string
}

/** The columns that lists and sweeps need, beside the head's JSON text. */
export interface HeadRow {
  /** JSON text of the head; the store never reads inside it. */
  body: string
  agentId: string
  ownerUserId: string | undefined
  conversationId: string
  threadId: string
  rootSessionId: string
  /** Milliseconds. */
  createdAtMs: number
  /** Seconds: moves at most once a second, so that a busy session rarely moves its index rows. */
  activity: number
  /** Set while a question is open: when it was asked, in milliseconds. */
  questionAskedAtMs: number | undefined
  /** Set while a question with an expiry is open. */
  questionExpiresAtMs: number | undefined
  /** Set while the session can still expire. */
  expiresAtMs: number | undefined
}

export interface PartRow {
  part: string
  /** JSON text; undefined removes the part from here on. */
  body: string | undefined
}

/** A lookup from a chosen id to the events that carry it. `(kind, id, seq)` is unique in a session. */
export interface RefRow {
  kind: string
  id: string
  seq: number
}

/** A ref as it stands, for finding damage. */
export interface RawRef extends RefRow {
  /** Its row fails its checksum. */
  damaged?: true
}

/** One row of the ledger. Token counts; money in micro-cents, undefined when unknown. */
export interface UsageRow {
  attemptId: string
  seq: number
  at: string
  runId: string | undefined
  rootSessionId: string
  ownerUserId: string | undefined
  agentId: string
  providerId: string | undefined
  model: string | undefined
  purpose: string
  status: string
  promptTokens: number
  completionTokens: number
  reasoningTokens: number
  cachedReadTokens: number
  cachedWriteTokens: number
  /** Of `cachedWriteTokens`; undefined: none, or nobody told. */
  cachedWriteHourTokens: number | undefined
  costMicrocents: number | undefined
  costSource: string
  /** Which price book gave the cost. */
  priceBook: string | undefined
  estimated: boolean
}

/**
 * Who may write to the live run. Not folded: heartbeats move it without an event. `epoch` only grows. Without an owner,
 * `expiresAtMs` says since when somebody is wanted to work on the session.
 */
export interface LeaseRow {
  epoch: number
  owner: string | undefined
  expiresAtMs: number | undefined
}

/** An idempotency key with the commit that used it. */
export interface KeyRow {
  key: string
  hash: string
  firstSeq: number
  lastSeq: number
  expiresAtMs: number
}

export type LeaseChange =
  /** Succeeds only if the epoch is still `fromEpoch` and nobody holds the lease, or now ≥ `expiresAtMs` by the store's clock. */
  | { type: 'take'; fromEpoch: number; owner: string; ttlMs: number }
  /**
   * Succeeds only together with a matching `epoch` on the commit; without one it is `fenced`. `lost`: by another than its
   * holder, and only if now ≥ `expiresAtMs` by the store's clock. `due`: the end of the free lease is now, not none.
   */
  | { type: 'release'; lost?: true; due?: true }
  /** Says of a session that nobody holds whether somebody is wanted to work on it: from now on, or no more. Held, it changes nothing. */
  | { type: 'due'; isDue: boolean }

export interface Attachment {
  /** SHA-256 of the bytes, lower-case hex. */
  hash: string
  bytes: Uint8Array
}

export interface ByteRange {
  offset: number
  length: number
}

/** Bytes of an attachment, and how many it has in all. */
export interface AttachmentPiece {
  bytes: Uint8Array
  size: number
}

/** Where a fork's prefix is read from: seqs `from`…`to` of `sessionId`, both included. Ordered, gap-free from 1. */
export interface Segment {
  sessionId: string
  from: number
  to: number
}

/** One of a fork that is to be made. */
export interface NewSegment extends Segment {
  /** Head of that session before the fork was decided: it is refused when something was erased there since. */
  headSeq?: number
}

/**
 * One session's write: all of it or nothing. Reasons to refuse it are looked at in this order: key, existence, epoch,
 * base, lease. Parts and waypoints count from its last seq, attachments from its first.
 */
export interface Commit {
  tenantId: TenantId
  sessionId: string
  /** Chosen anew for each commit; the same when it is sent again because its outcome was unknown. */
  commitId: string
  /** Seq of the last event it was decided on; 0 creates the session (with `segments`: their last seq). */
  baseSeq: number
  /** True for the first commit of a session. */
  create: boolean
  segments?: readonly NewSegment[]
  /** The commit is refused (`fenced`) unless the lease row has this epoch and an owner. */
  epoch?: number
  lease?: LeaseChange
  key?: { key: string; hash: string; expiresAtMs: number }
  /** One at least. */
  events: readonly NewEvent[]
  head: HeadRow
  parts: readonly PartRow[]
  refs: readonly RefRow[]
  usage: readonly UsageRow[]
  attachments: readonly Attachment[]
  /** Keep this head as a waypoint at the commit's last seq. */
  waypoint: boolean
  /** Drafts whose text this commit makes durable as events: their chunks go, and a ref of kind `draft` closes them for ever. */
  dropDrafts: readonly string[]
  /**
   * Seqs whose bodies are replaced in the same transaction. Parts, waypoints and refs that hold to a seq at or after the
   * lowest of them go too, checkpoints written when the session had come that far with the bodies that no checkpoint names
   * any more, all drafts, the named attachments, and the index rows of the erased events; the parts of this commit are
   * written after that. On a fork, seqs of its prefix change what the fork derived and nothing of its source. Keys stay:
   * they hold digests and no content, and a repeated call must not take effect a second time.
   */
  erase?: {
    seqs: readonly number[]
    erasedBody: (row: StoredEvent) => string
    /** Hashes of own attachments that no event names any more. */
    attachments?: readonly string[]
  }
}

/** What became of a commit that the store could judge. */
export type Verdict =
  | { status: 'committed'; firstSeq: number; lastSeq: number; lease: LeaseRow }
  /** The key was used with the same hash: these events are its effect. Nothing was written now. */
  | { status: 'replayed'; firstSeq: number; lastSeq: number }
  | { status: 'key_conflict' }
  /** The head is elsewhere; `seq` is 0 when the session does not exist. */
  | { status: 'conflict'; seq: number }
  | { status: 'fenced'; epoch: number }
  | { status: 'lease_held'; lease: LeaseRow }
  /** `create` names an id that exists or was deleted. */
  | { status: 'id_taken' }
  /** A segment names a session that does not exist (any more), ends after its head, or was erased from since. */
  | { status: 'source_missing' }

/** `failed`: the store could not, for the reason that `error` gives; others of the batch may be written. */
export type CommitOutcome = Verdict | { status: 'failed'; error: HoldfastError }

export interface StoredHead {
  sessionId: string
  seq: number
  body: string
  lease: LeaseRow
}

export interface EventRange {
  /** Exclusive lower end. */
  after?: number
  /** Inclusive upper end. */
  through?: number
  limit: number
  /** The page ends before the event that would pass this; it has at least one event. Bytes of body text. */
  maxBytes: number
  direction: 'forward' | 'backward'
}

export type ListIndex = 'all' | 'owner' | 'agent' | 'conversation' | 'thread' | 'root' | 'question'

/**
 * `all`, `owner`, `agent`: newest activity first. `conversation`, `thread`, `root`: oldest creation first.
 * `question`: sessions with an open question, longest waiting first. Ties break on the id, in the same direction.
 */
export interface ListQuery {
  index: ListIndex
  /** Required except for `all` and `question`. */
  value?: string
  /** Exclusive: the key and id of the last row seen. */
  after?: { key: number; id: string }
  limit: number
}

export interface ListRow extends StoredHead {
  key: number
  /** The head fails its checksum: `body` is not to be read. The row stands for the session, so that none is hidden. */
  damaged?: true
}

export type DueKind = 'expiry' | 'question' | 'lease'

export interface DraftChunk {
  kind: 'text' | 'reasoning'
  text: string
}

export interface DraftWrite {
  tenantId: TenantId
  sessionId: string
  draftId: string
  runId: string
  /** The writing run's epoch; a stale one is refused. */
  epoch: number
  /** Number of the first chunk, from 1; must follow the last stored one. */
  first: number
  chunks: readonly DraftChunk[]
}

export type DraftOutcome =
  | { status: 'written' }
  | { status: 'fenced'; epoch: number }
  | { status: 'gap'; last: number }
  /** A commit has dropped it. */
  | { status: 'closed' }

export interface StoredChunk extends DraftChunk {
  chunk: number
}

export interface OpenDraft {
  draftId: string
  runId: string
  epoch: number
  /** Number of its last chunk. */
  last: number
}

/** A saved graph state. `channels` maps each channel to the SHA-256 of its body; unchanged channels repeat a hash. */
export interface CheckpointRow {
  threadId: string
  namespace: string
  checkpointId: string
  parentId: string | undefined
  channels: Readonly<Record<string, string>>
}

export interface CheckpointWrite extends CheckpointRow {
  tenantId: TenantId
  sessionId: string
  /** Bodies that the session does not hold yet. A channel hash with no body anywhere is `invalid_input`. */
  bodies: readonly { hash: string; body: string }[]
  /** Of the event that names it; absent: the session's last. */
  seq?: number
  /** The event was there before this call: what it or a later one of the session has put stays as it is, and newer. */
  replayed?: boolean
}

export interface RecordRow {
  kind: string
  id: string
  version: number
  /** Optional grouping value that `listRecords` can filter by. */
  key: string | undefined
  body: string
}

export type RecordOutcome = { status: 'written'; version: number } | { status: 'conflict'; version: number }

export interface UsageTotals {
  rows: number
  promptTokens: number
  completionTokens: number
  reasoningTokens: number
  cachedReadTokens: number
  cachedWriteTokens: number
  /** Sum of the known costs. */
  costMicrocents: number
  costUnknown: number
  costEstimated: number
}

/** A row of any session, deleted ones too. */
export interface LedgerRow extends UsageRow {
  sessionId: string
}

/** Values that rows have; null for rows without one. */
export interface UsageFilter {
  sessionId?: string
  rootSessionId?: string
  ownerUserId?: string | null
  agentId?: string
  providerId?: string | null
  model?: string | null
  purpose?: string
  /** Not earlier, and earlier than: the beginning of an ISO time down to the whole second, compared as text. */
  from?: string
  until?: string
}

export type UsageColumn = Exclude<keyof UsageFilter, 'from' | 'until'>

/** What sums are grouped by. `day` is the UTC date of `at`: its first ten characters. */
export type UsageGrouping = UsageColumn | 'day'

/** The last row that was looked at. Rows are in order of `at`, session id and seq; texts by their bytes. */
export interface UsagePosition {
  at: string
  sessionId: string
  seq: number
}

/** A stretch of a walk along the ledger. */
export interface UsageWalk {
  filter: UsageFilter
  after?: UsagePosition
  /**
   * Rows to look at: those of the session that the filter names, else of the tree, else of the tenant, within its time.
   * The rest of the filter chooses among them.
   */
  limit: number
}

/** Sums of the rows that have these values in the named columns. */
export interface UsageGroup extends UsageTotals {
  key: readonly (string | undefined)[]
}

export type DeleteOutcome =
  | { status: 'deleted'; sessions: readonly string[]; events: number }
  | { status: 'missing' }
  /** Others are based on it; nothing was deleted. */
  | { status: 'has_forks'; forks: readonly string[] }
  /** Its head is not at the named seq any more; nothing was deleted. */
  | { status: 'moved'; seq: number }

export interface SearchHit {
  sessionId: string
  seq: number
  /** Lower is better. */
  score: number
}

/** Text of an event that full-text search finds it by; undefined for none. */
export type TextOf = (type: string, body: string) => string | undefined

/** A session's row as it stands, whether or not it can be believed: for finding damage. */
export interface RawSession {
  /** What the row says the last seq is. */
  seq: number
  /** Of its last own event row; where its prefix ends when it has none. */
  lastSeq: number
  head: HeadRow
  /** `head.body` fails its checksum and is not to be read. */
  damaged?: true
  /** What else fails a checksum: where the log begins and ends, the columns that lists go by, the lease. A rebuild mends the row. */
  suspect?: readonly ('row' | 'columns' | 'lease')[]
  lease: LeaseRow
}

/** Rows derived from a session's log that are put in place of damaged ones. All of it or nothing; no event changes. */
export interface Rebuild {
  tenantId: TenantId
  sessionId: string
  /** Seq of the last event that it was folded from. The session's row is made to say so. */
  lastSeq: number
  /** In place of the head and its columns. */
  head?: HeadRow
  /** In place of the lease. */
  lease?: LeaseRow
  /** Each in place of the row of that part at that seq. */
  parts: readonly (PartRow & { seq: number })[]
  waypoints: readonly { seq: number; body: string }[]
  refs: readonly RefRow[]
  /** Refs that no event stands for. */
  strayRefs: readonly RefRow[]
  /** In place of all usage rows of `usageSeqs`. */
  usage: readonly UsageRow[]
  usageSeqs: readonly number[]
}

/** What a store can find wrong with itself. */
export type StoreFindingCode =
  /** The engine says that its own structures are damaged. */
  | 'engine_damaged'
  /** A setting that was in force when the store was opened is not. */
  | 'setting_lost'
  /** The schema is not of the version that this handle knows. */
  | 'schema_moved'
  /** Events of a session whose row is gone, although nobody deleted it. */
  | 'session_lost'
  /** Rows that nothing names: of sessions deleted half-way, bodies of no event. */
  | 'stray_rows'
  /** There are sessions, or rows of the ledger, of a tenant whose row is gone. */
  | 'tenant_lost'
  /** The count of what waits to be made final is damaged. */
  | 'erasures_wrong'
  /** A session that is there is marked as one whose rows are to be swept. */
  | 'garbage_wrong'
  /** Text of a draft whose row is gone, or a draft of a session whose row is. */
  | 'draft_lost'
  /** A checkpoint, or a body that it names, fails its checksum or is missing. */
  | 'checkpoint_damaged'
  /** A row that is folded from no log fails its checksum. */
  | 'row_damaged'
  /** A failure of one machine may take what was acknowledged. */
  | 'at_risk'
  /** Where else what is acknowledged is. */
  | 'replicated'
  /** The search index lacks events that it claims to hold, or holds words of none. */
  | 'index_stale'

export interface StoreFinding {
  code: StoreFindingCode
  tenantId?: TenantId
  sessionId?: string
  /** Says what and where, never content. */
  message: string
}

export interface StoreInfo {
  /** Name of the engine, for messages. */
  engine: string
  engineVersion: string
  /** Whether a resolved commit survives a power cut with the settings in force. */
  durable: boolean
  schemaVersion: number
  settings: Readonly<Record<string, string | number>>
}

export interface Store {
  /** Milliseconds by the clock that judges leases, keys and expiry. */
  now(): number
  info(): StoreInfo
  /** How many `commit` calls may be under way at once with profit. */
  readonly commitLanes: number

  /**
   * Tells, for figures, how many milliseconds the end of each transaction took, in which the engine makes it durable. Returns
   * the way to stop. Absent where that is not told from the rest of a transaction.
   */
  onSync?(listener: (tookMs: number) => void): () => void

  /** Writes each commit that may be written, as if in order, durably, and answers for each. Rejects only when the whole batch failed. */
  commit(commits: readonly Commit[]): Promise<readonly CommitOutcome[]>

  readHead(tenantId: TenantId, sessionId: string): Promise<StoredHead | undefined>
  readEvents(tenantId: TenantId, sessionId: string, range: EventRange): Promise<readonly StoredEvent[]>
  /** Where a fork's prefix comes from; empty for a session of its own. */
  readSegments(tenantId: TenantId, sessionId: string): Promise<readonly Segment[]>
  /** The newest row of each named part at or before `atSeq` (default: now). Own rows only. */
  readParts(
    tenantId: TenantId,
    sessionId: string,
    parts: readonly string[],
    atSeq?: number,
  ): Promise<ReadonlyMap<string, string>>
  /** The newest kept head at or before `atSeq`. Own rows only. */
  readWaypoint(
    tenantId: TenantId,
    sessionId: string,
    atSeq: number,
  ): Promise<{ seq: number; body: string } | undefined>
  /** Seqs that carry this id, rising, through the segments of a fork. */
  readRefs(tenantId: TenantId, sessionId: string, kind: string, id: string): Promise<readonly number[]>
  readKey(
    tenantId: TenantId,
    sessionId: string,
    key: string,
  ): Promise<{ hash: string; firstSeq: number; lastSeq: number } | undefined>
  /** Own keys that were not swept yet, by key, rising; texts by their bytes. */
  listKeys(
    tenantId: TenantId,
    sessionId: string,
    query: { after?: string; limit: number },
  ): Promise<readonly KeyRow[]>
  /** An attachment or checkpoint body by its hash, through the segments of a fork. */
  readAttachment(tenantId: TenantId, sessionId: string, hash: string): Promise<Uint8Array | undefined>
  /**
   * `length` bytes of it from `offset` on, fewer where it ends. Unverified, for the checksum is of the whole: whoever reads it
   * piece after piece holds all of them against the hash.
   */
  readAttachmentPiece(
    tenantId: TenantId,
    sessionId: string,
    hash: string,
    range: ByteRange,
  ): Promise<AttachmentPiece | undefined>

  listHeads(tenantId: TenantId, query: ListQuery): Promise<readonly ListRow[]>
  /** Tenants that have, or had, a session. One whose row is damaged is named by `checkStore` and not here. */
  listTenants(): Promise<readonly TenantId[]>
  /** Sessions whose expiry, question or lease time is at or before `atMs`, earliest first, after the first `skip` of them. */
  listDue(
    tenantId: TenantId,
    kind: DueKind,
    atMs: number,
    limit: number,
    skip?: number,
  ): Promise<readonly string[]>
  listForks(tenantId: TenantId, sessionId: string): Promise<readonly string[]>

  /** Moves the lease's end to now + ttlMs if the epoch still holds it. False: it does not. */
  renewLease(tenantId: TenantId, sessionId: string, epoch: number, ttlMs: number): Promise<boolean>

  appendDraft(write: DraftWrite): Promise<DraftOutcome>
  readDraft(
    tenantId: TenantId,
    sessionId: string,
    draftId: string,
    afterChunk: number,
  ): Promise<readonly StoredChunk[]>
  listDrafts(tenantId: TenantId, sessionId: string): Promise<readonly OpenDraft[]>

  putCheckpoint(write: CheckpointWrite): Promise<void>
  /** With an id that checkpoint, without one the newest written. */
  readCheckpoint(
    tenantId: TenantId,
    threadId: string,
    namespace: string,
    checkpointId?: string,
  ): Promise<(CheckpointRow & { sessionId: string }) | undefined>

  /** Compare-and-set: `expectedVersion` 0 inserts. */
  putRecord(
    tenantId: TenantId,
    record: Omit<RecordRow, 'version'>,
    expectedVersion: number,
  ): Promise<RecordOutcome>
  readRecord(tenantId: TenantId, kind: string, id: string): Promise<RecordRow | undefined>
  /** By id, rising. */
  listRecords(
    tenantId: TenantId,
    kind: string,
    query: { key?: string; after?: string; limit: number },
  ): Promise<readonly RecordRow[]>

  /** Rows of one session by seq, rising. `store_corrupt` has the `seq` of the damaged one in its details. */
  readUsage(tenantId: TenantId, sessionId: string, after: number, limit: number): Promise<readonly UsageRow[]>
  /** Sums over the rows, computed now: of a session, of a tree, or of the tenant. A sum past 2⁵³−1 is `limit_exceeded`. */
  sumUsage(tenantId: TenantId, scope: { sessionId?: string; rootSessionId?: string }): Promise<UsageTotals>
  /** Rows of one stretch, in order. `next` is absent when there are no more to look at. */
  listUsage(
    tenantId: TenantId,
    walk: UsageWalk,
  ): Promise<{ rows: readonly LedgerRow[]; next?: UsagePosition }>
  /** The same stretch added up, one group for each key that occurs, in any order: the groups of all stretches add up to the whole. */
  rollUpUsage(
    tenantId: TenantId,
    walk: UsageWalk & { by: readonly UsageGrouping[] },
  ): Promise<{ groups: readonly UsageGroup[]; next?: UsagePosition }>

  /** Indexes up to `maxBytes` of pending text, the tenant's at least. True when more waits. */
  indexPending(tenantId: TenantId, textOf: TextOf, maxBytes: number): Promise<boolean>
  /** Words of the query that must all appear in an event; best first. The index is as fresh as the last `indexPending`. */
  search(
    tenantId: TenantId,
    query: { words: readonly string[]; sessionId?: string; limit: number; offset: number },
  ): Promise<readonly SearchHit[]>
  /** Drops the search index; the next `indexPending` calls rebuild it. */
  resetIndex(): Promise<void>

  /**
   * Removes the session with everything of it, leaving a tombstone; usage rows stay without user. With `cascade`, its
   * forks too. With `seq` only if its head is still there, judged with the deletion in one transaction, before the forks.
   */
  deleteSession(
    tenantId: TenantId,
    sessionId: string,
    options: { cascade: boolean; seq?: number },
  ): Promise<DeleteOutcome>
  /** Removes keys that expired at or before `atMs`; at most `limit`. Returns how many. */
  sweepKeys(atMs: number, limit: number): Promise<number>
  /**
   * Makes earlier deletions and erasures final: no freed page, index or journal that we hold keeps their bytes. Takes away
   * what `checkStore` calls `stray_rows`, and the marks that it calls `garbage_wrong`.
   */
  scrub(): Promise<void>

  /** The session's row, unjudged, and where its event rows end. */
  readRawSession(tenantId: TenantId, sessionId: string): Promise<RawSession | undefined>
  /** Own refs with seqs `from`…`through`, both included, in no order; without those of kind `draft`, which the store makes. */
  listRefs(tenantId: TenantId, sessionId: string, from: number, through: number): Promise<readonly RawRef[]>
  /** Also takes away what was derived beyond `lastSeq`. False, and nothing done: the last event row has another seq. */
  rebuild(rebuild: Rebuild): Promise<boolean>
  /** Everything that the store finds wrong with itself; each store looks at what it can. Reads only, a slice at a time. */
  checkStore(textOf: TextOf): AsyncIterable<StoreFinding>
  /** On which other machines it is, and what may be lost with this one; nothing where the engine has no other machines. */
  checkReplication(): Promise<readonly StoreFinding[]>

  /** Calls `listener` after another process wrote to the same store (a hint: it may come late or too often). Returns the way to stop. */
  onForeignWrite(listener: () => void): () => void

  /** Idempotent. Every later call rejects with `store_closed`. */
  close(): Promise<void>
}

/** How a host names a store: `sqlite(path)`, `memory()`. Opening checks the engine and migrates. */
export interface StoreFactory {
  open(options: { clock?: () => number }): Promise<Store>
}
