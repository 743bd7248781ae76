/**
 * The one place that says who may reach what. Each route names its scope and its reach; nothing is handled before this
 * passed. What a caller may not see answers exactly as what is not there.
 */
import type { Holdfast } from '@holdfast/core'
import { HoldfastError, type Scope, type TenantId } from '@holdfast/protocol'
import type { Credential } from './credential.ts'

/**
 * `public`: anyone, without a key. `session`: the session in the path, if it is the caller's to see. `own`: what the
 * handler narrows to the caller's user. `tenant`: all of the tenant, so no key that is bound to a user or to sessions.
 * `operator`: the server itself, so only such keys of the tenant that it was opened for.
 */
export type Reach = 'public' | 'session' | 'own' | 'tenant' | 'operator'

export async function guard(
  route: { readonly scope: Scope; readonly reach: Reach },
  credential: Credential,
  holdfast: Holdfast,
  params: Readonly<Record<string, string>>,
  home: TenantId,
): Promise<void> {
  if (route.reach === 'session') await requireOwnSession(credential, holdfast, params.sessionId ?? '')
  if (!credential.scopes.has(route.scope)) throw forbidden(`the key lacks the scope \`${route.scope}\`.`)
  if (route.reach === 'own' && credential.sessionIds) throw forbidden('the key is bound to sessions.')
  if ((route.reach === 'tenant' || route.reach === 'operator') && isBound(credential))
    throw forbidden('the key is bound to a user or sessions.')
  if (route.reach === 'operator' && credential.tenantId !== home)
    throw forbidden("only keys of the server's first tenant may do this.")
}

/** Also for every other session that a request names. */
export async function requireOwnSession(
  credential: Credential,
  holdfast: Holdfast,
  sessionId: string,
): Promise<void> {
  if (!(await maySee(credential, holdfast, sessionId))) {
    throw new HoldfastError('not_found', 'there is no such session.')
  }
}

/** Seeds are the tenant's: none that a session is to have may be had by who is bound to less, read from that session. */
export function requireOwnSeed(credential: Credential, seedId: string | null | undefined): void {
  if (typeof seedId === 'string' && isBound(credential))
    throw new HoldfastError('not_found', 'there is no such seed.')
}

/** A key without bounds may see whatever the tenant has: whether it is there is found out by the operation itself. */
export async function maySee(
  credential: Credential,
  holdfast: Holdfast,
  sessionId: string,
): Promise<boolean> {
  if (credential.userId === undefined) return isTheirs(credential, { id: sessionId })
  const head = await holdfast.sessions.getSummary(sessionId)
  return head !== undefined && isTheirs(credential, head)
}

/** The same for a session that was read already. */
export function isTheirs(
  { userId, sessionIds }: Credential,
  { id, ownerUserId }: { id: string; ownerUserId?: string | undefined },
): boolean {
  if (sessionIds && !sessionIds.has(id)) return false
  return userId === undefined || ownerUserId === userId
}

function isBound({ userId, sessionIds }: Credential): boolean {
  return userId !== undefined || sessionIds !== undefined
}

function forbidden(message: string): HoldfastError {
  return new HoldfastError('forbidden', message)
}
