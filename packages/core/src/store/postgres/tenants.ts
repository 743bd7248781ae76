/** The registry of tenants: ids and nothing else, for it is the one table that is read without a tenant. */
import type { TenantId } from '@holdfast/protocol'
import { noTenant } from './settings.ts'
import type { Transaction, Transactions } from './transactions.ts'

const INSERT_TENANT = 'INSERT INTO @tenants (tenant) VALUES ($1) ON CONFLICT DO NOTHING'
const LIST_TENANTS = 'SELECT tenant FROM @tenants ORDER BY tenant'

export function insertTenant(tx: Transaction, tenant: TenantId): void {
  tx.send({ sql: INSERT_TENANT, values: [tenant] })
}

export async function listTenants(db: Transactions): Promise<TenantId[]> {
  return (await db.read(noTenant, LIST_TENANTS)).map(([tenant]) => tenant as TenantId)
}
