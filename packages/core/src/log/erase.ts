/**
 * Erasing content: the one exception to "a log is never rewritten". The chosen events keep their place, type and time;
 * what was derived from them goes too, wherever it is: summaries and automatic titles, the parts and kept heads that
 * were folded from them, and the same in every fork whose prefix holds them. So each session concerned is folded anew
 * from before its lowest erased event, and that state is written with the erasure in one commit.
 */
import {
  type Actor,
  type EventData,
  HoldfastError,
  isErased,
  isHoldfastError,
  limits,
} from '@holdfast/protocol'
import { erasedEvent } from '../session/erased-event.ts'
import { fold } from '../session/fold/index.ts'
import { type Ref, refsOf } from '../session/projections.ts'
import type { FoldEvent, State } from '../session/state.ts'
import type { Segment } from '../store/store.ts'
import { erasedBody } from './event-codec.ts'
import type { Basis } from './request.ts'
import type { TenantLog } from './tenant-log.ts'

/** What was erased: numbers and places, no content. */
export interface ErasureReceipt {
  sessions: number
  events: number
  /** Sessions deleted whole. */
  deletedSessions: number
  /** Nothing that we hold has the bytes any more. */
  scrubbed: boolean
  /** What is beyond our reach and may still hold them. */
  outside: readonly string[]
}

export const outside = [
  'exports that were handed out',
  'backups and replicas that this store does not hold',
  'what model providers kept of the requests they were sent',
] as const

/** Erased seqs by the session that holds the rows. */
export type Erasure = Map<string, Set<number>>

export interface EraseOptions {
  reason?: string
  actor: Actor
}

/** Erases the events and everything derived from them. Without `scrub`: freed pages may still hold their bytes. */
export async function eraseEvents(
  log: TenantLog,
  sessionId: string,
  seqs: readonly number[],
  options: EraseOptions,
): Promise<Erasure> {
  await requireErasable(log, sessionId, seqs)
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  const erasure: Erasure = new Map()
  for (const [owner, own] of byOwner(sessionId, segments, seqs))
    await eraseOwn(log, owner, own, erasure, options)
  await rewriteForks(log, erasure, options)
  return erasure
}

export function erasedCount(erasure: Erasure): number {
  return [...erasure.values()].reduce((sum, seqs) => sum + seqs.size, 0)
}

async function requireErasable(log: TenantLog, sessionId: string, seqs: readonly number[]): Promise<void> {
  const { head } = (await log.reads.requireHead(sessionId)).state
  if (seqs.length === 0) throw new HoldfastError('invalid_input', 'erase: name at least one seq.')
  for (const seq of seqs) {
    if (!Number.isSafeInteger(seq) || seq < 1 || seq > head.seq) {
      throw new HoldfastError('invalid_input', `erase: session ${sessionId} has no seq ${seq}.`)
    }
    const event = await log.reads.getEvent(sessionId, seq)
    if (event?.type === 'session.created' || event?.type === 'session.forked') {
      throw new HoldfastError(
        'invalid_input',
        `erase: seq ${seq} is what session ${sessionId} is; delete the session instead.`,
      )
    }
  }
}

function byOwner(
  sessionId: string,
  segments: readonly Segment[],
  seqs: readonly number[],
): Map<string, number[]> {
  const owners = new Map<string, number[]>()
  for (const seq of seqs) {
    const owner = segments.find(({ from, to }) => from <= seq && seq <= to)?.sessionId ?? sessionId
    owners.set(owner, [...(owners.get(owner) ?? []), seq])
  }
  return owners
}

/** Forks whose prefix was touched; a fork of a fork after the fork itself, as it is folded from it. */
async function rewriteForks(log: TenantLog, erasure: Erasure, options: EraseOptions): Promise<void> {
  const forks = new Map<string, readonly Segment[]>()
  for (const owner of [...erasure.keys()]) {
    for (const fork of await log.store.listForks(log.tenantId, owner)) {
      forks.set(fork, await log.store.readSegments(log.tenantId, fork))
    }
  }
  const inOrder = [...forks].sort(([, a], [, b]) => a.length - b.length)
  for (const [fork, segments] of inOrder) {
    const inPrefix = segments.flatMap(({ sessionId, from, to }) =>
      [...(erasure.get(sessionId) ?? [])].filter((seq) => from <= seq && seq <= to),
    )
    if (inPrefix.length > 0) await eraseOwn(log, fork, inPrefix, erasure, options)
  }
}

/** Tried again when the session moves between the folding and the commit. */
async function eraseOwn(
  log: TenantLog,
  sessionId: string,
  seqs: readonly number[],
  erasure: Erasure,
  options: EraseOptions,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const refolded = await refold(log, sessionId, seqs)
      if (refolded.own.size > 0 || refolded.needsRewrite)
        await commitErasure(log, sessionId, refolded, options)
      erasure.set(sessionId, new Set([...(erasure.get(sessionId) ?? []), ...refolded.own]))
      return
    } catch (error) {
      if (isHoldfastError(error, 'not_found')) return
      if (!isHoldfastError(error, 'contention') || tries >= limits.commitTries) throw error
    }
  }
}

interface Refolded {
  basis: Basis
  /** Own events to erase: the chosen ones and those derived from them. */
  own: Set<number>
  /** First event whose derived rows are replaced. */
  from: number
  needsRewrite: boolean
}

async function commitErasure(
  log: TenantLog,
  sessionId: string,
  { basis, own, from }: Refolded,
  { reason, actor }: EraseOptions,
): Promise<void> {
  const seqs = [...new Set([from, ...own])].sort((a, b) => a - b)
  const { upcasters } = log.engine
  const erase = {
    seqs,
    // The first event is named so that everything derived from there on goes; it is erased only if it was chosen.
    erasedBody: (row: Parameters<typeof erasedBody>[0]) =>
      own.has(row.seq) ? erasedBody(row, upcasters) : row.body,
  }
  const command = {
    type: 'erase' as const,
    seqs: [...own].sort((a, b) => a - b),
    ...(reason !== undefined && { reason }),
  }
  await log.rewrite(sessionId, command, basis, { actor, erase })
}

/** The state as it would be had the content never been written. */
async function refold(log: TenantLog, sessionId: string, seqs: readonly number[]): Promise<Refolded> {
  const { head } = (await log.reads.requireHead(sessionId)).state
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  const base = segments.at(-1)?.to ?? 0
  const chosen = new Set(seqs)
  const from = Math.max(Math.min(...seqs), base + 1)
  const own = new Set<number>()
  const refs: Ref[] = []
  const calls = new Set<string>()
  let state: State | undefined = from === 1 ? undefined : await log.reads.stateAt(sessionId, from - 1)
  for await (const event of log.reads.events(sessionId, from - 1, head.seq)) {
    const goes = chosen.has(event.seq) || isDerived(event, chosen, calls)
    if (goes && event.type === 'tool.finished') calls.add((event.data as EventData<'tool.finished'>).callId)
    if (goes && !isErased(event)) own.add(event.seq)
    const stays = goes ? erasedEvent(event) : event
    const after: State = fold(state, stays)
    refs.push(...refsOf(state?.head, stays, after.head).filter((ref) => ref.id !== undefined))
    state = after
  }
  if (!state) throw new Error(`session ${sessionId} has no event after ${from - 1}`)
  return { basis: { state, refs }, own, from, needsRewrite: Math.min(...seqs) <= base }
}

/** Made from erased content by us, not written by anybody. */
function isDerived(
  { type, data }: FoldEvent,
  erased: ReadonlySet<number>,
  calls: ReadonlySet<string>,
): boolean {
  if (isErased({ data })) return false
  switch (type) {
    case 'compaction.applied': {
      const { from, to } = data as EventData<'compaction.applied'>
      return [...erased].some((seq) => from <= seq && seq <= to)
    }
    case 'session.renamed':
      return (data as EventData<'session.renamed'>).automatic
    case 'note.added': {
      const { callId } = data as EventData<'note.added'>
      return callId !== undefined && calls.has(callId)
    }
    default:
      return false
  }
}
