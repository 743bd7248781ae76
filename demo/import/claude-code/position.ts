/** How far a JSONL file was read: the end of its last line, and that line's hash, so that a changed file is noticed. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { JsonObject } from '@holdfast/protocol'
import type { Reach } from './run.ts'

export interface Position {
  line: number
  start: number
  byte: number
  sha256: string
  /** The last line of the conversation up to here. */
  said: number
  /** The message that the conversation led to. */
  leaf: string | undefined
  /** The last line ever imported; beyond `line` when the user has gone back since. */
  seen: number
}

export function positionAt(read: Reach, leaf: string | undefined, seen: number): JsonObject {
  const { number: line, start, end, bytes } = read.line
  const place = { line, start, byte: end, sha256: hashOf(bytes), said: read.said, seen: Math.max(seen, line) }
  return leaf === undefined ? place : { ...place, leaf }
}

/** Undefined when the note was not written by this importer. */
export function positionOf(data: JsonObject | undefined): Position | undefined {
  if (!data) return undefined
  const { line, start, byte, sha256, said, seen, leaf } = data
  if (typeof line !== 'number' || typeof start !== 'number' || typeof byte !== 'number') return undefined
  if (typeof sha256 !== 'string' || typeof said !== 'number' || typeof seen !== 'number') return undefined
  return { line, start, byte, sha256, said, seen, leaf: typeof leaf === 'string' ? leaf : undefined }
}

/** Whether the file still holds the line that was read last. */
export async function isUnchanged(path: string, { start, byte, sha256 }: Position): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(byte - start), 0, byte - start, start)
    const read = buffer.subarray(0, bytesRead)
    const bytes = read.at(-1) === 0x0a ? read.subarray(0, -1) : read
    return hashOf(bytes) === sha256
  } finally {
    await file.close()
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
