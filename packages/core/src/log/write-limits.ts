/** Sizes of one write against the limits table. Counted in characters while even three bytes each would fit. */
import { checkBytes, checkLimit, limits, utf8Bytes } from '@holdfast/protocol'
import type { NewEvent } from '../store/store.ts'

/** Bytes of the bodies, never too few; throws `limit_exceeded`. */
export function bytesOf(rows: readonly NewEvent[], sessionId: string): number {
  let units = 0
  for (const { body, type } of rows) {
    units += body.length
    if (body.length * 3 > limits.eventBytes) checkBytes('eventBytes', body, `${type} of session ${sessionId}`)
  }
  if (rows.length > limits.commitEvents)
    checkLimit('commitEvents', rows.length, `write to session ${sessionId}`)
  if (units * 3 <= limits.commitBytes) return units * 3
  const bytes = rows.reduce((sum, { body }) => sum + utf8Bytes(body), 0)
  checkLimit('commitBytes', bytes, `write to session ${sessionId}`)
  return bytes
}
