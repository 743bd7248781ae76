/** Checkpoints: rows of hashes, newest last; the bodies lie with the session's attachments. */
import { HoldfastError, type TenantId } from '@holdfast/protocol'
import type { CheckpointRow, CheckpointWrite } from '../store.ts'
import { heldOf, insertChannels } from './attachments.ts'
import type { Row } from './driver.ts'
import { lockSession } from './sessions.ts'
import type { Transaction, Transactions } from './transactions.ts'

/** Put again it becomes the newest. */
const PUT_CHECKPOINT = `
  INSERT INTO @checkpoints (tenant, session, thread, namespace, id, parent, seq, channels, written)
  SELECT $1, $2, $3, $4, $5, $6, $7, $8, coalesce((
    SELECT written FROM @checkpoints WHERE tenant = $1 AND thread = $3 AND namespace = $4 ORDER BY written DESC LIMIT 1
  ), 0) + 1
  ON CONFLICT (tenant, thread, namespace, id) DO UPDATE SET session = excluded.session, parent = excluded.parent,
    seq = excluded.seq, channels = excluded.channels, written = excluded.written`

const DROP_CHECKPOINTS = 'DELETE FROM @checkpoints WHERE tenant = $1 AND session = $2 AND seq >= $3'

// Joined, because the checkpoints of a deleted session stay until they are swept.
const SELECT_BY_ID = `
  SELECT c.id, c.parent, c.channels, c.session
  FROM @checkpoints c JOIN @sessions s ON s.tenant = c.tenant AND s.session = c.session
  WHERE c.tenant = $1 AND c.thread = $2 AND c.namespace = $3 AND c.id = $4`

const SELECT_NEWEST = `
  SELECT c.id, c.parent, c.channels, c.session
  FROM @checkpoints c JOIN @sessions s ON s.tenant = c.tenant AND s.session = c.session
  WHERE c.tenant = $1 AND c.thread = $2 AND c.namespace = $3
  ORDER BY c.written DESC, c.id DESC LIMIT 1`

/** Throws before anything is written when the session is missing or a channel has no body. */
export async function putCheckpoint(
  db: Transactions,
  tenant: TenantId,
  write: CheckpointWrite,
): Promise<void> {
  await db.transact(tenant, async (tx) => {
    const { sessionId, threadId, namespace, checkpointId, parentId, channels, bodies } = write
    const session = await lockSession(tx, tenant, sessionId)
    if (!session) throw new HoldfastError('not_found', `There is no session ${sessionId}.`)
    await requireBodies(tx, tenant, write)
    insertChannels(tx, tenant, { sessionId, seq: session.seq }, bodies)
    const pairs = JSON.stringify(Object.entries(channels))
    const named = [tenant, sessionId, threadId, namespace, checkpointId, parentId]
    tx.send({ sql: PUT_CHECKPOINT, values: [...named, session.seq, pairs] })
  })
}

/** Those written when the session had come as far as `from`. */
export function dropCheckpoints(tx: Transaction, tenant: TenantId, sessionId: string, from: number): void {
  tx.send({ sql: DROP_CHECKPOINTS, values: [tenant, sessionId, from] })
}

async function requireBodies(tx: Transaction, tenant: TenantId, write: CheckpointWrite): Promise<void> {
  const brought = new Set(write.bodies.map(({ hash }) => hash))
  const wanted = Object.entries(write.channels).filter(([, hash]) => !brought.has(hash))
  if (wanted.length === 0) return
  const held = await heldOf(tx, tenant, write.sessionId, [...new Set(wanted.map(([, hash]) => hash))])
  for (const [channel, hash] of wanted) {
    if (held.has(hash)) continue
    const message = `Channel ${channel} names the body ${hash}, which session ${write.sessionId} does not hold.`
    throw new HoldfastError('invalid_input', message, { details: { channel, hash } })
  }
}

export async function readCheckpoint(
  db: Transactions,
  tenant: TenantId,
  {
    threadId,
    namespace,
    checkpointId,
  }: { threadId: string; namespace: string; checkpointId?: string | undefined },
): Promise<(CheckpointRow & { sessionId: string }) | undefined> {
  const [row] =
    checkpointId === undefined
      ? await db.read(tenant, SELECT_NEWEST, tenant, threadId, namespace)
      : await db.read(tenant, SELECT_BY_ID, tenant, threadId, namespace, checkpointId)
  return row && { threadId, namespace, ...checkpointOf(row) }
}

/** Channels are kept as pairs: a channel may be named `__proto__`, and an object would lose it. */
function checkpointOf([checkpointId, parent, channels, sessionId]: Row): Omit<
  CheckpointRow & { sessionId: string },
  'threadId' | 'namespace'
> {
  const pairs = JSON.parse(channels) as [string, string][]
  return { checkpointId, parentId: parent ?? undefined, channels: Object.fromEntries(pairs), sessionId }
}
