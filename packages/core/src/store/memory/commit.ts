/** One commit: first every reason to refuse it, then the writing, which cannot fail half-way. */
import type { Commit, LeaseChange, LeaseRow, NewSegment, RefRow, StoredEvent, Verdict } from '../store.ts'
import { dropAttachments, keepBody } from './attachments.ts'
import { earlierUse } from './keys.ts'
import { type KeptSession, type KeptTenant, refName, seqOf } from './place.ts'

const freeLease: LeaseRow = { epoch: 0, owner: undefined, expiresAtMs: undefined }

export function commitOne(tenant: KeptTenant, commit: Commit, nowMs: number): Verdict {
  return refusalOf(tenant, commit, nowMs) ?? write(tenant, commit, nowMs)
}

/** The order of the checks is part of the contract: key, existence, epoch, base, lease. */
function refusalOf(tenant: KeptTenant, commit: Commit, nowMs: number): Verdict | undefined {
  const session = tenant.sessions.get(commit.sessionId)
  return (
    earlierUse(session, commit) ??
    (commit.create ? creationRefusal(tenant, commit) : undefined) ??
    (commit.create || session ? undefined : { status: 'conflict', seq: 0 }) ??
    epochRefusal(session?.lease ?? freeLease, commit) ??
    baseRefusal(session, commit) ??
    leaseRefusal(session?.lease ?? freeLease, commit.lease, nowMs)
  )
}

function creationRefusal(tenant: KeptTenant, commit: Commit): Verdict | undefined {
  const { sessionId, segments = [] } = commit
  if (tenant.sessions.has(sessionId) || tenant.tombstones.has(sessionId)) return { status: 'id_taken' }
  return segments.every((segment) => isReadable(tenant, segment)) ? undefined : { status: 'source_missing' }
}

function isReadable(tenant: KeptTenant, segment: NewSegment): boolean {
  const source = tenant.sessions.get(segment.sessionId)
  if (!source || segment.to > seqOf(source)) return false
  return segment.headSeq === undefined || source.erasedSeq <= segment.headSeq
}

function epochRefusal(lease: LeaseRow, { epoch, lease: change }: Commit): Verdict | undefined {
  if (epoch === undefined && change?.type !== 'release') return undefined
  return isHeld(lease, epoch) ? undefined : { status: 'fenced', epoch: lease.epoch }
}

export function isHeld(lease: LeaseRow, epoch: number | undefined): boolean {
  return lease.owner !== undefined && lease.epoch === epoch
}

function baseRefusal(session: KeptSession | undefined, commit: Commit): Verdict | undefined {
  const seq = session ? seqOf(session) : baseOf(commit)
  return commit.baseSeq === seq ? undefined : { status: 'conflict', seq: session ? seq : 0 }
}

function leaseRefusal(lease: LeaseRow, change: LeaseChange | undefined, nowMs: number): Verdict | undefined {
  if (!change || change.type === 'due' || (change.type === 'release' && !change.lost)) return undefined
  const isFree = lease.owner === undefined || (lease.expiresAtMs ?? 0) <= nowMs
  if (isFree && (change.type === 'release' || lease.epoch === change.fromEpoch)) return undefined
  return { status: 'lease_held', lease: { ...lease } }
}

function baseOf(commit: Commit): number {
  return commit.segments?.at(-1)?.to ?? 0
}

function write(tenant: KeptTenant, commit: Commit, nowMs: number): Verdict {
  const session = tenant.sessions.get(commit.sessionId) ?? emptySession(commit)
  const firstSeq = commit.baseSeq + 1
  const lastSeq = commit.baseSeq + commit.events.length

  if (commit.erase) {
    erase(tenant, session, commit.erase)
    session.erasedSeq = lastSeq
  }
  for (const draftId of commit.dropDrafts) closeDraft(session, draftId, lastSeq)
  session.events.push(...commit.events.map((event, index) => storedEvent(commit, event, firstSeq + index)))
  session.head = { ...commit.head }
  session.lease = changedLease(session.lease, commit.lease, nowMs)
  for (const { part, body } of commit.parts) listIn(session.parts, part).push({ seq: lastSeq, body })
  for (const ref of commit.refs) addRef(session, ref)
  for (const { hash, bytes } of commit.attachments)
    keepBody(session, hash, { bytes, seq: firstSeq, isFile: true })
  if (commit.key) {
    const { key, hash, expiresAtMs } = commit.key
    session.keys.set(key, { hash, firstSeq, lastSeq, expiresAtMs })
  }
  if (commit.waypoint) session.waypoints.push({ seq: lastSeq, body: commit.head.body })
  if (commit.usage.length > 0) {
    listIn(tenant.usage, commit.sessionId).push(...commit.usage.map((row) => ({ ...row })))
  }

  tenant.sessions.set(commit.sessionId, session)
  return { status: 'committed', firstSeq, lastSeq, lease: { ...session.lease } }
}

function emptySession(commit: Commit): KeptSession {
  return {
    sessionId: commit.sessionId,
    segments: (commit.segments ?? []).map(({ sessionId, from, to }) => ({ sessionId, from, to })),
    base: baseOf(commit),
    events: [],
    erasedSeq: 0,
    head: commit.head,
    lease: freeLease,
    parts: new Map(),
    waypoints: [],
    refs: new Map(),
    keys: new Map(),
    attachments: new Map(),
    drafts: new Map(),
    indexedSeq: baseOf(commit),
    index: new Map(),
  }
}

function storedEvent(commit: Commit, event: Commit['events'][number], seq: number): StoredEvent {
  const { type, v, at, body } = event
  return { seq, type, v, at, body, commitId: commit.commitId }
}

function changedLease(lease: LeaseRow, change: LeaseChange | undefined, nowMs: number): LeaseRow {
  if (!change) return lease
  const { epoch } = lease
  if (change.type === 'release') return { epoch, owner: undefined, expiresAtMs: change.due && nowMs }
  if (change.type === 'due') {
    return lease.owner === undefined ? { ...lease, expiresAtMs: change.isDue ? nowMs : undefined } : lease
  }
  return { epoch: lease.epoch + 1, owner: change.owner, expiresAtMs: nowMs + change.ttlMs }
}

function closeDraft(session: KeptSession, draftId: string, seq: number): void {
  session.drafts.delete(draftId)
  addRef(session, { kind: 'draft', id: draftId, seq })
}

function addRef(session: KeptSession, { kind, id, seq }: RefRow): void {
  const seqs = listIn(session.refs, refName(kind, id))
  if (!seqs.includes(seq)) seqs.push(seq)
  seqs.sort((a, b) => a - b)
}

/** Turns own events into their erased form and removes what was derived from the log from there on. */
function erase(
  tenant: KeptTenant,
  session: KeptSession,
  { seqs, erasedBody, attachments = [] }: NonNullable<Commit['erase']>,
): void {
  if (seqs.length === 0) return
  const chosen = new Set(seqs)
  const lowest = Math.min(...seqs)
  session.events = session.events.map((event) =>
    chosen.has(event.seq) ? { ...event, body: erasedBody({ ...event }) } : event,
  )
  session.waypoints = session.waypoints.filter((waypoint) => waypoint.seq < lowest)
  keepBefore(session.parts, (row) => row.seq < lowest)
  keepBefore(session.refs, (seq) => seq < lowest)
  dropWhere(session.index, (_, seq) => seq >= lowest)
  tenant.checkpoints = tenant.checkpoints.filter(
    ({ sessionId, seq }) => sessionId !== session.sessionId || seq < lowest,
  )
  dropAttachments(tenant, session, { hashes: attachments, from: lowest })
  session.drafts.clear()
  session.indexedSeq = Math.max(session.base, Math.min(session.indexedSeq, lowest - 1))
}

function keepBefore<T>(lists: Map<string, T[]>, isBefore: (row: T) => boolean): void {
  for (const [name, rows] of lists) lists.set(name, rows.filter(isBefore))
}

function dropWhere<K, V>(map: Map<K, V>, goes: (value: V, key: K) => boolean): void {
  for (const [key, value] of map) if (goes(value, key)) map.delete(key)
}

function listIn<T>(lists: Map<string, T[]>, name: string): T[] {
  const known = lists.get(name)
  if (known) return known
  const fresh: T[] = []
  lists.set(name, fresh)
  return fresh
}
