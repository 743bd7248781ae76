/** Tenants by number: every key and every query of the other files begins with one. */
import type { TenantId } from '@holdfast/protocol'
import { crcOfRow, requireRow } from '../checksum.ts'
import type { Connection } from './connection.ts'

const SELECT_TENANT = 'SELECT tenant, crc FROM tenants WHERE id = ?'
const INSERT_TENANT = 'INSERT INTO tenants (id) VALUES (?) RETURNING tenant'
const SET_CRC = 'UPDATE tenants SET crc = ? WHERE tenant = ?'
const SET_HAS_SESSIONS = 'UPDATE tenants SET has_sessions = 1 WHERE tenant = ? AND has_sessions = 0'
const LIST_TENANTS = 'SELECT tenant, crc, id FROM tenants WHERE has_sessions = 1 ORDER BY id'

/** The number of a tenant that was never seen: no row bears it, so every query by it finds nothing. */
const noTenant = 0

export function tenantOf(db: Connection, tenantId: TenantId): number {
  const known = db.known.tenant(tenantId)
  if (known !== undefined) return known
  const row = db.get(SELECT_TENANT, tenantId)
  if (!row) return noTenant
  const [tenant, crc] = row
  requireRow(crc, `Tenant ${tenantId}`, tenant, tenantId)
  db.known.setTenant(tenantId, tenant)
  return tenant
}

/** The tenant's number, made when it has none. Inside a write only. */
export function addTenant(db: Connection, tenantId: TenantId): number {
  return tenantOf(db, tenantId) || insertTenant(db, tenantId)
}

function insertTenant(db: Connection, tenantId: TenantId): number {
  const tenant = db.get(INSERT_TENANT, tenantId)?.[0] as number
  db.run(SET_CRC, crcOfRow(tenant, tenantId), tenant)
  return tenant
}

export function noteFirstSession(db: Connection, tenant: number): void {
  db.run(SET_HAS_SESSIONS, tenant)
}

export function listTenants(db: Connection): TenantId[] {
  return db.all(LIST_TENANTS).map(([tenant, crc, id]) => {
    requireRow(crc, `Tenant ${id}`, tenant, id)
    return id
  })
}
