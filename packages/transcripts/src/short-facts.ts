/** What a source says of a session beside its messages, for the metadata of the session: that holds little. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { unitsOf } from './commits.ts'

const mostUnits = 2_048

/** Without those that nobody told, and those that no name or place is as long as. */
export function shortFacts(facts: Readonly<Record<string, Json | undefined>>): JsonObject {
  const known = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined || unitsOf(value) > mostUnits ? [] : [[name, value]],
  )
  return Object.fromEntries(known)
}
