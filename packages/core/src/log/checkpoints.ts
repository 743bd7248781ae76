/** Saved graph states of a thread: each channel's value by its hash, so that an unchanged channel is stored once. */
import { checkLimit, HoldfastError, id, type Json, parseInput, scanValue } from '@holdfast/protocol'
import { sha256 } from '../store/sha256.ts'
import { idFromKey } from './key-hash.ts'
import type { TenantLog } from './tenant-log.ts'
import { type Writer, writeCommands } from './write-command.ts'
import { type Receipt, receiptOf, type WriteOptions } from './write-options.ts'

export interface NewCheckpoint {
  checkpointId?: string
  /** Of the graph that saves; default `` (the root graph). */
  namespace?: string
  parentId?: string
  /** Each channel's whole value. */
  channels: Readonly<Record<string, Json>>
}

export interface Checkpoint {
  sessionId: string
  threadId: string
  namespace: string
  checkpointId: string
  parentId?: string
  channels: Record<string, Json>
}

export async function putCheckpoint(
  writer: Writer,
  checkpoint: NewCheckpoint,
  options?: WriteOptions,
): Promise<Receipt & { checkpointId: string }> {
  const { log, sessionId } = writer
  const { threadId } = (await log.reads.requireHead(sessionId)).state.head
  const checkpointId = parseInput(id, checkpoint.checkpointId ?? newId(writer, options), 'checkpointId')
  const { namespace = '', parentId } = checkpoint
  const { channels, bodies } = encodeChannels(checkpoint.channels)
  const named = { threadId, namespace, checkpointId, ...(parentId !== undefined && { parentId }) }
  // The event goes first: what it is refused for must not leave a checkpoint. After a crash between the two the one
  // before is still the newest, and the same call again completes this one, in the place that its event has.
  const command = { type: 'saveCheckpoint', ...named } as const
  const written = await writeCommands(writer, [command], options, undefined, channels)
  const { events, replayed } = written
  const row = { tenantId: log.tenantId, sessionId, parentId, ...named }
  await log.store.putCheckpoint({
    ...row,
    channels,
    bodies,
    replayed,
    ...(events[0] && { seq: events[0].seq }),
  })
  return { ...receiptOf(written), checkpointId }
}

/** The same for the same key, so that a repeated call names the same checkpoint. */
function newId({ log, sessionId }: Writer, options: WriteOptions | undefined): string {
  if (options?.key === undefined) return log.engine.ids.next()
  return idFromKey(log.tenantId, `${sessionId} ${options.key}`)
}

function encodeChannels(channels: NewCheckpoint['channels']) {
  if (typeof channels !== 'object' || channels === null || Array.isArray(channels)) {
    throw new HoldfastError('invalid_input', 'channels: expected an object.')
  }
  const hashes = new Map<string, string>()
  const bodies = new Map<string, string>()
  for (const [name, value] of Object.entries(channels)) {
    const body = scanValue(value, 'eventBytes', `channel ${name}`)
    const hash = hashOf(body)
    hashes.set(name, hash)
    bodies.set(hash, body)
  }
  checkLimit('checkpointChannels', hashes.size, 'checkpoint')
  return {
    channels: Object.fromEntries(hashes),
    bodies: [...bodies].map(([hash, body]) => ({ hash, body })),
  }
}

/** With an id that one, without one the newest of the thread. */
export async function getCheckpoint(
  log: TenantLog,
  threadId: string,
  namespace = '',
  checkpointId?: string,
): Promise<Checkpoint | undefined> {
  const row = await log.store.readCheckpoint(log.tenantId, threadId, namespace, checkpointId)
  if (!row) return undefined
  const channels: [string, Json][] = []
  for (const [name, hash] of Object.entries(row.channels)) {
    const bytes = await log.store.readAttachment(log.tenantId, row.sessionId, hash)
    if (!bytes)
      throw new HoldfastError(
        'store_corrupt',
        `channel ${name} of checkpoint ${row.checkpointId} has lost its body`,
      )
    channels.push([name, JSON.parse(Buffer.from(bytes).toString()) as Json])
  }
  const { parentId, ...rest } = row
  return { ...rest, ...(parentId !== undefined && { parentId }), channels: Object.fromEntries(channels) }
}

function hashOf(text: string): string {
  return sha256(text).toString('hex')
}
