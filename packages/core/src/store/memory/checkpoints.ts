/** Checkpoints: rows of hashes, newest last; the bodies lie with the session's attachments. */
import { HoldfastError } from '@holdfast/protocol'
import type { CheckpointRow, CheckpointWrite } from '../store.ts'
import { keepBody } from './attachments.ts'
import { type KeptSession, type KeptTenant, seqOf } from './place.ts'
import { attachmentOf } from './reads.ts'

export function putCheckpoint(tenant: KeptTenant, session: KeptSession, write: CheckpointWrite): void {
  const { threadId, namespace, checkpointId, parentId, channels, bodies } = write
  requireBodies(tenant, session, write)
  for (const { hash, body } of bodies) {
    keepBody(session, hash, { bytes: Buffer.from(body), seq: seqOf(session), isFile: false })
  }
  const row = { threadId, namespace, checkpointId, parentId, channels: { ...channels } }
  tenant.checkpoints = tenant.checkpoints.filter((other) => !isSame(other, row))
  tenant.checkpoints.push({ ...row, sessionId: session.sessionId, seq: seqOf(session) })
}

/** A fork may repeat what its prefix holds. */
function requireBodies(
  tenant: KeptTenant,
  session: KeptSession,
  { channels, bodies }: CheckpointWrite,
): void {
  const brought = new Set(bodies.map(({ hash }) => hash))
  for (const [channel, hash] of Object.entries(channels)) {
    if (brought.has(hash) || attachmentOf(tenant, session, hash)) continue
    const message = `Channel ${channel} names the body ${hash}, which session ${session.sessionId} does not hold.`
    throw new HoldfastError('invalid_input', message)
  }
}

export function readCheckpoint(
  { checkpoints }: KeptTenant,
  threadId: string,
  namespace: string,
  checkpointId?: string,
): (CheckpointRow & { sessionId: string }) | undefined {
  const found = checkpoints.findLast(
    (row) =>
      row.threadId === threadId &&
      row.namespace === namespace &&
      (checkpointId === undefined || row.checkpointId === checkpointId),
  )
  if (!found) return undefined
  const { seq: _seq, ...row } = found
  return { ...row, channels: { ...row.channels } }
}

function isSame(a: CheckpointRow, b: CheckpointRow): boolean {
  return a.threadId === b.threadId && a.namespace === b.namespace && a.checkpointId === b.checkpointId
}
