/**
 * Sessions of a tenant as they change: each as it is then, in the order of the changes, whichever process made them. Who comes back
 * from a cursor is told again of what changed in the same second as the last one; nothing that changed since is left out.
 */
import { FollowedEvent, type Holdfast, type SessionFilters, type SessionSummary } from '@holdfast/core'
import { limits, toMs, toTime } from '@holdfast/protocol'
import { pause } from './pause.ts'

export interface Watching {
  filters: SessionFilters
  /** Milliseconds: what changed in this second or later. */
  sinceMs: number
  signal: AbortSignal
  /** Milliseconds between two looks. */
  everyMs?: number
}

export async function* changes(
  holdfast: Holdfast,
  { filters, sinceMs, signal, everyMs = 250 }: Watching,
): AsyncGenerator<readonly FollowedEvent[], void, void> {
  let fromMs = wholeSecond(sinceMs)
  let seen = new Map<string, number>()
  while (!signal.aborted) {
    const found = await changedSince(holdfast, filters, fromMs)
    const fresh = found.filter(({ id, seq }) => seen.get(id) !== seq)
    if (fresh.length > 0) yield fresh.map(changeOf)
    fromMs = Math.max(fromMs, ...found.map(({ updatedAt }) => wholeSecond(toMs(updatedAt))))
    // What can be found again is remembered; the rest is behind `fromMs`.
    const again = found.filter(({ updatedAt }) => toMs(updatedAt) >= fromMs)
    seen = new Map(again.map(({ id, seq }) => [id, seq]))
    await pause(everyMs, signal)
  }
}

/** Oldest change first. */
async function changedSince(
  { sessions }: Holdfast,
  filters: SessionFilters,
  fromMs: number,
): Promise<SessionSummary[]> {
  const found: SessionSummary[] = []
  for (let after: string | undefined; ; ) {
    const options = { limit: limits.pageItems, ...(after !== undefined && { after }) }
    const page = await sessions.list({ ...filters, updatedSince: toTime(fromMs) }, options)
    found.push(...page.sessions)
    if (page.next === undefined) return found.reverse()
    after = page.next
  }
}

function changeOf(session: SessionSummary): FollowedEvent {
  return new FollowedEvent(session.seq, 'session.changed', JSON.stringify(session), session.updatedAt)
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000
}
