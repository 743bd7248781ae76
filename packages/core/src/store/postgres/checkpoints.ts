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
  SELECT $1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::int8, coalesce((
    SELECT written FROM @checkpoints WHERE tenant = $1 AND thread = $3 AND namespace = $4 ORDER BY written DESC LIMIT 1
  ), 0) + 1)
  ON CONFLICT (tenant, thread, namespace, id) DO UPDATE SET session = excluded.session, parent = excluded.parent,
    seq = excluded.seq, channels = excluded.channels, written = excluded.written`

const IS_THERE = `
  SELECT 1 FROM @checkpoints
  WHERE tenant = $1 AND thread = $2 AND namespace = $3 AND id = $4 AND session = $5 AND seq >= $6 LIMIT 1`

const SELECT_LATER = `
  SELECT written FROM @checkpoints
  WHERE tenant = $1 AND thread = $2 AND namespace = $3 AND session = $4 AND seq > $5 ORDER BY written LIMIT 1`

const MAKE_ROOM = `
  UPDATE @checkpoints SET written = written + 1 WHERE tenant = $1 AND thread = $2 AND namespace = $3 AND written >= $4`

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
    const { seq = session.seq } = write
    const place = write.replayed ? await placeOf(tx, tenant, { ...write, seq }) : null
    if (place === 'there') return
    insertChannels(tx, tenant, { sessionId, seq: session.seq }, bodies)
    const pairs = JSON.stringify(Object.entries(channels))
    const named = [tenant, sessionId, threadId, namespace, checkpointId, parentId]
    if (place !== null) tx.send({ sql: MAKE_ROOM, values: [tenant, threadId, namespace, place] })
    tx.send({ sql: PUT_CHECKPOINT, values: [...named, seq, pairs, place] })
  })
}

/** Of one that is replayed: before those that later events of its session put. Null: it is the newest. */
async function placeOf(
  tx: Transaction,
  tenant: TenantId,
  { threadId, namespace, checkpointId, sessionId, seq }: CheckpointWrite & { seq: number },
): Promise<string | 'there' | null> {
  const line = [tenant, threadId, namespace]
  const [there, later] = await tx.ask([
    { sql: IS_THERE, values: [...line, checkpointId, sessionId, seq] },
    { sql: SELECT_LATER, values: [...line, sessionId, seq] },
  ])
  if (there?.rows[0]) return 'there'
  return later?.rows[0]?.[0] ?? null
}

/** Those of events from `from` on, or written when the session had come as far. */
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
