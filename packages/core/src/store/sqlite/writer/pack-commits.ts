/**
 * Commits and their outcomes as flat lists, for their way between threads: a structured clone writes and reads the name
 * of every field of every object, which for the usual commit takes four times as long as its values do. The checksums of
 * events are made before they leave: the writer thread has the least time of the two.
 */
import type { HoldfastError } from '@holdfast/protocol'
import { crcOfEvent } from '../../checksum.ts'
import type { Commit, CommitOutcome, HeadRow, LeaseRow } from '../../store.ts'
import type { SummedEvent } from '../events.ts'
import { type PackedError, packError, unpackError } from './pack-errors.ts'

export type PackedCommits = readonly unknown[]

/** What the usual commit has nothing of. */
type Rest = Partial<
  Pick<
    Commit,
    | 'segments'
    | 'epoch'
    | 'lease'
    | 'key'
    | 'parts'
    | 'refs'
    | 'usage'
    | 'attachments'
    | 'waypoint'
    | 'dropDrafts'
  >
>

/** `handedOver` are copies: the caller keeps its bytes, for it may send the same commit again. */
export function packCommits(commits: readonly Commit[]): {
  packed: PackedCommits
  handedOver: readonly ArrayBuffer[]
} {
  const packed: unknown[] = []
  const handedOver: ArrayBuffer[] = []
  for (const commit of commits) packCommit(packed, commit, restOf(commit, handedOver))
  return { packed, handedOver }
}

function packCommit(to: unknown[], commit: Commit, rest: Rest | undefined): void {
  const { tenantId, sessionId, commitId, baseSeq, create, events, head } = commit
  to.push(tenantId, sessionId, commitId, baseSeq, create, rest, events.length)
  let seq = baseSeq
  for (const event of events) {
    const { type, v, at, body } = event
    seq += 1
    to.push(type, v, at, body, crcOfEvent(seq, commitId, event))
  }
  packHead(to, head)
}

function packHead(to: unknown[], head: HeadRow): void {
  to.push(
    head.body,
    head.agentId,
    head.ownerUserId,
    head.conversationId,
    head.threadId,
    head.rootSessionId,
    head.createdAtMs,
    head.activity,
    head.questionAskedAtMs,
    head.questionExpiresAtMs,
    head.expiresAtMs,
  )
}

function restOf(commit: Commit, handedOver: ArrayBuffer[]): Rest | undefined {
  const { segments, epoch, lease, key, parts, refs, usage, attachments, waypoint, dropDrafts } = commit
  const isUsual =
    segments === undefined &&
    epoch === undefined &&
    lease === undefined &&
    key === undefined &&
    parts.length === 0 &&
    refs.length === 0 &&
    usage.length === 0 &&
    attachments.length === 0 &&
    !waypoint &&
    dropDrafts.length === 0
  if (isUsual) return undefined
  const copied = attachments.map(({ hash, bytes }) => ({ hash, bytes: new Uint8Array(bytes) }))
  for (const { bytes } of copied) handedOver.push(bytes.buffer)
  return {
    ...(segments && { segments }),
    ...(epoch !== undefined && { epoch }),
    ...(lease && { lease }),
    ...(key && { key }),
    parts,
    refs,
    usage,
    attachments: copied,
    waypoint,
    dropDrafts,
  }
}

const eventFields = 5
const headFields = 11

export function unpackCommits(packed: PackedCommits): Commit[] {
  const commits: Commit[] = []
  for (let at = 0; at < packed.length; ) {
    const [tenantId, sessionId, commitId, baseSeq, create, rest, count] = packed.slice(at, at + 7)
    const events = unpackEvents(packed, at + 7, count as number)
    const commit = {
      tenantId,
      sessionId,
      commitId,
      baseSeq,
      create,
      events,
      head: unpackHead(packed, at + 7 + events.length * eventFields),
      parts: [],
      refs: [],
      usage: [],
      attachments: [],
      waypoint: false,
      dropDrafts: [],
    } as unknown as Commit
    commits.push(rest === undefined ? commit : Object.assign(commit, rest))
    at += 7 + events.length * eventFields + headFields
  }
  return commits
}

function unpackEvents(packed: PackedCommits, from: number, count: number): SummedEvent[] {
  const events: unknown[] = []
  const end = from + count * eventFields
  for (let at = from; at < end; at += eventFields) {
    events.push({
      type: packed[at],
      v: packed[at + 1],
      at: packed[at + 2],
      body: packed[at + 3],
      crc: packed[at + 4],
    })
  }
  return events as SummedEvent[]
}

function unpackHead(packed: PackedCommits, at: number): HeadRow {
  return {
    body: packed[at],
    agentId: packed[at + 1],
    ownerUserId: packed[at + 2],
    conversationId: packed[at + 3],
    threadId: packed[at + 4],
    rootSessionId: packed[at + 5],
    createdAtMs: packed[at + 6],
    activity: packed[at + 7],
    questionAskedAtMs: packed[at + 8],
    questionExpiresAtMs: packed[at + 9],
    expiresAtMs: packed[at + 10],
  } as HeadRow
}

/** A commit that was written is five values: its seqs, and epoch, owner and end of its lease. */
export type PackedOutcomes = readonly unknown[]

type Failed = Extract<CommitOutcome, { status: 'failed' }>
type Refused = Exclude<CommitOutcome, { status: 'committed' | 'failed' }>
type Unwritten = { refused: Refused } | { failed: PackedError }

export function packOutcomes(outcomes: readonly CommitOutcome[]): PackedOutcomes {
  const packed: unknown[] = []
  for (const outcome of outcomes) {
    if (outcome.status === 'committed') {
      const { firstSeq, lastSeq, lease } = outcome
      packed.push(firstSeq, lastSeq, lease.epoch, lease.owner, lease.expiresAtMs)
    } else packed.push(unwritten(outcome))
  }
  return packed
}

function unwritten(outcome: Refused | Failed): Unwritten {
  return outcome.status === 'failed' ? { failed: packError(outcome.error) } : { refused: outcome }
}

export function unpackOutcomes(packed: PackedOutcomes): CommitOutcome[] {
  const outcomes: CommitOutcome[] = []
  for (let at = 0; at < packed.length; ) {
    const first = packed[at++] as number | Unwritten
    if (typeof first === 'number') {
      const [lastSeq, epoch, owner, expiresAtMs] = packed.slice(at, at + 4)
      const lease = { epoch, owner, expiresAtMs } as LeaseRow
      outcomes.push({ status: 'committed', firstSeq: first, lastSeq: lastSeq as number, lease })
      at += 4
    } else outcomes.push(outcomeOf(first))
  }
  return outcomes
}

function outcomeOf(told: Unwritten): CommitOutcome {
  if ('refused' in told) return told.refused
  return { status: 'failed', error: unpackError(told.failed) as HoldfastError }
}
