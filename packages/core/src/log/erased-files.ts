/**
 * Files that go with erased events: those that no other event names. The note that brought a file names it too, but it
 * is there for the sake of the messages that show it.
 */
import type { EventData } from '@holdfast/protocol'
import type { FoldEvent } from '../session/state.ts'
import { ATTACHMENT_NOTE } from './attachments.ts'
import type { TenantLog } from './tenant-log.ts'

export interface NamedFiles {
  hashes: string[]
  /** Own events that brought them. */
  notes: number[]
}

/** Files that of all events of the session, and of its forks, only those at `seqs` name. */
export async function namedOnlyBy(
  log: TenantLog,
  sessionId: string,
  seqs: ReadonlySet<number>,
): Promise<NamedFiles> {
  const hashes = await namedBy(log, sessionId, seqs)
  const notes: { seq: number; named: string[] }[] = []
  if (hashes.size === 0) return { hashes: [], notes: [] }
  for await (const event of ownEvents(log, sessionId)) {
    if (seqs.has(event.seq)) continue
    const named = hashesIn(event)
    if (isAttachmentNote(event)) notes.push({ seq: event.seq, named })
    else for (const hash of named) hashes.delete(hash)
  }
  for (const fork of await log.store.listForks(log.tenantId, sessionId)) {
    for await (const event of ownEvents(log, fork)) for (const hash of hashesIn(event)) hashes.delete(hash)
  }
  const going = notes.filter(({ named }) => named.some((hash) => hashes.has(hash)))
  return { hashes: [...hashes], notes: going.map(({ seq }) => seq) }
}

async function namedBy(log: TenantLog, sessionId: string, seqs: ReadonlySet<number>): Promise<Set<string>> {
  const hashes = new Set<string>()
  for (const seq of seqs) {
    const event = await log.reads.getEvent(sessionId, seq)
    for (const hash of event ? hashesIn(event) : []) hashes.add(hash)
  }
  return hashes
}

async function* ownEvents(log: TenantLog, sessionId: string): AsyncGenerator<FoldEvent> {
  const head = await log.reads.getHead(sessionId)
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  if (head) yield* log.reads.events(sessionId, segments.at(-1)?.to ?? 0, head.state.head.seq)
}

/** Wherever it stands: a tool's output may name a file too. In text the quotes would be escaped. */
function hashesIn({ data }: FoldEvent): string[] {
  return [...JSON.stringify(data).matchAll(/"hash":"([0-9a-f]{64})"/g)].map(([, hash]) => hash as string)
}

function isAttachmentNote({ type, data }: FoldEvent): boolean {
  return type === 'note.added' && (data as EventData<'note.added'>).kind === ATTACHMENT_NOTE
}
