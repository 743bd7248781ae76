/** Full-text search over what has been indexed: a watermark per session, a word count per event. */
import type { SearchHit, TextOf } from '../store.ts'
import { wordsOf } from '../words.ts'
import { type KeptSession, type KeptTenant, seqOf } from './place.ts'

/** Indexes until `maxBytes` of text are reached, one event at least. True when more waits. */
export function indexPending(tenants: Iterable<KeptTenant>, textOf: TextOf, maxBytes: number): boolean {
  let bytes = 0
  for (const { sessions } of tenants) {
    for (const session of sessions.values()) {
      while (session.indexedSeq < seqOf(session)) {
        if (bytes >= maxBytes) return true
        bytes += indexNext(session, textOf)
      }
    }
  }
  return false
}

/** Indexes the event after the watermark and gives the bytes of its text. */
function indexNext(session: KeptSession, textOf: TextOf): number {
  session.indexedSeq += 1
  const event = session.events[session.indexedSeq - session.base - 1]
  const text = event && textOf(event.type, event.body)
  if (text === undefined) return 0
  const counts = new Map<string, number>()
  for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  session.index.set(session.indexedSeq, counts)
  return Buffer.byteLength(text)
}

export function resetIndex(session: KeptSession): void {
  session.index.clear()
  session.indexedSeq = session.base
}

export function search(tenant: KeptTenant, words: readonly string[], sessionId?: string): SearchHit[] {
  const wanted = words.flatMap(wordsOf)
  if (wanted.length === 0) return []
  const hits: SearchHit[] = []
  for (const session of tenant.sessions.values()) {
    if (sessionId !== undefined && session.sessionId !== sessionId) continue
    for (const [seq, counts] of session.index) {
      if (wanted.every((word) => counts.has(word))) {
        hits.push({ sessionId: session.sessionId, seq, score: scoreOf(counts, wanted) })
      }
    }
  }
  return hits.sort((a, b) => a.score - b.score)
}

/** The share of the event's words that the query names, negated. */
function scoreOf(counts: ReadonlyMap<string, number>, wanted: readonly string[]): number {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const named = wanted.reduce((sum, word) => sum + (counts.get(word) ?? 0), 0)
  return -named / total
}
