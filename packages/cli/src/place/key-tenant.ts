/**
 * Whose sessions a key reaches: those of the one tenant that it belongs to. A server says so by the sessions that it gives.
 */
import type { HoldfastClient } from '@holdfast/client'
import { HoldfastError, isHoldfastError } from '@holdfast/protocol'
import type { Settings } from './settings.ts'

/** Undefined where the key sees no session. */
export async function keyTenant(client: HoldfastClient): Promise<string | undefined> {
  try {
    const { data } = await client.sessions.list({}, { limit: 1 })
    return data[0]?.tenantId
  } catch (error) {
    if (isHoldfastError(error, 'forbidden')) return undefined
    throw error
  }
}

/** The tenant that was asked for is that of the key; `invalid_input` where it is not, or nobody can tell. */
export async function requireKeyTenant(client: HoldfastClient, settings: Settings): Promise<void> {
  if (settings.tenant === undefined) return
  const known = await keyTenant(client)
  if (known === undefined) throw untold(settings)
  requireSame(known, settings)
}

/** As `requireKeyTenant`, where the key's own is known. */
export function requireSame(known: string, { server, tenant, tenantFrom }: Settings): void {
  if (tenant === undefined || tenant === known) return
  const message = [
    `${tenantFrom} names the tenant ${tenant}, and what ${server} lets in here is of the tenant ${known}.`,
    '  Every key belongs to one tenant: give HOLDFAST_KEY one of the tenant that is meant, or name none.',
  ].join('\n')
  throw new HoldfastError('invalid_input', message, { details: { tenant, known } })
}

function untold({ server, tenant, tenantFrom }: Settings): HoldfastError {
  const message = [
    `${tenantFrom} names the tenant ${tenant}, and whether ${server} lets this caller into it cannot be told: no session is seen.`,
    '  Every key belongs to one tenant, and it is that one which is worked on: name none.',
  ].join('\n')
  return new HoldfastError('invalid_input', message, { details: { tenant } })
}
