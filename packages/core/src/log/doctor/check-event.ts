/** One event by itself: is it of a type and version that this code knows, and of the shape of its type. */
import { type EventType, envelope, eventSchemas, eventVersions, isErased } from '@holdfast/protocol'
import type { FoldEvent } from '../../session/state.ts'

export interface EventFault {
  code: 'event_unknown' | 'event_invalid'
  message: string
}

/** Undefined: there is none. An erased event has no shape to keep. */
export function faultOf(event: FoldEvent): EventFault | undefined {
  const { seq, type, v } = event
  const message = `event ${seq} is a ${type} of version ${v}`
  if (!Object.hasOwn(eventSchemas, type) || v > (eventVersions[type as EventType] ?? 1)) {
    return { code: 'event_unknown', message: `${message}, which is not known here` }
  }
  const data = isErased(event) ? undefined : eventSchemas[type as EventType].safeParse(event.data)
  const issues = [...issuesOf(envelope.safeParse(event)), ...issuesOf(data)]
  if (issues.length === 0) return undefined
  const where = [...new Set(issues.map(({ path }) => path.join('.') || 'the whole'))].slice(0, 8).join(', ')
  return issues.every(isNewer)
    ? { code: 'event_unknown', message: `${message} with fields or values that are not known here: ${where}` }
    : { code: 'event_invalid', message: `${message} and does not have its shape: ${where}` }
}

interface Issue {
  code?: string | undefined
  note?: unknown
  path: readonly PropertyKey[]
}

function issuesOf(
  parsed: { error?: { issues: readonly Issue[] } | undefined } | undefined,
): readonly Issue[] {
  return parsed?.error?.issues ?? []
}

/** A field, a value of a list or a kind of part that a later version may have added. */
function isNewer({ code, note }: Issue): boolean {
  if (code === 'invalid_union') return note === 'No matching discriminator'
  return code === 'unrecognized_keys' || code === 'invalid_value'
}
