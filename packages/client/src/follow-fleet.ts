/** A tenant's sessions as they change. */
import type { SessionListItem } from '@holdfast/protocol'
import { follow } from './follow.ts'
import type { Http } from './http.ts'
import type { SessionFilters } from './sessions.ts'

export interface FleetOptions extends Omit<SessionFilters, 'updatedSince' | 'hasQuestion'> {
  /** A cursor of this stream, or a time. */
  after?: string
  signal?: AbortSignal
}

export interface Changed {
  cursor: string
  session: SessionListItem
}

/** Who goes on is told again of what changed in the same second as the last one, and misses nothing. */
export async function* followFleet(
  http: Http,
  filters: Omit<FleetOptions, 'after' | 'signal'>,
  place: Pick<FleetOptions, 'after' | 'signal'>,
): AsyncGenerator<Changed, void, void> {
  for await (const item of follow(http, '/v1/fleet/events', place, { ...filters })) {
    if (item.type === 'event') yield { cursor: item.cursor, session: item.event as never as SessionListItem }
  }
}
