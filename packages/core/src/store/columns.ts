/** The columns of a session that lists are made of. */
import type { HeadRow } from './store.ts'

export type IndexColumns = Omit<HeadRow, 'body'>

/** Whether two rows differ in nothing that an index is made of, but perhaps in their activity. */
export function haveSameIndices(a: IndexColumns, b: IndexColumns): boolean {
  return (
    a.agentId === b.agentId &&
    a.ownerUserId === b.ownerUserId &&
    a.conversationId === b.conversationId &&
    a.threadId === b.threadId &&
    a.rootSessionId === b.rootSessionId &&
    a.createdAtMs === b.createdAtMs &&
    a.questionAskedAtMs === b.questionAskedAtMs &&
    a.questionExpiresAtMs === b.questionExpiresAtMs &&
    a.expiresAtMs === b.expiresAtMs
  )
}
