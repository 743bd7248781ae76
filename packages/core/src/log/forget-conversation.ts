/** What is kept of a conversation whose last session is gone: that it was, and through which channel. */
import type { JsonObject } from '@holdfast/protocol'
import type { TenantLog } from './tenant-log.ts'

/** Its title and metadata go with its last session. Changed by another meanwhile: it is read and forgotten again. */
export async function forgetConversation(log: TenantLog, conversationId: string): Promise<void> {
  const query = { index: 'conversation' as const, value: conversationId, limit: 1 }
  for (;;) {
    const left = await log.store.listHeads(log.tenantId, query)
    const row = await log.store.readRecord(log.tenantId, 'conversation', conversationId)
    if (left.length > 0 || !row) return
    const { title: _title, metadata: _metadata, ...rest } = JSON.parse(row.body) as JsonObject
    const changed = { ...row, body: JSON.stringify(rest) }
    const { status } = await log.store.putRecord(log.tenantId, changed, row.version)
    if (status === 'written') return
  }
}
