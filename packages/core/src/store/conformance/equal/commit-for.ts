/** Turns what a random test means to write into a commit that fits the state it meets. */

import type { Commit, HeadRow, LeaseChange, Segment, StoredHead, UsageRow } from '../../store.ts'
import { commitOf, headFor } from '../build.ts'
import type { CommitIntent } from './intents.ts'
import * as pools from './pools.ts'

interface Met {
  head: Pick<StoredHead, 'seq' | 'lease'> | undefined
  segments: readonly Segment[] | undefined
  nowMs: number
}

export function commitFor(intent: CommitIntent, met: Met): Commit {
  const [tenantId, sessionId] = pools.spot(intent)
  const isCreation = intent.mode !== 'append' || (met.head === undefined && intent.baseDrift === 0)
  const base = isCreation ? (met.segments?.at(-1)?.to ?? 0) : (met.head?.seq ?? 0)
  const baseSeq = Math.max(0, base + (isCreation ? 0 : intent.baseDrift))
  const lastSeq = baseSeq + intent.bodies.length
  return commitOf({
    tenantId,
    sessionId,
    baseSeq,
    create: isCreation,
    ...(met.segments ? { segments: met.segments } : {}),
    events: intent.bodies.map(pools.body),
    head: headOf(intent, sessionId, lastSeq, met.nowMs),
    ...epochOf(intent, met),
    ...leaseOf(intent, met),
    ...keyOf(intent, met),
    parts: optional(intent.part, (part) => ({
      part: `part ${part}`,
      body: intent.partBody === undefined ? undefined : pools.body(intent.partBody),
    })),
    refs: optional(intent.ref, (ref) => ({ kind: `kind ${ref % 2}`, id: pools.session(ref), seq: lastSeq })),
    usage: optional(intent.usage, (usage) => usageOf(usage, lastSeq)),
    attachments: optional(intent.attachment, pools.file),
    waypoint: intent.waypoint,
    dropDrafts: optional(intent.dropDraft, pools.draft),
    ...eraseOf(intent, isCreation ? 0 : baseSeq),
  })
}

function optional<T>(value: number | undefined, make: (value: number) => T): T[] {
  return value === undefined ? [] : [make(value)]
}

function headOf({ head }: CommitIntent, sessionId: string, seq: number, nowMs: number): HeadRow {
  const { choice, activity, time } = head
  const value = pools.value(choice)
  return {
    ...headFor(sessionId, seq),
    agentId: value,
    ownerUserId: choice % 4 === 0 ? undefined : value,
    conversationId: value,
    threadId: pools.value(choice + 1),
    rootSessionId: pools.session(choice),
    createdAtMs: time % 3,
    activity,
    questionAskedAtMs: time % 2 === 0 ? undefined : time,
    questionExpiresAtMs: time % 4 === 1 ? nowMs + time : undefined,
    expiresAtMs: time % 3 === 0 ? nowMs + time : undefined,
  }
}

function epochOf({ epoch }: CommitIntent, { head }: Met): { epoch?: number } {
  if (epoch === 'none') return {}
  const current = head?.lease.epoch ?? 0
  return { epoch: epoch === 'current' ? current : current - 1 }
}

function leaseOf({ lease, head: { activity } }: CommitIntent, { head }: Met): { lease?: LeaseChange } {
  if (lease === 'none') return {}
  if (lease === 'release') return { lease: { type: 'release' } }
  if (lease === 'release lost') return { lease: { type: 'release', lost: true } }
  const fromEpoch = (head?.lease.epoch ?? 0) + (lease === 'take' ? 0 : 1)
  return { lease: { type: 'take', fromEpoch, owner: `worker ${activity}`, ttlMs: 100 } }
}

function keyOf({ key, keyHash }: CommitIntent, { nowMs }: Met): Pick<Commit, 'key'> {
  if (key === undefined) return {}
  return { key: { key: pools.session(key), hash: `hash ${keyHash}`, expiresAtMs: nowMs + key * 50 } }
}

function usageOf(usage: number, seq: number): Partial<UsageRow> {
  return {
    seq,
    rootSessionId: pools.session(usage),
    costMicrocents: usage % 3 === 0 ? undefined : usage * 1_000,
    estimated: usage % 2 === 0,
    model: usage % 5 === 0 ? undefined : `model ${usage}`,
    ownerUserId: usage % 3 === 1 ? undefined : pools.value(usage),
    at: `2026-01-0${1 + (usage % 4)}T00:00:00.${usage}Z`,
    priceBook: usage % 7 === 0 ? undefined : `book ${usage % 7}`,
  }
}

function eraseOf({ erase }: CommitIntent, seq: number): Pick<Commit, 'erase'> {
  if (erase.length === 0 || seq === 0) return {}
  const seqs = erase.map((along) => Math.min(seq, 1 + Math.floor(along * seq)))
  const attachments = seqs.map((at) => pools.file(at).hash)
  return { erase: { seqs, attachments, erasedBody: ({ type }) => JSON.stringify({ erased: true, type }) } }
}
