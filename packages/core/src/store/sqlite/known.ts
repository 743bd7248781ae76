/**
 * What this handle has learned of tenants and sessions. A tenant's number never changes, and a session at a given seq
 * has exactly the columns that its commit at that seq wrote, so neither can mislead: a commit decided by a stale entry
 * finds no row and looks again. Emptied by every rollback, because it may hold what was never committed.
 */
import type { HeadRow } from '../store.ts'

/** The columns of a session row that indices are made of. */
export type IndexColumns = Omit<HeadRow, 'body'>

export interface KnownSession {
  session: number
  seq: number
  columns: IndexColumns
}

/** Sessions in each of two generations: about 4 MB when full. */
const generationSize = 4_096

export class Known {
  readonly #tenants = new Map<string, number>()
  #young = new Map<string, KnownSession>()
  #old = new Map<string, KnownSession>()

  tenant(id: string): number | undefined {
    return this.#tenants.get(id)
  }

  setTenant(id: string, tenant: number): void {
    this.#tenants.set(id, tenant)
  }

  session(tenant: number, id: string): KnownSession | undefined {
    const name = nameOf(tenant, id)
    return this.#young.get(name) ?? this.#keepYoung(name)
  }

  #keepYoung(name: string): KnownSession | undefined {
    const known = this.#old.get(name)
    if (known) this.#young.set(name, known)
    return known
  }

  setSession(tenant: number, id: string, known: KnownSession): void {
    if (this.#young.size >= generationSize) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(nameOf(tenant, id), known)
  }

  clear(): void {
    this.#tenants.clear()
    this.#young.clear()
    this.#old.clear()
  }
}

function nameOf(tenant: number, id: string): string {
  return `${tenant} ${id}`
}
