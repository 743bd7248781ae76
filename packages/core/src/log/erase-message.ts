/** Where a message stands in the log, with the versions that it replaced. */
import { type EventData, HoldfastError, parseInput, id as schema } from '@holdfast/protocol'
import { messageIdOf } from '../session/fold/messages.ts'
import type { FoldEvent } from '../session/state.ts'
import type { TenantLog } from './tenant-log.ts'

/** `not_found` when the session has no such message. An erased one is found again, so that an erasure may be repeated. */
export async function seqsOfMessage(log: TenantLog, sessionId: string, messageId: string): Promise<number[]> {
  await log.reads.requireHead(sessionId)
  const seqs: number[] = []
  for (let wanted: string | undefined = parseInput(schema, messageId, 'messageId'); wanted !== undefined; ) {
    const event = await findMessage(log, sessionId, wanted)
    if (!event) break
    seqs.push(event.seq)
    wanted = (event.data as EventData<'message.appended'>).replaces
  }
  if (seqs.length > 0) return seqs
  throw new HoldfastError('not_found', `session ${sessionId} has no message ${messageId}`)
}

/** By its chosen id, or by its seq where none was chosen. */
async function findMessage(log: TenantLog, sessionId: string, id: string): Promise<FoldEvent | undefined> {
  const [chosen] = await log.store.readRefs(log.tenantId, sessionId, 'message', id)
  const seq = chosen ?? (/^[1-9]\d{0,14}$/.test(id) ? Number(id) : undefined)
  const event = seq === undefined ? undefined : await log.reads.getEvent(sessionId, seq)
  if (event?.type !== 'message.appended' && event?.type !== 'tool.finished') return undefined
  return messageIdOf(event.data as EventData<'message.appended'>, event) === id ? event : undefined
}
