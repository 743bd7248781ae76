/** Tenants by number: every key and every query of the other files begins with one. */
import type { TenantId } from '@holdfast/protocol'
import type { Connection } from './connection.ts'

const SELECT_TENANT = 'SELECT tenant FROM tenants WHERE id = ?'
const INSERT_TENANT = 'INSERT INTO tenants (id) VALUES (?) RETURNING tenant'
const SET_HAS_SESSIONS = 'UPDATE tenants SET has_sessions = 1 WHERE tenant = ? AND has_sessions = 0'
const LIST_TENANTS = 'SELECT id FROM tenants WHERE has_sessions = 1 ORDER BY id'

/** The number of a tenant that was never seen: no row bears it, so every query by it finds nothing. */
const noTenant = 0

export function tenantOf(db: Connection, tenantId: TenantId): number {
  const known = db.known.tenant(tenantId)
  if (known !== undefined) return known
  const tenant = (db.get(SELECT_TENANT, tenantId)?.[0] ?? noTenant) as number
  if (tenant !== noTenant) db.known.setTenant(tenantId, tenant)
  return tenant
}

/** The tenant's number, made when it has none. Inside a write only. */
export function addTenant(db: Connection, tenantId: TenantId): number {
  return tenantOf(db, tenantId) || (db.get(INSERT_TENANT, tenantId)?.[0] as number)
}

export function noteFirstSession(db: Connection, tenant: number): void {
  db.run(SET_HAS_SESSIONS, tenant)
}

export function listTenants(db: Connection): TenantId[] {
  return db.all(LIST_TENANTS).map(([id]) => id as TenantId)
}
