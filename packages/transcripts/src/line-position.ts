/** How far a JSONL file was read: the end of its last line, and that line's hash, so that a changed file is noticed. */
import { hash } from 'node:crypto'
import type { JsonObject } from '@holdfast/protocol'
import type { Line } from './read-lines.ts'
import type { Source } from './source.ts'

/** Of a longer line the beginning stands for the whole. */
const hashedBytes = 64 * 1024

export interface LinePosition {
  line: number
  start: number
  byte: number
  sha256: string
}

export function lineAt({ number, start, end, bytes }: Line): LinePosition & JsonObject {
  return { line: number, start, byte: end, sha256: hashOf(bytes.subarray(0, hashedBytes)) }
}

/** Undefined when the note says no such place. */
export function linePositionOf(data: JsonObject | undefined): LinePosition | undefined {
  const { line, start, byte, sha256 } = data ?? {}
  if (typeof line !== 'number' || typeof start !== 'number' || typeof byte !== 'number') return undefined
  return typeof sha256 === 'string' ? { line, start, byte, sha256 } : undefined
}

/** Whether the file still holds the line that was read last. */
export async function isUnchanged(source: Source, { start, byte, sha256 }: LinePosition): Promise<boolean> {
  const chunks: Buffer[] = []
  for await (const chunk of source.chunks(start, Math.min(byte, start + hashedBytes))) chunks.push(chunk)
  const read = Buffer.concat(chunks)
  const isWhole = byte - start <= hashedBytes && read.at(-1) === 0x0a
  return hashOf(isWhole ? read.subarray(0, -1) : read) === sha256
}

function hashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}
