/** Who did what to the server and to whose sessions, and who was refused: entries that are only ever added, under the tenant that they are about. */
import type { Holdfast, Records } from '@holdfast/core'
import { type AuditEntry, type Ids, type Scope, toTime, uuidv7Ids } from '@holdfast/protocol'
import { type Credential, serverTenant } from '../access/credential.ts'

/** What of a route is told. */
interface Operation {
  readonly method: string
  readonly path: string
  readonly scope: Scope
}

export interface Deed {
  route: Operation
  credential: Credential
  params: Readonly<Record<string, string>>
  requestId: string
  /** Code of the failure; absent: it was done. */
  code?: string
  /** Refusals before this one that are not told of. */
  untold?: number
}

export class Audit {
  readonly #records: Records<'audit_entry'>
  readonly #clock: () => number
  readonly #ids: Ids

  constructor(holdfast: Holdfast, clock: () => number) {
    this.#records = holdfast.forTenant(serverTenant).auditEntries
    this.#clock = clock
    this.#ids = uuidv7Ids(clock)
  }

  async add({ route, credential, params, requestId, code, untold = 0 }: Deed): Promise<void> {
    const { tenantId, keyId, userId } = credential
    await this.#records.put(this.#ids.next(), {
      at: toTime(this.#clock()),
      tenantId,
      action: `${route.method} ${route.path}`,
      ids: { ...params },
      requestId,
      outcome: code ?? 'done',
      ...(keyId !== undefined && { keyId }),
      ...(userId !== undefined && { userId }),
      ...(untold > 0 && { untold }),
    })
  }

  /** Oldest first. */
  async list(
    tenantId: string,
    options: { limit?: number; after?: string },
  ): Promise<{ entries: AuditEntry[]; next?: string }> {
    const { records, next } = await this.#records.list({ ...options, group: tenantId })
    return {
      entries: records.map(({ id, body: { tenantId: _tenant, ...entry } }) => ({ id, ...entry })),
      ...(next !== undefined && { next }),
    }
  }
}

/** Administration, and what lets somebody else in or takes a whole session out. */
export function isAudited({ scope, method, path }: Operation): boolean {
  if (scope === 'admin') return method !== 'GET'
  return path.endsWith('/share') || path.endsWith('/export')
}
