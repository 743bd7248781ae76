/** Checkpoints: rows of hashes, newest last; the bodies lie with the session's attachments. */
import { HoldfastError } from '@holdfast/protocol'
import type { CheckpointRow, CheckpointWrite } from '../store.ts'
import { keepBody } from './attachments.ts'
import { type KeptCheckpoint, type KeptSession, type KeptTenant, seqOf } from './place.ts'
import { attachmentOf } from './reads.ts'

export function putCheckpoint(tenant: KeptTenant, session: KeptSession, write: CheckpointWrite): void {
  const { threadId, namespace, checkpointId, parentId, channels, bodies, seq = seqOf(session) } = write
  const { sessionId } = session
  requireBodies(tenant, session, write)
  for (const { hash, body } of bodies) {
    keepBody(session, hash, { bytes: Buffer.from(body), seq: seqOf(session), isFile: false })
  }
  const row = { threadId, namespace, checkpointId, parentId, channels: { ...channels }, sessionId, seq }
  if (
    write.replayed &&
    tenant.checkpoints.some((other) => isSame(other, row) && isOfSession(other, sessionId, seq))
  )
    return
  const others = tenant.checkpoints.filter((other) => !isSame(other, row))
  const place = write.replayed ? placeAmong(others, row) : others.length
  tenant.checkpoints = others.toSpliced(place, 0, row)
}

/** Before those of the thread that later events of its session put. */
function placeAmong(others: readonly KeptCheckpoint[], row: KeptCheckpoint): number {
  const later = others.findIndex(
    (other) => isBeside(other, row) && isOfSession(other, row.sessionId, row.seq + 1),
  )
  return later === -1 ? others.length : later
}

function isOfSession(row: KeptCheckpoint, sessionId: string, from: number): boolean {
  return row.sessionId === sessionId && row.seq >= from
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
  return isBeside(a, b) && a.checkpointId === b.checkpointId
}

function isBeside(a: CheckpointRow, b: CheckpointRow): boolean {
  return a.threadId === b.threadId && a.namespace === b.namespace
}
