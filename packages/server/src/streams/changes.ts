/**
 * Sessions of a tenant as they change: each as it is then, in the order of the changes, whichever process made them. Who comes back
 * from a cursor is told again of what changed in the second before the last one; nothing that changed since is left out.
 */
import type { FollowedEvent, SessionFilters, SessionSummary } from '@holdfast/core'
import { type Change, changeOf, type FleetWatch, type Look, Position } from './fleet.ts'

export interface Watching {
  watch: FleetWatch
  /** Looks for those that pass the filters, oldest change first: where the reader begins, and when it fell behind. */
  look: Look
  filters: SessionFilters
  /** Milliseconds: what changed in this second or later. */
  sinceMs: number
  signal: AbortSignal
}

export async function* changes({
  watch,
  look,
  filters,
  sinceMs,
  signal,
}: Watching): AsyncGenerator<readonly FollowedEvent[], void, void> {
  const position = new Position(sinceMs)
  watch.join()
  try {
    while (!signal.aborted) {
      let count = watch.count
      const found: Change[] = (await look(position.fromMs)).map(changeOf)
      for (let next: readonly Change[] | undefined = found; next; next = await watch.after(count++, signal)) {
        const fresh = position.fresh(next.filter(({ session }) => passes(session, filters)))
        if (fresh.length > 0) yield fresh.map(({ event }) => event)
      }
    }
  } finally {
    watch.leave()
  }
}

function passes(session: SessionSummary, filters: SessionFilters): boolean {
  return Object.entries(filters).every(([name, wanted]) => {
    const value = session[name as keyof SessionSummary]
    return Array.isArray(wanted) ? wanted.includes(value) : value === wanted
  })
}
