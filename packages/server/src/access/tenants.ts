/** What the server knows of its tenants: their names, and what they may use. A tenant needs no entry to have keys. */
import type { Holdfast, Records, StoredRecord } from '@holdfast/core'
import { HoldfastError, type RecordBody, type TenantInfo } from '@holdfast/protocol'
import { serverTenant } from './credential.ts'

export class Tenants {
  readonly #records: Records<'tenant'>

  constructor(holdfast: Holdfast) {
    this.#records = holdfast.forTenant(serverTenant).tenants
  }

  async put(tenantId: string, body: RecordBody<'tenant'>): Promise<TenantInfo> {
    requireOther(tenantId)
    return infoOf(await this.#records.put(tenantId, body))
  }

  async get(tenantId: string): Promise<TenantInfo | undefined> {
    const record = await this.#records.get(tenantId)
    return record && infoOf(record)
  }

  async list(options: { limit?: number; after?: string }): Promise<{ tenants: TenantInfo[]; next?: string }> {
    const { records, next } = await this.#records.list(options)
    return { tenants: records.map(infoOf), ...(next !== undefined && { next }) }
  }
}

export function requireOther(tenantId: string): void {
  if (tenantId !== serverTenant) return
  throw new HoldfastError('invalid_input', `tenant: ${serverTenant} is the server's own.`)
}

function infoOf({ id, body }: StoredRecord<'tenant'>): TenantInfo {
  return { id, ...body }
}
