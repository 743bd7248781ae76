import {
  type Actor,
  HoldfastError,
  type Scope,
  scope,
  type TenantId,
  type TenantInfo,
} from '@holdfast/protocol'

/** Whose the records of the server itself are: keys, tenants, audit. No key is of this tenant. */
export const serverTenant = '_keys'

/** Who asks, as found out before anything is looked up for them. */
export interface Credential {
  readonly tenantId: TenantId
  readonly scopes: ReadonlySet<Scope>
  /** Only what belongs to this user. */
  readonly userId?: string
  /** Only these sessions. */
  readonly sessionIds?: ReadonlySet<string>
  readonly keyId?: string
  /** Requests a minute. */
  readonly perMin?: number
  /** What its tenant may use. */
  readonly quotas?: TenantInfo['quotas']
  /** Who its writes are by. */
  readonly actor: Actor
}

/** A server without keys has one tenant and one caller, who may do everything. */
export function theOnlyCaller(tenantId: TenantId): Credential {
  return { tenantId, scopes: new Set(scope.options), actor: { kind: 'host' } }
}

/** Finds out who asks; throws `unauthenticated`. The seam for other ways to know a caller. */
export type Authenticate = (request: Request) => Credential | Promise<Credential>

export function unauthenticated(): HoldfastError {
  return new HoldfastError(
    'unauthenticated',
    'give a key that is not expired or revoked, as `Authorization: Bearer hf_…`.',
  )
}
