/** Full-text search. The index follows the log: a search first takes in what waits, up to a bound, and says what is left. */
import { HoldfastError, limits } from '@holdfast/protocol'
import { textOf } from '../session/projections.ts'
import type { SearchHit, Segment } from '../store/store.ts'
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
  const behind = await log.store.indexPending(log.tenantId, textOf, limits.searchIndexBytes)
  const hits = await hitsOf(log, sessionId, { words, limit: limit + 1, offset })
  return { hits: hits.slice(0, limit), behind, ...(hits.length > limit && { next: offset + limit }) }
}

interface Wanted {
  words: readonly string[]
  limit: number
  offset: number
}

async function hitsOf(
  log: TenantLog,
  sessionId: string | undefined,
  wanted: Wanted,
): Promise<readonly SearchHit[]> {
  if (sessionId === undefined) return log.store.search(log.tenantId, wanted)
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  if (segments.length === 0) return log.store.search(log.tenantId, { ...wanted, sessionId })
  return hitsInFork(log, sessionId, segments, wanted)
}

/** A fork's log is its prefix too: what is found there is of the fork, under the fork's id. Newest segment first. */
async function hitsInFork(
  log: TenantLog,
  sessionId: string,
  segments: readonly Segment[],
  { words, limit, offset }: Wanted,
): Promise<SearchHit[]> {
  const base = segments.at(-1)?.to ?? 0
  const own = { sessionId, from: base + 1, to: Number.MAX_SAFE_INTEGER }
  const hits: SearchHit[] = []
  for (const segment of [own, ...segments.toReversed()]) {
    for await (const hit of hitsInSegment(log, segment, words)) {
      hits.push({ ...hit, sessionId })
      if (hits.length === offset + limit) return hits.slice(offset)
    }
  }
  return hits.slice(offset)
}

/** What its session wrote beyond the segment is passed over. */
async function* hitsInSegment(
  log: TenantLog,
  { sessionId, from, to }: Segment,
  words: readonly string[],
): AsyncGenerator<SearchHit> {
  const limit = limits.pageItems
  for (let offset = 0; ; offset += limit) {
    const hits = await log.store.search(log.tenantId, { words, limit, offset, sessionId })
    for (const hit of hits) if (from <= hit.seq && hit.seq <= to) yield hit
    if (hits.length < limit) return
  }
}
