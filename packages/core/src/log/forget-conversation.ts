/** What is kept of a conversation whose last session goes: that it was, and through which channel. */
import type { JsonObject } from '@holdfast/protocol'
import type { Head } from '../session/state.ts'
import { eachHead } from './each-head.ts'
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
  for await (const { head } of eachHead(log, { index: 'conversation', value: conversationId })) {
    if (!head || !isGoing(head)) return false
  }
  return true
}
