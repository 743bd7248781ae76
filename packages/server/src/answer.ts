/** What a handler gives back: a status, and a body as a value, as JSON text that was written before, as it is, or none. */
import { etag } from './http/conditions.ts'
import type { Sending } from './streams/sink.ts'

export interface Answer {
  status: number
  json?: unknown
  text?: string
  bytes?: Uint8Array
  stream?: Sending
  /** Bytes that are made as they are taken; null for none. */
  body?: ReadableStream<Uint8Array> | null
  headers?: Record<string, string>
}

/** A value with the version it is of. */
export function found(json: unknown, version?: number): Answer {
  return { status: 200, json, ...(version !== undefined && { headers: { etag: etag(version) } }) }
}

/** A page; where a list ends is said by null, never by a field that is not there. */
export function page(data: readonly unknown[], next: string | number | undefined, more: object = {}): Answer {
  return { status: 200, json: { data, next: next === undefined ? null : String(next), ...more } }
}

/** What a write did. That the key was used before is said by a header, so that both answers have the same body. */
export function written(
  { replayed, ...receipt }: { replayed: boolean; version?: number },
  status = 200,
): Answer {
  return { status, json: receipt, headers: writeHeaders(replayed, receipt.version) }
}

export function writeHeaders(replayed: boolean, version?: number): Record<string, string> {
  return {
    ...(version !== undefined && { etag: etag(version) }),
    ...(replayed && { 'idempotency-replayed': 'true' }),
  }
}
