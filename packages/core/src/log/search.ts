/** Full-text search. The index follows the log: a search first takes in what waits, up to a bound, and says what is left. */
import { HoldfastError, limits } from '@holdfast/protocol'
import { textOf } from '../session/projections.ts'
import type { SearchHit } from '../store/store.ts'
import { wordsOf } from '../store/words.ts'
import { checkText } from './check-input.ts'
import { pageLimit } from './session-read.ts'
import type { TenantLog } from './tenant-log.ts'

export interface SearchOptions {
  sessionId?: string
  limit?: number
  offset?: number
}

export interface SearchPage {
  /** Best first; each names the event to jump to. */
  hits: readonly SearchHit[]
  /** Give it as `offset`; absent when there is nothing more. */
  next?: number
  /** Newer events wait to be indexed: search again for them. */
  behind: boolean
}

export async function searchSessions(
  log: TenantLog,
  query: string,
  options: SearchOptions = {},
): Promise<SearchPage> {
  checkText(query, 'searchQueryBytes', 'query')
  const words = [...new Set(wordsOf(query))]
  if (words.length === 0) throw new HoldfastError('invalid_input', 'query: no word to search for.')
  const limit = pageLimit(options.limit)
  const { offset = 0, sessionId } = options
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new HoldfastError('invalid_input', 'offset: expected a whole number of at least 0.')
  }
  const behind = await log.store.indexPending(textOf, limits.searchIndexBytes)
  const hits = await log.store.search(log.tenantId, {
    words,
    limit: limit + 1,
    offset,
    ...(sessionId !== undefined && { sessionId }),
  })
  return { hits: hits.slice(0, limit), behind, ...(hits.length > limit && { next: offset + limit }) }
}
