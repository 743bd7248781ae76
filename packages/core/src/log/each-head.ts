/** Sessions by their heads, also those whose heads cannot be read: they hide no other, and nothing is said of them. */
import { HoldfastError, isHoldfastError, limits } from '@holdfast/protocol'
import type { Lease } from '../session/deciding.ts'
import type { Head } from '../session/state.ts'
import type { ListQuery, ListRow } from '../store/store.ts'
import { decodeHead, indexKey, indexValue } from './head-codec.ts'
import type { TenantLog } from './tenant-log.ts'

export interface FoundHead {
  sessionId: string
  /** Undefined: it is damaged, or a newer version wrote it. */
  head: Head | undefined
}

export interface ListedHead extends FoundHead {
  key: number
  lease: Lease
}

/** Every session of a list, in its order. */
export async function* eachHead(log: TenantLog, query: Omit<ListQuery, 'limit'>): AsyncGenerator<ListedHead> {
  let { after } = query
  for (;;) {
    const page = { ...query, limit: limits.pageItems, ...(after && { after }) }
    const rows = await log.store.listHeads(log.tenantId, page)
    for (const row of rows) yield listedHead(row, query)
    const last = rows.at(-1)
    if (!last || rows.length < limits.pageItems) return
    after = { key: last.key, id: last.sessionId }
  }
}

/** `decode` is for a caller that keeps heads. An entry of an index that leads to a session of another value is damaged. */
export function listedHead(
  { sessionId, key, lease, body, damaged }: ListRow,
  { index, value }: Pick<ListQuery, 'index' | 'value'>,
  decode: (sessionId: string, body: string) => Head = (_, text) => decodeHead(text),
): ListedHead {
  const head = damaged ? undefined : readable(() => decode(sessionId, body))
  const isThere = head && indexKey[index](head) === key && indexValue[index]?.(head) === value
  return { sessionId, key, lease, head: isThere ? head : undefined }
}

function readable(decode: () => Head): Head | undefined {
  try {
    return decode()
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return undefined
  }
}

/** Undefined when there is no such session. */
export async function findHead(log: TenantLog, sessionId: string): Promise<FoundHead | undefined> {
  try {
    const loaded = await log.reads.getHead(sessionId)
    return loaded && { sessionId, head: loaded.state.head }
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return { sessionId, head: undefined }
  }
}

/** What was read is damaged, or a newer version wrote it. */
export function isUnreadable(error: unknown): error is HoldfastError {
  return isHoldfastError(error, 'store_corrupt') || isHoldfastError(error, 'store_unsupported')
}

/** For what must not be done to a session that may be under a hold. */
export function unreadable(sessionId: string, advice: string): HoldfastError {
  const message = `the head of session ${sessionId} cannot be read, so nobody can say whether it is held; ${advice}`
  return new HoldfastError('store_corrupt', message, { details: { sessionId } })
}
