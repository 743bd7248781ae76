/** What is kept of a conversation whose last session goes: that it was, and through which channel. */
import type { JsonObject } from '@holdfast/protocol'
import type { Head } from '../session/state.ts'
import { decodeHead } from './head-codec.ts'
import type { TenantLog } from './tenant-log.ts'

/**
 * Takes its title and metadata, if every session that is left in it is going. Changed by another meanwhile: it is read
 * and forgotten again.
 */
export async function forgetConversation(
  log: TenantLog,
  conversationId: string,
  isGoing: (head: Head) => boolean,
): Promise<void> {
  for (;;) {
    const row = await log.store.readRecord(log.tenantId, 'conversation', conversationId)
    if (!row || !(await areAllGoing(log, conversationId, isGoing))) return
    const { title: _title, metadata: _metadata, ...rest } = JSON.parse(row.body) as JsonObject
    const changed = { ...row, body: JSON.stringify(rest) }
    const { status } = await log.store.putRecord(log.tenantId, changed, row.version)
    if (status === 'written') return
  }
}

async function areAllGoing(
  log: TenantLog,
  conversationId: string,
  isGoing: (head: Head) => boolean,
): Promise<boolean> {
  let after: { key: number; id: string } | undefined
  for (;;) {
    const query = { index: 'conversation' as const, value: conversationId, limit: 1_000 }
    const rows = await log.store.listHeads(log.tenantId, { ...query, ...(after && { after }) })
    if (rows.some((row) => row.damaged || !isGoing(decodeHead(row.body)))) return false
    const last = rows.at(-1)
    if (!last || rows.length < 1_000) return true
    after = { key: last.key, id: last.sessionId }
  }
}
