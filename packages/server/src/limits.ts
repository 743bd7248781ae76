import { HoldfastError, limits } from '@holdfast/protocol'

/**
 * What the server bounds beside the protocol's table. Passing one is `limit_exceeded`, with the same details; what finds no
 * room within `fileBytesHeld` waits for it, and is `server_busy` in the end.
 */
export const serverLimits = {
  /** Body of a request, but of an attachment (`limits.attachmentBytes`). */
  requestBytes: limits.commitBytes,
  /**
   * Files that are being taken in, all together: held from before their first byte is read until they are written. Each counts
   * with its `Content-Length`, one that has none with `limits.attachmentBytes`.
   */
  fileBytesHeld: 4 * limits.attachmentBytes,
  /** All headers of a request. The listener refuses more with 431. */
  headerBytes: 16 * 1024,
  /** Path and query. */
  urlBytes: 8 * 1024,
  /** Longest time that a page of events waits for the next one. */
  waitSecs: 60,
  /** Read ahead for one follower who does not keep up; one event is sent whole, whatever its size. */
  streamBytes: 64 * 1024,
  /** Where a reader of a tree stands, which names every session of it: so that it fits into a header and an address. */
  treeCursorBytes: 6 * 1024,
  /** Longest life of a share token. */
  tokenSecs: 24 * 60 * 60,
} as const

export type ServerLimit = keyof typeof serverLimits

export function checkServerLimit(limit: ServerLimit, actual: number, what: string): void {
  const max = serverLimits[limit]
  if (actual <= max) return
  throw new HoldfastError('limit_exceeded', `${what}: ${actual} is more than ${limit} allows (${max}).`, {
    details: { limit, max, actual },
  })
}
