/**
 * What this handle has learned of sessions. A session at a given seq has exactly the columns that its commit at that
 * seq wrote, and a commit is only written on the seq that it names, so a stale entry cannot mislead. A rebuild, which
 * gives a session other columns at the same seq, makes it forgotten.
 */
import type { TenantId } from '@holdfast/protocol'
import type { IndexColumns } from '../columns.ts'
import { Generations } from '../generations.ts'
import { lastSeqOf } from '../judge.ts'
import type { Commit } from '../store.ts'

interface KnownSession {
  seq: number
  columns: IndexColumns
}

export class Known {
  /** About 4 MB when full. */
  readonly #sessions = new Generations<KnownSession>(4_096)

  session(tenant: TenantId, id: string): KnownSession | undefined {
    return this.#sessions.get(nameOf(tenant, id))
  }

  /** What the commit has made of its session. */
  learn(commit: Commit): void {
    const { body: _, ...columns } = commit.head
    this.#sessions.set(nameOf(commit.tenantId, commit.sessionId), { seq: lastSeqOf(commit), columns })
  }

  forget(tenant: TenantId, id: string): void {
    this.#sessions.delete(nameOf(tenant, id))
  }
}

/** A tenant's id has no space in it. */
function nameOf(tenant: TenantId, id: string): string {
  return `${tenant} ${id}`
}
