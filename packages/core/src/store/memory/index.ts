/**
 * The plainest store: everything in maps, gone with the process. For tests, demos and as the model that other stores
 * are compared with.
 */

import { systemClock } from '../clock.ts'
import type { StoreFactory } from '../store.ts'
import { Place } from './place.ts'
import { MemoryStore } from './store.ts'

/** Names a new, empty place: each `open` of it gives another handle on the same data. */
export function memory(): StoreFactory {
  const place = new Place()
  return { open: async ({ clock = systemClock }) => new MemoryStore(place, clock) }
}
