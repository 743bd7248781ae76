/** Bodies by their hash: attachments, and the channels of checkpoints. */
import type { KeptBody, KeptSession, KeptTenant } from './place.ts'

/** A body that is there already keeps its first seq. */
export function keepBody(session: KeptSession, hash: string, { bytes, seq, isFile }: KeptBody): void {
  const kept = session.attachments.get(hash)
  if (kept) kept.isFile ||= isFile
  else session.attachments.set(hash, { seq, isFile, bytes: copyOf(bytes) })
}

/** `slice` of a Buffer would be a view on the same memory. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

/** Files that no event names any more go, unless a checkpoint has the same bytes, and so do bodies of no checkpoint. */
export function dropAttachments(
  tenant: KeptTenant,
  session: KeptSession,
  { hashes, from }: { hashes: readonly string[]; from: number },
): void {
  for (const hash of hashes) {
    const body = session.attachments.get(hash)
    if (body) body.isFile = false
  }
  const named = namedByCheckpoints(tenant, session, from)
  for (const [hash, { isFile }] of session.attachments) {
    if (!isFile && !named.has(hash)) session.attachments.delete(hash)
  }
}

/** Forks that reach the erased seqs are not asked: their checkpoints go with their own erasure. */
function namedByCheckpoints(tenant: KeptTenant, { sessionId }: KeptSession, from: number): Set<string> {
  const isReader = (reader: string) =>
    reader === sessionId ||
    tenant.sessions
      .get(reader)
      ?.segments.some((segment) => segment.sessionId === sessionId && segment.to < from)
  const rows = tenant.checkpoints.filter((checkpoint) => isReader(checkpoint.sessionId))
  return new Set(rows.flatMap(({ channels }) => Object.values(channels)))
}
