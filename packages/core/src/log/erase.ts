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
import { messageIdOf } from '../session/fold/messages.ts'
import { type Ref, refsOf } from '../session/projections.ts'
import type { FoldEvent, State } from '../session/state.ts'
import type { Segment } from '../store/store.ts'
import { DerivedEvents } from './derived-events.ts'
import { findHead, unreadable } from './each-head.ts'
import { type GoingFiles, goingFiles, handOver, idleNotes } from './erased-files.ts'
import { erasedBody } from './event-codec.ts'
import type { LeftOut } from './left-out.ts'
import type { Basis } from './request.ts'
import type { TenantLog } from './tenant-log.ts'

/** Seqs by the session that holds the rows. */
type Erasure = Map<string, Set<number>>

/** In how many sessions, and how many events. */
export interface Erased {
  sessions: number
  events: number
}

export interface EraseOptions {
  reason?: string
  actor: Actor
}

/** One erasure on its way through a session, its sources and its forks. */
interface Erasing extends EraseOptions {
  log: TenantLog
  /** Ids of the person who is forgotten; the events that begin sessions may be chosen then. */
  forgotten: ReadonlySet<string> | undefined
  erased: Erasure
  /** The same with what an earlier try had erased already: its forks may still have to follow. */
  touched: Erasure
  /** What goes now or went, by the session that holds it: nothing that is left for its sake stays. */
  leaving: Erasure
  /** Forks that follow later, or kept a title which they had taken over. */
  left: LeftOut
}

/** Erases the events and everything derived from them. Without `scrub`: freed pages may still hold their bytes. */
export async function eraseEvents(
  log: TenantLog,
  sessionId: string,
  seqs: readonly number[],
  { reason, actor }: EraseOptions,
  { left, forgotten }: { left: LeftOut; forgotten?: ReadonlySet<string> },
): Promise<Erased> {
  await requireErasable(log, sessionId, seqs, forgotten !== undefined)
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  const owners = byOwner(sessionId, segments, seqs)
  await requireNotKept(log, owners)
  const erasing: Erasing = {
    log,
    actor,
    ...(reason !== undefined && { reason }),
    forgotten,
    erased: new Map(),
    touched: new Map(),
    leaving: new Map(),
    left,
  }
  for (const [owner, own] of owners) await eraseOwn(erasing, owner, own)
  await rewriteForks(erasing)
  const counts = [...erasing.erased.values()].map(({ size }) => size).filter((size) => size > 0)
  return { sessions: counts.length, events: counts.reduce((sum, size) => sum + size, 0) }
}

async function requireErasable(
  log: TenantLog,
  sessionId: string,
  seqs: readonly number[],
  beginnings: boolean,
): Promise<void> {
  const { head } = (await log.reads.requireHead(sessionId)).state
  if (seqs.length === 0) throw new HoldfastError('invalid_input', 'erase: name at least one seq.')
  for (const seq of seqs) {
    if (!Number.isSafeInteger(seq) || seq < 1 || seq > head.seq) {
      throw new HoldfastError('invalid_input', `erase: session ${sessionId} has no seq ${seq}.`)
    }
    const event = beginnings ? undefined : await log.reads.getEvent(sessionId, seq)
    if (event && isBeginning(event)) {
      throw new HoldfastError(
        'invalid_input',
        `erase: seq ${seq} is what session ${sessionId} is; delete the session instead.`,
      )
    }
  }
}

export function isBeginning({ type }: FoldEvent): boolean {
  return type === 'session.created' || type === 'session.forked'
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

/** Judged before anything is written: neither a session that holds the events, nor a fork that reads them, is held. */
async function requireNotKept(log: TenantLog, owners: ReadonlyMap<string, readonly number[]>): Promise<void> {
  for (const [owner, seqs] of owners) {
    const lowest = seqs.reduce((least, seq) => Math.min(least, seq))
    const keeper = (await keepersOf(log, owner)).find(({ through }) => lowest <= through)
    if (keeper) throw keeper.refusal
  }
}

/** Of a session's own events those that may go now, since no session that is held reads them. */
export async function freeOf(
  log: TenantLog,
  sessionId: string,
  seqs: readonly number[],
  left: LeftOut,
): Promise<number[]> {
  let free = [...seqs]
  for (const { through, refusal } of await keepersOf(log, sessionId)) {
    if (!seqs.some((seq) => seq <= through)) continue
    left.note(refusal, sessionId)
    free = free.filter((seq) => seq > through)
  }
  return free
}

interface Keeper {
  /** Last seq of the session's own events that it reads. */
  through: number
  refusal: HoldfastError
}

/** Who keeps the session's own events: itself and its forks, if held. A hold that cannot be read counts as one. */
async function keepersOf(log: TenantLog, sessionId: string): Promise<Keeper[]> {
  const keepers: Keeper[] = []
  for (const reader of [sessionId, ...(await log.store.listForks(log.tenantId, sessionId))]) {
    const found = await findHead(log, reader)
    if (!found || (found.head && !found.head.held)) continue
    const segments = reader === sessionId ? [] : await log.store.readSegments(log.tenantId, reader)
    const ends = segments.filter((segment) => segment.sessionId === sessionId).map(({ to }) => to)
    const through = reader === sessionId ? Number.POSITIVE_INFINITY : Math.max(0, ...ends)
    keepers.push({ through, refusal: found.head ? heldBy(reader) : unreadable(reader, eraseLater) })
  }
  return keepers
}

const eraseLater = 'repair or delete it, and erase again'

function heldBy(sessionId: string): HoldfastError {
  const message = `session ${sessionId} is under a legal hold; nothing of it is erased`
  return new HoldfastError('session_held', message, { details: { sessionId } })
}

/**
 * A file that only a fork shows goes where it was brought to. Before the fork's own event: after a crash between the two
 * nothing would lead to it any more.
 */
async function eraseIdleNotes(
  erasing: Erasing,
  notes: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  const { log, leaving, left } = erasing
  for (const [owner, seqs] of notes) {
    await left.unless(owner, async () => {
      if ((await log.reads.getHead(owner))?.state.head.held) return
      const idle = await idleNotes(log, owner, seqs, leaving)
      if (idle.length > 0) await eraseOwn(erasing, owner, idle)
    })
  }
}

/** Forks whose prefix was touched; a fork of a fork after the fork itself, as it is folded from it. */
async function rewriteForks(erasing: Erasing): Promise<void> {
  for (const [fork, segments] of await forksInOrder(erasing)) {
    const seqs = segments.flatMap(({ sessionId, from, to }) =>
      [...(erasing.touched.get(sessionId) ?? [])].filter((seq) => from <= seq && seq <= to),
    )
    if (seqs.length > 0) await erasing.left.unless(fork, () => eraseOwn(erasing, fork, seqs))
  }
}

async function forksInOrder({ log, touched }: Erasing): Promise<[string, readonly Segment[]][]> {
  const forks = new Map<string, readonly Segment[]>()
  for (const source of touched.keys()) {
    for (const fork of await log.store.listForks(log.tenantId, source)) {
      forks.set(fork, await log.store.readSegments(log.tenantId, fork))
    }
  }
  return [...forks].sort(([, a], [, b]) => a.length - b.length)
}

/**
 * Titles and goals that a fork took over from the session go before the session's own: after a crash between the two
 * nobody could tell any more that they were the same.
 */
async function eraseTakenOver(
  erasing: Erasing,
  sessionId: string,
  texts: ReadonlySet<string>,
): Promise<void> {
  if (texts.size === 0) return
  for (const [fork, first] of await forkedFrom(erasing, sessionId)) {
    if (!textsIn(first).some((text) => texts.has(text))) continue
    await erasing.left.unless(fork, () => eraseOwn(erasing, fork, [first.seq]))
  }
}

/** Forks by the event that begins them. One within its source's own prefix reads nothing of the source. */
async function forkedFrom({ log, left }: Erasing, sessionId: string): Promise<[string, FoldEvent][]> {
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  const found = new Map<string, FoldEvent>()
  for (const source of [sessionId, ...segments.map((segment) => segment.sessionId)]) {
    for (const fork of await log.store.listForks(log.tenantId, source)) {
      await left.unless(fork, async () => {
        const prefix = await log.store.readSegments(log.tenantId, fork)
        const first = await log.reads.getEvent(fork, (prefix.at(-1)?.to ?? 0) + 1)
        if (first && isForkOf(first, sessionId)) found.set(fork, first)
      })
    }
  }
  return [...found]
}

function isForkOf({ type, data }: FoldEvent, sessionId: string): boolean {
  if (type !== 'session.forked') return false
  return (data as EventData<'session.forked'>).origin.sessionId === sessionId
}

/** What a fork may take over from its source's head. */
function textsIn({ type, data }: FoldEvent): string[] {
  if (type !== 'session.renamed' && type !== 'session.created' && type !== 'session.forked') return []
  const { title, goalText } = data as { title?: string | null; goalText?: string }
  return [title, goalText].filter((text): text is string => typeof text === 'string')
}

/** Tried again when the session moves between the folding and the commit. */
async function eraseOwn(erasing: Erasing, sessionId: string, seqs: readonly number[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const refolded = await refoldWithFiles(erasing, sessionId, seqs)
      const { own, files } = refolded
      note(erasing.leaving, sessionId, own)
      await eraseIdleNotes(erasing, refolded.idle)
      await eraseTakenOver(erasing, sessionId, refolded.texts)
      await handOver(erasing.log, sessionId, files.hashes, erasing)
      if (own.size > 0 || refolded.needsRewrite) await commitErasure(erasing, sessionId, refolded)
      note(erasing.erased, sessionId, refolded.own)
      note(erasing.touched, sessionId, refolded.all)
      return
    } catch (error) {
      if (isHoldfastError(error, 'not_found')) return
      if (!isHoldfastError(error, 'contention') || tries >= limits.commitTries) throw error
    }
  }
}

function note(erasure: Erasure, sessionId: string, seqs: ReadonlySet<number>): void {
  erasure.set(sessionId, new Set([...(erasure.get(sessionId) ?? []), ...seqs]))
}

interface Refolded {
  basis: Basis
  /** Own events to erase: the chosen ones and those derived from them. */
  own: Set<number>
  /** The same and those that were erased before. */
  all: Set<number>
  /** Titles and goals that go. */
  texts: Set<string>
  /** First event whose derived rows are replaced. */
  from: number
  needsRewrite: boolean
}

interface RefoldedWithFiles extends Refolded {
  files: GoingFiles
  /** Notes of the prefix that name the same files, by the sessions that hold them. */
  idle: ReadonlyMap<string, readonly number[]>
}

async function commitErasure(
  { log, reason, actor, forgotten }: Erasing,
  sessionId: string,
  { basis, own, from, files }: RefoldedWithFiles,
): Promise<void> {
  const seqs = [...new Set([from, ...own])].sort((a, b) => a - b)
  const { upcasters } = log.engine
  const erase = {
    seqs,
    // The first event is named so that everything derived from there on goes; it is erased only if it was chosen.
    erasedBody: (row: Parameters<typeof erasedBody>[0]) =>
      own.has(row.seq) ? erasedBody(row, upcasters, forgotten) : row.body,
    attachments: files.hashes,
  }
  const command = {
    type: 'erase' as const,
    seqs: [...own].sort((a, b) => a - b),
    ...(reason !== undefined && { reason }),
  }
  await log.rewrite(sessionId, command, basis, { actor, erase })
}

/** The note that brought a file goes with the last message that shows it: then it is folded once more from there. */
async function refoldWithFiles(
  erasing: Erasing,
  sessionId: string,
  seqs: readonly number[],
): Promise<RefoldedWithFiles> {
  const { log } = erasing
  const refolded = await refold(erasing, sessionId, seqs)
  const files = await goingFiles(log, sessionId, refolded.own)
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  const notes = byOwner(sessionId, segments, files.notes)
  const own = notes.get(sessionId) ?? []
  notes.delete(sessionId)
  if (own.every((seq) => refolded.own.has(seq))) return { ...refolded, files, idle: notes }
  return { ...(await refold(erasing, sessionId, [...seqs, ...own])), files, idle: notes }
}

/** The state as it would be had the content never been written. */
async function refold(
  { log, forgotten }: Erasing,
  sessionId: string,
  seqs: readonly number[],
): Promise<Refolded> {
  const { head } = (await log.reads.requireHead(sessionId)).state
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  const base = segments.at(-1)?.to ?? 0
  const lowest = seqs.reduce((least, seq) => Math.min(least, seq))
  const from = Math.max(lowest, base + 1)
  const chosen = new Set(seqs)
  const derived = new DerivedEvents(await placesOf(log, sessionId, seqs))
  const found = { own: new Set<number>(), all: new Set<number>(), texts: new Set<string>() }
  const refs: Ref[] = []
  let state: State | undefined = from === 1 ? undefined : await log.reads.stateAt(sessionId, from - 1)
  for await (const event of log.reads.events(sessionId, lowest - 1, head.seq)) {
    const goes = derived.goes(event, chosen.has(event.seq))
    if (event.seq < from) continue
    if (goes) found.all.add(event.seq)
    if (goes && !isErased(event)) found.own.add(event.seq)
    if (goes) for (const text of textsIn(event)) found.texts.add(text)
    const stays = goes ? erasedEvent(event, forgotten) : event
    const after: State = fold(state, stays)
    refs.push(...refsOf(state?.head, stays, after.head))
    state = after
  }
  if (!state) throw new Error(`session ${sessionId} has no event after ${from - 1}`)
  return { basis: { state, refs }, ...found, from, needsRewrite: lowest <= base }
}

/** Where the events stand in the view: input that waited for a run stands where it was delivered. */
async function placesOf(log: TenantLog, sessionId: string, seqs: readonly number[]): Promise<Set<number>> {
  const places = new Set(seqs)
  for (const seq of seqs) {
    const event = await log.reads.getEvent(sessionId, seq)
    if (event?.type !== 'message.appended') continue
    const data = event.data as EventData<'message.appended'>
    if (data.waiting === undefined) continue
    const delivered = await log.store.readRefs(log.tenantId, sessionId, 'delivered', messageIdOf(data, event))
    for (const place of delivered) places.add(place)
  }
  return places
}
