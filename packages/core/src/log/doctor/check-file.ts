/** A file that an event brought: is it there, with the bytes that it came with. */
import { type EventData, isErased } from '@holdfast/protocol'
import type { FoldEvent } from '../../session/state.ts'
import { ATTACHMENT_NOTE } from '../attachments.ts'
import type { LogReads } from '../log-reads.ts'
import { unlessCorrupt } from './unless-corrupt.ts'

/** Undefined: the event brought none, or the file is whole. */
export async function fileFault(
  reads: LogReads,
  sessionId: string,
  event: FoldEvent,
): Promise<string | undefined> {
  const hash = fileIn(event)
  if (hash === undefined || (await isWhole(reads, sessionId, hash))) return undefined
  return `the file ${hash} that event ${event.seq} brought is missing or fails its checksum`
}

function fileIn(event: FoldEvent): string | undefined {
  if (event.type !== 'note.added' || isErased(event)) return undefined
  const { kind, data } = event.data as EventData<'note.added'>
  return kind === ATTACHMENT_NOTE ? (data as { hash?: string } | undefined)?.hash : undefined
}

async function isWhole({ store, tenantId }: LogReads, sessionId: string, hash: string): Promise<boolean> {
  return (await unlessCorrupt(() => store.readAttachment(tenantId, sessionId, hash))) !== undefined
}
