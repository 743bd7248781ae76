/**
 * What this handle has learned of tenants and sessions. A tenant's number never changes, and a session at a given seq
 * has exactly the columns that its commit at that seq wrote, so neither can mislead: a commit decided by a stale entry
 * finds no row and looks again. A rebuild, which gives a session other columns at the same seq, makes it forgotten.
 * Emptied by every rollback, because it may hold what was never committed.
 */
import type { IndexColumns } from '../columns.ts'
import { Generations } from '../generations.ts'

export interface KnownSession {
  session: number
  seq: number
  columns: IndexColumns
}

export class Known {
  /** Tenants whose rows fail their checksum; undefined until they were looked for. */
  damagedTenants: readonly { tenant: number; crc: number }[] | undefined
  readonly #tenants = new Map<string, number>()
  /** About 4 MB when full. */
  readonly #sessions = new Generations<KnownSession>(4_096)

  tenant(id: string): number | undefined {
    return this.#tenants.get(id)
  }

  setTenant(id: string, tenant: number): void {
    this.#tenants.set(id, tenant)
  }

  session(tenant: number, id: string): KnownSession | undefined {
    return this.#sessions.get(nameOf(tenant, id))
  }

  setSession(tenant: number, id: string, known: KnownSession): void {
    this.#sessions.set(nameOf(tenant, id), known)
  }

  forgetSession(tenant: number, id: string): void {
    this.#sessions.delete(nameOf(tenant, id))
  }

  clear(): void {
    this.#tenants.clear()
    this.#sessions.clear()
    this.damagedTenants = undefined
  }
}

function nameOf(tenant: number, id: string): string {
  return `${tenant} ${id}`
}
