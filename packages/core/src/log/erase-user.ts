/** Forgetting a person: the sessions they own go whole, and elsewhere what they wrote is erased. */
import type { EventData, JsonObject } from '@holdfast/protocol'
import type { FoldEvent } from '../session/state.ts'
import type { RecordRow } from '../store/store.ts'
import { deleteSession } from './delete-session.ts'
import { type EraseOptions, type ErasureReceipt, erasedCount, eraseEvents, outside } from './erase.ts'
import { decodeHead } from './head-codec.ts'
import type { TenantLog } from './tenant-log.ts'

export async function eraseUser(
  log: TenantLog,
  userId: string,
  options: EraseOptions,
): Promise<ErasureReceipt> {
  const { owned, others } = await sessionsOf(log, userId)
  const receipt = { sessions: 0, events: 0, deletedSessions: 0 }
  for (const sessionId of owned) await forget(log, sessionId, receipt)
  const names = await namesOf(log, userId)
  for (const sessionId of others) {
    const seqs = await authoredBy(log, sessionId, names)
    if (seqs.length === 0) continue
    const erasure = await eraseEvents(log, sessionId, seqs, options)
    receipt.sessions += erasure.size
    receipt.events += erasedCount(erasure)
  }
  await forgetParticipants(log, userId)
  await log.store.scrub()
  return { ...receipt, scrubbed: true, outside }
}

/** Forks of an owned session hold its content, so they go with it. */
async function forget(
  log: TenantLog,
  sessionId: string,
  receipt: Pick<ErasureReceipt, 'events' | 'deletedSessions'>,
): Promise<void> {
  if ((await log.store.readHead(log.tenantId, sessionId)) === undefined) return
  const deleted = await deleteSession(log, sessionId, { cascade: true, force: true })
  receipt.deletedSessions += deleted.sessionIds.length
  receipt.events += deleted.events
}

async function sessionsOf(log: TenantLog, userId: string): Promise<{ owned: string[]; others: string[] }> {
  const owned: string[] = []
  const others: string[] = []
  let after: { key: number; id: string } | undefined
  for (;;) {
    const rows = await log.store.listHeads(log.tenantId, {
      index: 'all',
      limit: 1_000,
      ...(after && { after }),
    })
    for (const row of rows) {
      const isOwn = decodeHead(row.body).ownerUserId === userId
      ;(isOwn ? owned : others).push(row.sessionId)
    }
    const last = rows.at(-1)
    if (!last || rows.length < 1_000) return { owned, others }
    after = { key: last.key, id: last.sessionId }
  }
}

/** Own events only: a fork's prefix is erased where it is held. */
async function authoredBy(log: TenantLog, sessionId: string, names: ReadonlySet<string>): Promise<number[]> {
  const head = await log.reads.getHead(sessionId)
  if (!head) return []
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  const base = segments.at(-1)?.to ?? 0
  const seqs: number[] = []
  for await (const event of log.reads.events(sessionId, base, head.state.head.seq)) {
    if (isBy(event, names)) seqs.push(event.seq)
  }
  return seqs
}

function isBy({ type, actor, data }: FoldEvent, names: ReadonlySet<string>): boolean {
  if (type === 'session.created' || type === 'session.forked') return false
  if (actor.kind === 'user' && actor.id !== undefined && names.has(actor.id)) return true
  return type === 'message.appended' && names.has((data as EventData<'message.appended'>).author ?? '')
}

/** The user's id, and those of the participants that they were. */
async function namesOf(log: TenantLog, userId: string): Promise<Set<string>> {
  const names = new Set([userId])
  for await (const row of participantsOf(log, userId)) names.add(row.id)
  return names
}

async function forgetParticipants(log: TenantLog, userId: string): Promise<void> {
  for await (const row of participantsOf(log, userId)) {
    const { userId: _user, name: _name, ...rest } = JSON.parse(row.body) as JsonObject
    await log.store.putRecord(log.tenantId, { ...row, body: JSON.stringify(rest) }, row.version)
  }
}

async function* participantsOf(log: TenantLog, userId: string): AsyncGenerator<RecordRow> {
  let after: string | undefined
  for (;;) {
    const query = { limit: 500, ...(after !== undefined && { after }) }
    const rows = await log.store.listRecords(log.tenantId, 'participant', query)
    for (const row of rows) if ((JSON.parse(row.body) as JsonObject).userId === userId) yield row
    after = rows.at(-1)?.id
    if (rows.length < 500) return
  }
}
