/**
 * Files that go with erased events: those that no message shows any more. A file lies with the session that it was
 * brought to, which names it in a note from its arrival on; a note alone does not hold a file. A fork that still shows
 * one takes it over before its source loses it, so that each session's files are its own to erase.
 */
import type { Actor, EventData } from '@holdfast/protocol'
import { TAKEN_NOTE } from '../session/decide/index.ts'
import type { FoldEvent } from '../session/state.ts'
import { ATTACHMENT_NOTE, attachmentOf } from './attachments.ts'
import type { TenantLog } from './tenant-log.ts'

/** Seqs that go now, by the session that holds them. */
type Leaving = ReadonlyMap<string, ReadonlySet<number>>

export interface GoingFiles {
  hashes: string[]
  /** Seqs of the notes that name them, also in the prefix of a fork. */
  notes: number[]
}

/** Of the files that the session's events at `seqs` show, or that it took over: those that no other event shows. */
export async function goingFiles(
  log: TenantLog,
  sessionId: string,
  seqs: ReadonlySet<number>,
): Promise<GoingFiles> {
  const isFork = (await log.store.readSegments(log.tenantId, sessionId)).length > 0
  if (!isFork && !(await nameAny(log, sessionId, seqs))) return { hashes: [], notes: [] }
  const candidates = new Set<string>()
  const shown = new Set<string>()
  const notes: { seq: number; hashes: string[] }[] = []
  for await (const event of visibleEvents(log, sessionId)) {
    const hashes = hashesIn(event)
    const goes = seqs.has(event.seq)
    if (isFileNote(event)) notes.push({ seq: event.seq, hashes })
    if (goes || isNote(event, TAKEN_NOTE)) for (const hash of hashes) candidates.add(hash)
    else if (!isFileNote(event)) for (const hash of hashes) shown.add(hash)
  }
  const going = [...candidates].filter((hash) => !shown.has(hash))
  const named = notes.filter(({ hashes }) => hashes.some((hash) => going.includes(hash)))
  return { hashes: going, notes: named.map(({ seq }) => seq) }
}

/** Most erasures concern no file: then the log need not be read. */
async function nameAny(log: TenantLog, sessionId: string, seqs: ReadonlySet<number>): Promise<boolean> {
  for (const seq of seqs) {
    const event = await log.reads.getEvent(sessionId, seq)
    if (event && hashesIn(event).length > 0) return true
  }
  return false
}

/** Gives each fork that still shows one of the files a copy of its own. */
export async function handOver(
  log: TenantLog,
  sessionId: string,
  hashes: readonly string[],
  { leaving, actor }: { leaving: Leaving; actor: Actor },
): Promise<void> {
  if (hashes.length === 0) return
  for (const fork of await log.store.listForks(log.tenantId, sessionId)) {
    const { shown, own } = await shownBy(log, fork, leaving)
    for (const hash of hashes.filter((hash) => shown.has(hash) && !own.has(hash))) {
      const bytes = await log.store.readAttachment(log.tenantId, fork, hash)
      if (!bytes) continue
      const files = [{ hash, bytes: bytes.byteLength }]
      const terms = { actor, attachments: [attachmentOf(bytes)] }
      await log.writeFresh(fork, [{ type: 'takeFiles', files }], terms)
    }
  }
}

/** The notes at `seqs` whose files neither the session nor a fork of it shows any more. */
export async function idleNotes(
  log: TenantLog,
  sessionId: string,
  seqs: readonly number[],
  leaving: Leaving,
): Promise<number[]> {
  const forks = await log.store.listForks(log.tenantId, sessionId)
  const all = new Set<string>()
  for (const reader of [sessionId, ...forks]) {
    for (const hash of (await shownBy(log, reader, leaving)).shown) all.add(hash)
  }
  const idle: number[] = []
  for (const seq of seqs) {
    const event = await log.reads.getEvent(sessionId, seq)
    if (event && isFileNote(event) && hashesIn(event).every((hash) => !all.has(hash))) idle.push(seq)
  }
  return idle
}

/** Files that a session shows, in its prefix or itself, and those that it holds itself. Without what is `leaving`. */
async function shownBy(
  log: TenantLog,
  sessionId: string,
  leaving: Leaving,
): Promise<{ shown: Set<string>; own: Set<string> }> {
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  const found = { shown: new Set<string>(), own: new Set<string>() }
  for await (const event of visibleEvents(log, sessionId)) {
    const { seq } = event
    const owner = segments.find(({ from, to }) => from <= seq && seq <= to)?.sessionId ?? sessionId
    const isNote = isFileNote(event)
    if (isNote ? owner !== sessionId : leaving.get(owner)?.has(seq)) continue
    for (const hash of hashesIn(event)) found[isNote ? 'own' : 'shown'].add(hash)
  }
  return found
}

async function* visibleEvents(log: TenantLog, sessionId: string): AsyncGenerator<FoldEvent> {
  const head = await log.reads.getHead(sessionId)
  if (head) yield* log.reads.events(sessionId, 0, head.state.head.seq)
}

/** Wherever it stands: a tool's output may name a file too. In text the quotes would be escaped. */
function hashesIn({ data }: FoldEvent): string[] {
  return [...JSON.stringify(data).matchAll(/"hash":"([0-9a-f]{64})"/g)].map(([, hash]) => hash as string)
}

/** Hashes of the files that an event brings to its session. */
export function filesBrought(event: FoldEvent): string[] {
  return isFileNote(event) ? hashesIn(event) : []
}

function isFileNote(event: FoldEvent): boolean {
  return isNote(event, ATTACHMENT_NOTE) || isNote(event, TAKEN_NOTE)
}

function isNote({ type, data }: FoldEvent, kind: string): boolean {
  return type === 'note.added' && (data as EventData<'note.added'>).kind === kind
}
