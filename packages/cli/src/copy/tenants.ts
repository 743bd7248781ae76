/** Whose sessions a copy takes. */
import type { Store } from '@holdfast/core'
import { DEFAULT_TENANT, limits, tenantId } from '@holdfast/protocol'

/** Those that have sessions, those that a server knows, and the server's own, which keeps its keys. */
export async function everyTenant(store: Store): Promise<string[]> {
  const { serverTenant } = await import('@holdfast/server')
  const known: string[] = []
  let after: string | undefined
  do {
    const query = { limit: limits.pageItems, ...(after !== undefined && { after }) }
    const page = await store.listRecords(tenantId(serverTenant), 'tenant', query)
    known.push(...page.map(({ id }) => id))
    after = page.length < limits.pageItems ? undefined : page.at(-1)?.id
  } while (after !== undefined)
  return [...new Set([...(await store.listTenants()), ...known, DEFAULT_TENANT, serverTenant])]
}
