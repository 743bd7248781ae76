/** A request as it is told of once it was answered: what logs and metrics are made from. Never a body, a query or a key. */
import type { HoldfastError, TenantId } from '@holdfast/protocol'

export interface Answered {
  method: string
  /** The path of the route; what has none is told of as `none`. */
  path: string
  status: number
  /** Milliseconds until the answer began. */
  tookMs: number
  requestId: string
  /** Of the caller's `traceparent`. */
  traceId?: string
  tenantId?: TenantId
  keyId?: string
  /** Of a failure. */
  error?: HoldfastError
}

/** The trace that a caller is in, by the W3C's header; undefined when there is none, or none that is legal. */
export function traceIdOf(headers: Headers): string | undefined {
  const [, traceId] =
    /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(headers.get('traceparent') ?? '') ?? []
  return traceId === '0'.repeat(32) ? undefined : traceId
}
