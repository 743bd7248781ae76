/** CRC-32 of what must come back unchanged. It finds damage, not malice. */
import { crc32 } from 'node:zlib'
import { HoldfastError } from '@holdfast/protocol'
import type { NewEvent } from './store.ts'

/** `start`: the checksum of what else must be as it was. */
export function crcOf(text: string | Uint8Array, start = 0): number {
  return crc32(text, start)
}

/**
 * Over everything that an event row says, so that a row cannot pass for another. The short columns go in as the start
 * value: a second call of `crc32` for them costs as much as 1 KiB of body.
 */
export function crcOfEvent(seq: number, commitId: string, { type, v, at, body }: NewEvent): number {
  return crc32(body, mixed(commitId, mixed(at, mixed(type, Math.imul(seq, 31) + v))))
}

type RowValues = readonly (string | number | null)[]

/** Over the values of a short row, its names included, so that it cannot pass for another. */
export function crcOfRow(...values: RowValues): number {
  return crcFrom(0, values)
}

/**
 * The same over `values[from]` up to `values[to]`, and over what `start` is the checksum of. Each step can be undone, so
 * one changed value always shows. A crossing into `crc32` costs more than most rows have to say, but for a long text.
 */
export function crcFrom(start: number, values: RowValues, from = 0, to = values.length): number {
  let hash = start
  for (let index = from; index < to; index += 1) {
    const value = values[index] as string | number | null
    if (value === null) hash = step(hash, 1)
    else if (typeof value === 'number') hash = step(step(step(hash, 2), value / 2 ** 32), value)
    else if (typeof value === 'string') hash = withText(step(hash, 3 + value.length), value)
    // Damage can make bytes of a text, whatever the schema says: then no checksum fits.
    else hash = step(hash, -1)
  }
  return hash >>> 0
}

const shortText = 128

function withText(start: number, text: string): number {
  if (text.length > shortText) return crc32(text, start >>> 0)
  let hash = start
  for (let index = 0; index < text.length; index += 1) hash = step(hash, text.charCodeAt(index))
  return hash
}

function step(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1)
  return product ^ (product >>> 15)
}

/**
 * Stands in a row that was written before rows had a checksum. Never none at all: a record whose header lost its end to a
 * flipped bit reads as one with no checksum, and with every value shifted.
 */
const unchecked = -1

/** Whether a row with this checksum is as it was written. */
export function isChecksum(crc: number | null, expected: number): boolean {
  return crc === expected || crc === unchecked
}

export function requireRow(crc: number | null, what: string, ...values: RowValues): void {
  if (!isChecksum(crc, crcOfRow(...values))) throw corruptRow(what)
}

export function corruptRow(what: string): HoldfastError {
  return new HoldfastError('store_corrupt', `${what} fails its checksum; restore it from a backup.`)
}

function mixed(text: string, start: number): number {
  if (typeof text !== 'string') return ~start >>> 0
  let hash = start
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

export function requireCrc(
  text: string | Uint8Array,
  crc: number,
  what: string,
  sessionId: string,
  details?: Record<string, unknown>,
): void {
  if (crcOf(text) !== crc) throw corrupt(what, sessionId, details)
}

export function corrupt(
  what: string,
  sessionId: string,
  details: Record<string, unknown> = {},
): HoldfastError {
  const message = `${what} of session ${sessionId} fails its checksum or is missing; restore it from a backup.`
  return new HoldfastError('store_corrupt', message, { details: { sessionId, ...details } })
}
