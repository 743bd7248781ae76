/** Tenants by number: every key and every query of the other files begins with one. */
import type { TenantId } from '@holdfast/protocol'
import { corruptRow, crcOfRow, isChecksum, requireRow } from '../checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'

const SELECT_TENANT = 'SELECT tenant, crc FROM tenants WHERE id = ?'
// Never the number of a tenant whose row was lost: what is there by it is not this one's.
const INSERT_TENANT = `
  INSERT INTO tenants (tenant, id) SELECT 1 + max(tenant), ? FROM (
    SELECT 0 AS tenant UNION ALL SELECT max(tenant) FROM tenants UNION ALL SELECT max(tenant) FROM sessions
    UNION ALL SELECT max(tenant) FROM usage UNION ALL SELECT max(tenant) FROM tombstones
    UNION ALL SELECT max(tenant) FROM records UNION ALL SELECT max(tenant) FROM checkpoints
  ) RETURNING tenant`

const SET_CRC = 'UPDATE tenants SET crc = ? WHERE tenant = ?'
const SELECT_TENANTS = 'SELECT tenant, crc, id FROM tenants'

/** With a session now or once: a deleted one leaves a tombstone. */
const LIST_TENANTS = `
  SELECT tenant, crc, id FROM tenants
  WHERE EXISTS (SELECT 1 FROM sessions WHERE sessions.tenant = tenants.tenant)
    OR EXISTS (SELECT 1 FROM tombstones WHERE tombstones.tenant = tenants.tenant)
  ORDER BY id`

const SELECT_LOST_TENANTS = `
  SELECT tenant, sum(sessions), sum(bills) FROM (
    SELECT tenant, count(*) AS sessions, 0 AS bills FROM sessions
    WHERE tenant NOT IN (SELECT tenant FROM tenants) GROUP BY tenant
    UNION ALL
    SELECT tenant, 0, count(*) FROM usage WHERE tenant NOT IN (SELECT tenant FROM tenants) GROUP BY tenant
  ) GROUP BY tenant ORDER BY tenant`

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
  // The row that was this tenant's may bear another name now; its checksum still knows the old one.
  const isLost = damagedTenants(db).some(({ tenant, crc }) => crc === crcOfRow(tenant, tenantId))
  if (isLost) throw corruptRow(`Tenant ${tenantId}`)
  const tenant = db.get(INSERT_TENANT, tenantId)?.[0] as number
  db.run(SET_CRC, crcOfRow(tenant, tenantId), tenant)
  return tenant
}

/** Looked for once by each handle: there may be many tenants, and a new one comes often. */
function damagedTenants(db: Connection): readonly { tenant: number; crc: number }[] {
  db.known.damagedTenants ??= db
    .all(SELECT_TENANTS)
    .filter((row) => !isWhole(row))
    .map(([tenant, crc]) => ({ tenant, crc }))
  return db.known.damagedTenants
}

/** Without those whose rows are damaged, which `checkStore` names. */
export function listTenants(db: Connection): TenantId[] {
  return db
    .all(LIST_TENANTS)
    .filter(isWhole)
    .map(([, , id]) => id)
}

function isWhole([tenant, crc, id]: Row): boolean {
  return isChecksum(crc, crcOfRow(tenant, id))
}

/** Numbers that sessions or rows of the ledger have and no tenant, with how many of each. */
export function lostTenants(db: Connection): { tenant: number; sessions: number; bills: number }[] {
  return db.all(SELECT_LOST_TENANTS).map(([tenant, sessions, bills]) => ({ tenant, sessions, bills }))
}
