/**
 * What this handle has learned of sessions. A session at a given seq has exactly the columns that its commit at that
 * seq wrote, and a commit is only written on the seq that it names, so a stale entry cannot mislead.
 */
import type { TenantId } from '@holdfast/protocol'
import type { IndexColumns } from '../columns.ts'
import { Generations } from '../generations.ts'

export interface KnownSession {
  seq: number
  columns: IndexColumns
}

export class Known {
  /** About 4 MB when full. */
  readonly #sessions = new Generations<KnownSession>(4_096)

  session(tenant: TenantId, id: string): KnownSession | undefined {
    return this.#sessions.get(nameOf(tenant, id))
  }

  setSession(tenant: TenantId, id: string, known: KnownSession): void {
    this.#sessions.set(nameOf(tenant, id), known)
  }
}

function nameOf(tenant: TenantId, id: string): string {
  return JSON.stringify([tenant, id])
}
