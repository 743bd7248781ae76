/** The names that numbers stand for, to say where something was found. */
import type { TenantId } from '@holdfast/protocol'
import type { Connection } from './connection.ts'

const SELECT_SESSION_NAMES = `
  SELECT tenants.id, sessions.id FROM sessions JOIN tenants ON tenants.tenant = sessions.tenant
  WHERE sessions.session = ?`

const SELECT_TENANT_NAME = 'SELECT id FROM tenants WHERE tenant = ?'

export function namesOfSession(db: Connection, session: number): { tenantId?: TenantId; sessionId?: string } {
  const row = db.get(SELECT_SESSION_NAMES, session)
  return row ? { tenantId: row[0], sessionId: row[1] } : {}
}

export function nameOfTenant(db: Connection, tenant: number): { tenantId?: TenantId } {
  const row = db.get(SELECT_TENANT_NAME, tenant)
  return row ? { tenantId: row[0] } : {}
}
