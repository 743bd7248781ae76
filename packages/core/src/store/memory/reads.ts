/** Reads of one session, through the segments of a fork where the seam says so. Everything given out is a copy. */
import type { EventRange, OpenDraft, StoredEvent, StoredHead } from '../store.ts'
import { type KeptSession, type KeptTenant, refName, seqOf } from './place.ts'

export function headOf(session: KeptSession): StoredHead {
  return {
    sessionId: session.sessionId,
    seq: seqOf(session),
    body: session.head.body,
    lease: { ...session.lease },
  }
}

export function readEvents(tenant: KeptTenant, session: KeptSession, range: EventRange): StoredEvent[] {
  const low = Math.max((range.after ?? 0) + 1, 1)
  const high = Math.min(range.through ?? Number.POSITIVE_INFINITY, seqOf(session))
  const forward = range.direction === 'forward'
  const page: StoredEvent[] = []
  let bytes = 0
  for (let seq = forward ? low : high; low <= seq && seq <= high; seq += forward ? 1 : -1) {
    const event = eventAt(tenant, session, seq)
    bytes += Buffer.byteLength(event.body)
    if (page.length >= range.limit || (page.length > 0 && bytes > range.maxBytes)) break
    page.push({ ...event })
  }
  return page
}

function eventAt(tenant: KeptTenant, session: KeptSession, seq: number): StoredEvent {
  const { source } = stretchesOf(tenant, session).find(({ from, to }) => from <= seq && seq <= to) ?? {}
  const event = source?.events[seq - source.base - 1]
  if (!event) throw new Error(`session ${session.sessionId} has no event ${seq}`)
  return event
}

interface Stretch {
  source: KeptSession
  from: number
  to: number
}

/** Where each stretch of a session's seqs is kept: its segments in order, then its own events. */
function stretchesOf(tenant: KeptTenant, session: KeptSession): Stretch[] {
  const prefix = session.segments.flatMap(({ sessionId, from, to }) => {
    const source = tenant.sessions.get(sessionId)
    return source ? [{ source, from, to }] : []
  })
  return [...prefix, { source: session, from: session.base + 1, to: seqOf(session) }]
}

export function partsAt(session: KeptSession, parts: readonly string[], atSeq: number): Map<string, string> {
  const found = new Map<string, string>()
  for (const part of parts) {
    const row = session.parts.get(part)?.findLast(({ seq }) => seq <= atSeq)
    if (row?.body !== undefined) found.set(part, row.body)
  }
  return found
}

export function refsOf(tenant: KeptTenant, session: KeptSession, kind: string, id: string): number[] {
  return stretchesOf(tenant, session).flatMap(({ source, from, to }) =>
    (source.refs.get(refName(kind, id)) ?? []).filter((seq) => from <= seq && seq <= to),
  )
}

/** As it is kept: a copy of it goes out. */
export function attachmentOf(tenant: KeptTenant, session: KeptSession, hash: string): Uint8Array | undefined {
  for (const { source, to } of stretchesOf(tenant, session)) {
    const kept = source.attachments.get(hash)
    if (kept && (source === session || kept.seq <= to)) return kept.bytes
  }
  return undefined
}

export function forksOf(tenant: KeptTenant, sessionId: string): string[] {
  return [...tenant.sessions.values()]
    .filter(({ segments }) => segments.some((segment) => segment.sessionId === sessionId))
    .map((fork) => fork.sessionId)
}

export function openDraftsOf(session: KeptSession): OpenDraft[] {
  return [...session.drafts].map(([draftId, { runId, epoch, chunks }]) => ({
    draftId,
    runId,
    epoch,
    last: chunks.length,
  }))
}
