import { sha256 } from '../store/sha256.ts'

/** SHA-256 of what was asked: a key used again must ask the same. */
export function requestHash(operation: string, target: string, body: unknown): string {
  return sha256(JSON.stringify([operation, target, body])).toString('hex')
}

/** The id of a session created with a key and without an id: the same key gives the same session. */
export function idFromKey(tenantId: string, key: string): string {
  const digest = sha256(JSON.stringify([tenantId, key]))
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80
  const hex = digest.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}

/** What is kept of an idempotency key: digests that only someone who knows the key can compare a request with. */
export interface KeyDigest {
  /** The caller's, for messages; never stored. */
  text: string
  key: string
  hash: string
}

/** A key may be anybody's words, and what was asked may be guessed: so neither is stored, and the key salts the other. */
export function digestOf(text: string, sessionId: string, operation: string, body: unknown): KeyDigest {
  const key = requestHash('key', sessionId, text)
  return { text, key, hash: requestHash(operation, sessionId, [text, body]) }
}
