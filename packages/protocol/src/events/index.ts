import { z } from 'zod'
import { externalId, id } from '../ids.ts'
import { objectOnUse } from '../on-use.ts'
import { time } from '../time.ts'
import { messageEvents } from './message-events.ts'
import { runEvents } from './run-events.ts'
import { sessionEvents } from './session-events.ts'
import { workEvents } from './work-events.ts'

/** Every event type and the schema of its `data`. */
export const eventSchemas = { ...sessionEvents, ...messageEvents, ...runEvents, ...workEvents } as const

export type EventType = keyof typeof eventSchemas
export type EventData<T extends EventType> = z.infer<(typeof eventSchemas)[T]>

export const eventTypes = Object.keys(eventSchemas) as EventType[]

/** Version of each type's data; 1 unless listed. A rise brings an upcaster with it. */
export const eventVersions: Partial<Record<EventType, number>> = {}

export const actor = objectOnUse(() => ({
  kind: z.enum(['user', 'agent', 'system', 'import', 'host']),
  /** Who: a user id for `user`, an agent id for `agent`. */
  id: externalId.optional(),
}))
export type Actor = z.infer<typeof actor>

/** 16 bytes, not all of them zero. */
export const traceIdPattern = /^(?!0{32})[0-9a-f]{32}$/

export const envelope = objectOnUse(() => ({
  seq: z.int().min(1),
  type: z.string(),
  v: z.int().min(1),
  at: time,
  actor,
  /** The trace, by its W3C id, of the request that wrote it. */
  traceId: z.string().regex(traceIdPattern).optional(),
  /** Set exactly on events written under a run's epoch. */
  runId: id.optional(),
  roundId: id.optional(),
  /** An unknown event with this mark makes the session read-only. */
  critical: z.literal(true).optional(),
  data: z.unknown(),
}))

interface EventFields {
  seq: number
  v: number
  at: string
  actor: Actor
  traceId?: string
  runId?: string
  roundId?: string
  critical?: true
}

/** An event of a type that this version knows. */
export type KnownEvent<T extends EventType = EventType> = {
  [K in T]: EventFields & { type: K; data: EventData<K> }
}[T]

/** What a reader of the log gets. Narrow with `isKnown(event, type)`. */
export type SessionEvent = EventFields & { type: string; data: unknown }

/** Content that was erased on request: the place, type and time stay, `data` is `{erased: true}`. */
export function isErased(event: { data: unknown }): boolean {
  return (
    typeof event.data === 'object' &&
    event.data !== null &&
    (event.data as { erased?: unknown }).erased === true
  )
}

/** True when the event is of the given type (or of any type we know) and its content was not erased. */
export function isKnown<T extends EventType>(event: SessionEvent, type?: T): event is KnownEvent<T> {
  if (isErased(event)) return false
  return type === undefined ? Object.hasOwn(eventSchemas, event.type) : event.type === type
}
