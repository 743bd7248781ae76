/** Where a page ended, opaque to readers, and good only for the question it was made with. */
import { HoldfastError } from '@holdfast/protocol'

/** Longer than any that is given. */
const longest = 16 * 1024

/** `bound` is a hash of the question. */
export function encodeOpaque(position: readonly unknown[], bound: string): string {
  return Buffer.from(JSON.stringify([...position, bound.slice(0, 16)])).toString('base64url')
}

/** The position, if `isPosition` accepts it. Throws `invalid_cursor`. */
export function decodeOpaque<P extends readonly unknown[]>(
  cursor: string,
  bound: string,
  isPosition: (position: readonly unknown[]) => position is P,
): P {
  const parts = parsed(cursor)
  const position = Array.isArray(parts) ? parts.slice(0, -1) : []
  if (Array.isArray(parts) && parts.at(-1) === bound.slice(0, 16) && isPosition(position)) return position
  throw new HoldfastError(
    'invalid_cursor',
    'not a cursor of this list; start without one, or keep the filters it was made with.',
  )
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor.slice(0, longest), 'base64url').toString())
  } catch {
    return undefined
  }
}
