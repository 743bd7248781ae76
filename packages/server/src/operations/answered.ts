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
  /** The trace that it is in: the caller's, where that gave its `traceparent`. */
  traceId?: string
  tenantId?: TenantId
  keyId?: string
  /** Of a failure. With a `status` of success: what broke the answer off. */
  error?: HoldfastError
}
