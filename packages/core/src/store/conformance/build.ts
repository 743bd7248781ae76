/** Commits for cases: everything has a default, so that a case names only what it is about. */
import { createHash } from 'node:crypto'
import type { TenantId } from '@holdfast/protocol'
import type { Attachment, Commit, HeadRow, NewEvent, UsageRow } from '../store.ts'

export interface CommitInput extends Partial<Omit<Commit, 'events' | 'head' | 'usage'>> {
  tenantId: TenantId
  sessionId: string
  baseSeq: number
  /** How many, or the body of each. Default: one. */
  events?: number | readonly string[]
  head?: Partial<HeadRow>
  usage?: readonly Partial<UsageRow>[]
}

export const at = '2026-01-02T03:04:05.678Z'

export function commitOf(input: CommitInput): Commit {
  const { sessionId, baseSeq } = input
  const bodies = bodiesOf(input)
  return {
    commitId: `${sessionId} after ${baseSeq}`,
    create: false,
    parts: [],
    refs: [],
    attachments: [],
    waypoint: false,
    dropDrafts: [],
    ...input,
    events: bodies.map(eventOf),
    head: { ...headFor(sessionId, baseSeq + bodies.length), ...input.head },
    usage: (input.usage ?? []).map((row, index) => ({ ...usageOf(sessionId, baseSeq + 1 + index), ...row })),
  }
}

function bodiesOf({ sessionId, baseSeq, events = 1 }: CommitInput): readonly string[] {
  if (typeof events !== 'number') return events
  return Array.from({ length: events }, (_, index) => bodyOf(sessionId, baseSeq + 1 + index))
}

/** What an event says when a case does not care. */
export function bodyOf(sessionId: string, seq: number): string {
  return JSON.stringify({ says: `${sessionId} ${seq}` })
}

function eventOf(body: string): NewEvent {
  return { type: 'note.added', v: 1, at, body }
}

export function headFor(sessionId: string, seq: number): HeadRow {
  return {
    body: JSON.stringify({ head: sessionId, seq }),
    agentId: 'agent',
    ownerUserId: undefined,
    conversationId: 'conversation',
    threadId: 'thread',
    rootSessionId: sessionId,
    createdAtMs: 1_000,
    activity: 1,
    questionAskedAtMs: undefined,
    questionExpiresAtMs: undefined,
    expiresAtMs: undefined,
  }
}

export function usageOf(sessionId: string, seq: number): UsageRow {
  return {
    attemptId: `attempt-${sessionId}-${seq}`,
    seq,
    at,
    runId: 'run',
    rootSessionId: sessionId,
    ownerUserId: 'owner',
    agentId: 'agent',
    providerId: 'provider',
    model: 'model',
    purpose: 'answer',
    status: 'ok',
    promptTokens: 100 + seq,
    completionTokens: 20,
    reasoningTokens: 3,
    cachedReadTokens: 40,
    cachedWriteTokens: 5,
    cachedWriteHourTokens: seq % 2 === 0 ? 2 : undefined,
    costMicrocents: 600 + seq,
    costSource: 'price_book',
    priceBook: 'book',
    estimated: false,
  }
}

export function attachmentOf(content: string | Uint8Array): Attachment {
  const bytes = Buffer.from(content)
  return { hash: hashOf(bytes), bytes }
}

export function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/** JSON text of exactly `bytes` UTF-8 bytes. */
export function bodyOfBytes(bytes: number, filler = 'x'): string {
  const frame = Buffer.byteLength('{"fill":""}')
  const width = Buffer.byteLength(filler)
  const whole = Math.floor((bytes - frame) / width)
  return `{"fill":"${filler.repeat(whole)}${'.'.repeat(bytes - frame - whole * width)}"}`
}
