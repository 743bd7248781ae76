/** What a server answers, beside the shapes that have files of their own. */
import { z } from 'zod'
import { envelope } from './events/index.ts'
import { externalId, id } from './ids.ts'
import { json } from './json.ts'
import { message } from './message.ts'
import { objectOnUse, onUse } from './on-use.ts'
import { recordSchemas, scope } from './records.ts'
import { run, runState, session } from './session.ts'
import { taskStatus } from './task.ts'
import { time } from './time.ts'

const count = onUse(() => z.int().min(0))
const seq = onUse(() => z.int().min(1))

/** A page: give `next` as `after` for the one that follows; null when there is nothing more now. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ data: z.array(item), next: z.string().nullable() })
}
export interface Page<T> {
  data: T[]
  next: string | null
}

/** An event among those of a whole tree: whose it is. */
export const treeEvent = onUse(() => envelope.extend({ sessionId: id }))

/** What a write did. `changed` is false when there was nothing to change. */
export const receipt = objectOnUse(() => ({
  changed: z.boolean(),
  firstSeq: seq.optional(),
  lastSeq: seq.optional(),
  /** The session's version, when this write moved it. */
  version: seq.optional(),
}))
export type WriteReceipt = z.infer<typeof receipt>

export const appended = onUse(() =>
  receipt.extend({
    messages: z.array(z.strictObject({ id, seq, waiting: z.enum(['enqueue', 'steer']).optional() })),
  }),
)
export type AppendReceipt = z.infer<typeof appended>

export const asked = onUse(() => receipt.extend({ questionId: id }))
export const taskUpdated = onUse(() => receipt.extend({ itemId: id, status: taskStatus.optional() }))
export const checkpointSaved = onUse(() => receipt.extend({ checkpointId: id }))

/** A child, and the seq of its parent's event. */
export const childSpawned = objectOnUse(() => ({ childId: id, seq }))
/** A run as its worker holds it: `epoch` goes with every write. */
export type HeldRun = z.infer<typeof runHeld>
export const runHeld = objectOnUse(() => ({ runId: id, epoch: z.int().min(1), state: runState }))
/** What a write of a run did, and where the run stands since. */
export const runWritten = onUse(() => appended.extend({ state: runState, epoch: z.int().min(1) }))
/** A session that came in from a file: `events` are those that were not here yet. */
export type ImportedSession = z.infer<typeof imported>
export const imported = objectOnUse(() => ({ sessionId: id, isNew: z.boolean(), events: count }))

/** A session in a list: what its head says. */
export const sessionSummary = onUse(() =>
  session
    .omit({
      goalText: true,
      openQuestion: true,
      taskList: true,
      metadata: true,
      budget: true,
      contextUsage: true,
      summary: true,
      compactions: true,
      compressionInstructions: true,
      promptSnapshot: true,
    })
    .extend({
      openQuestionId: id.optional(),
      openChildren: count,
      run: run.pick({ runId: true, state: true, owner: true, lost: true }).optional(),
    }),
)
export type SessionListItem = z.infer<typeof sessionSummary>

/** A page of sessions. `damaged`: those in this stretch whose heads cannot be read. */
export type SessionListPage = z.infer<typeof sessionPage>
export const sessionPage = onUse(() => pageOf(sessionSummary).extend({ damaged: z.array(id).optional() }))

/** How many were counted so far; `next` as `after` counts on, null when these are all. */
export type SessionsCounted = z.infer<typeof sessionCount>
export const sessionCount = objectOnUse(() => ({ count, next: z.string().nullable() }))

export interface SessionTreeNode {
  session: SessionListItem
  children: SessionTreeNode[]
}
export const sessionTree: z.ZodType<SessionTreeNode> = onUse(() =>
  z.strictObject({
    session: sessionSummary,
    get children() {
      return z.array(sessionTree)
    },
  }),
)

const branch = objectOnUse(() => ({
  sessionId: id,
  after: count,
  through: count,
  messages: z.array(message),
}))
export type SessionComparison = z.infer<typeof comparison>
export const comparison = objectOnUse(() => ({ commonSeq: count, ours: branch, theirs: branch }))

/** A page of messages, oldest first, with a cursor to either side. */
export type MessagePage = z.infer<typeof messagePage>
export const messagePage = objectOnUse(() => ({
  data: z.array(message),
  /** As `before`: the page before this one. Null at the beginning. */
  older: z.string().nullable(),
  /** As `after`: what comes after this page, now or later. */
  next: z.string(),
}))

/** A file by the SHA-256 of its bytes, as file and image parts of a message name it. */
export type FileReference = z.infer<typeof fileReference>
export const fileReference = objectOnUse(() => ({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  mediaType: z.string(),
  bytes: count,
  name: z.string().optional(),
}))

export type SavedCheckpoint = z.infer<typeof checkpoint>
export const checkpoint = objectOnUse(() => ({
  sessionId: id,
  threadId: externalId,
  namespace: z.string(),
  checkpointId: id,
  parentId: id.optional(),
  channels: z.record(z.string(), json),
}))

/** One model call attempt as the ledger keeps it. */
export type UsageRow = z.infer<typeof usageRow>
export const usageRow = onUse(() =>
  z.looseObject({
    attemptId: externalId,
    seq,
    at: time,
    promptTokens: count,
    completionTokens: count,
    costMicrocents: count.optional(),
    costSource: z.string(),
  }),
)

export type UsageSums = z.infer<typeof usageTotals>
export const usageTotals = objectOnUse(() => ({
  rows: count,
  promptTokens: count,
  completionTokens: count,
  reasoningTokens: count,
  cachedReadTokens: count,
  cachedWriteTokens: count,
  costMicrocents: count,
  /** Attempts whose cost is unknown: they are not in the sum. */
  costUnknown: count,
  costEstimated: count,
}))

/** The sums of one group; `key` has the value of each column that was grouped by. */
export type UsageGroup = z.infer<typeof rolledUp>
const groupKey = onUse(() => z.record(z.string(), z.string()))
export const rolledUp = onUse(() => usageTotals.extend({ key: groupKey }))
export type RatedGroup = z.infer<typeof rerated>
export const rerated = onUse(() =>
  rolledUp.extend({
    rerated: z.strictObject({ costMicrocents: count, costUnknown: count }),
    differenceMicrocents: z.int(),
    becameKnown: count,
    becameUnknown: count,
  }),
)

/** Lower scores are better. `behind`: newer events wait to be indexed. */
export type SearchHits = z.infer<typeof searchPage>
export const searchPage = onUse(() =>
  pageOf(z.strictObject({ sessionId: id, seq, score: z.number() })).extend({
    behind: z.boolean(),
  }),
)

/** What is beyond reach is named; `finalAt` is absent until nothing that is held has the bytes. */
const finality = () => ({ finalAt: time.optional(), outside: z.array(z.string()) })
export type DeletedSessions = z.infer<typeof deleted>
export const deleted = objectOnUse(() => ({ sessionIds: z.array(id), events: count, ...finality() }))
export type PrunedSessions = z.infer<typeof pruned>
export const pruned = objectOnUse(() => ({
  sessionIds: z.array(id),
  events: count,
  kept: z.array(z.strictObject({ sessionId: id, reason: z.string() })),
  damaged: z.array(id).optional(),
  dryRun: z.boolean(),
  next: z.string().nullable(),
  ...finality(),
}))
export type Erased = z.infer<typeof erasureReceipt>
export const erasureReceipt = objectOnUse(() => ({
  sessions: count,
  events: count,
  deletedSessions: count,
  held: z.array(id).optional(),
  damaged: z.array(id).optional(),
  ...finality(),
}))

/** A record as it is read; `version` rises with every change. */
export function storedRecord<B extends z.ZodType>(body: B) {
  return z.strictObject({ id: externalId, version: z.int().min(1), body })
}

/** A key as it is listed: never what it was given as. */
export const keyInfo = objectOnUse(() => ({
  id,
  name: z.string(),
  scopes: z.array(scope),
  userId: externalId.optional(),
  sessionIds: z.array(id).optional(),
  perMin: count.optional(),
  createdAt: time,
  expiresAt: time.optional(),
  revokedAt: time.optional(),
}))
export type KeyInfo = z.infer<typeof keyInfo>

/** A new key: `key` is shown this once. */
export const newKey = onUse(() => keyInfo.extend({ key: z.string() }))
/** A tenant as its operator sees it. */
export const tenantInfo = onUse(() => recordSchemas.tenant.extend({ id }))
export type TenantInfo = z.infer<typeof tenantInfo>
export const auditEntry = onUse(() => recordSchemas.audit_entry.omit({ tenantId: true }).extend({ id }))
export type AuditEntry = z.infer<typeof auditEntry>
/** A token for one session, until `expiresAt`. */
export const shareToken = objectOnUse(() => ({ token: z.string(), expiresAt: time }))
