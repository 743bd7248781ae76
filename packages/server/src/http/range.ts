/** The part of a file that a request asks for, as RFC 9110 says it. */
import type { ByteRange } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'

/** Undefined where the whole is to be sent: none was asked for, several were, or one of what it is not. */
export function rangeOf(headers: Headers, size: number, tag: string): ByteRange | undefined {
  const asked = /^bytes=(\d*)-(\d*)$/i.exec(headers.get('range')?.trim() ?? '')
  if (!asked || (headers.get('if-range') ?? tag) !== tag) return undefined
  const [from, through] = asked.slice(1).map((digits) => (digits === '' ? undefined : Number(digits)))
  if (from === undefined) return through === undefined || size === 0 ? undefined : lastBytes(through, size)
  if (through !== undefined && through < from) return undefined
  return within(size, from, Math.min(size, (through ?? size) + 1))
}

function lastBytes(count: number, size: number): ByteRange {
  return within(size, Math.max(0, size - count), size)
}

function within(size: number, offset: number, end: number): ByteRange {
  if (offset < size) return { offset, length: end - offset }
  throw new HoldfastError('range_not_satisfiable', `the file has ${size} bytes.`, { details: { size } })
}
