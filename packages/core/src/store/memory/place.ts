/**
 * What a memory place holds: maps and arrays, shared by every handle that is open on it. One level per tenant and
 * then per session, so that nothing is reachable without naming a tenant.
 */
import type { TenantId } from '@holdfast/protocol'
import type {
  CheckpointRow,
  DraftChunk,
  HeadRow,
  LeaseRow,
  RecordRow,
  Segment,
  StoredEvent,
  UsageRow,
} from '../store.ts'

export interface KeptKey {
  hash: string
  firstSeq: number
  lastSeq: number
  expiresAtMs: number
}

export interface KeptBody {
  seq: number
  /** Brought by a commit; else by a checkpoint. */
  isFile: boolean
  bytes: Uint8Array
}

export interface KeptCheckpoint extends CheckpointRow {
  sessionId: string
  /** Of its event, or where the session stood. */
  seq: number
}

export interface KeptDraft {
  runId: string
  epoch: number
  chunks: DraftChunk[]
}

export interface KeptSession {
  readonly sessionId: string
  readonly segments: readonly Segment[]
  /** Where the own events start: `events[0]` has seq `base + 1`. */
  readonly base: number
  events: StoredEvent[]
  /** Last seq of the commit that erased something last. */
  erasedSeq: number
  head: HeadRow
  lease: LeaseRow
  /** By part, rising by seq. */
  parts: Map<string, { seq: number; body: string | undefined }[]>
  waypoints: { seq: number; body: string }[]
  /** By `refName`, rising by seq. */
  refs: Map<string, number[]>
  keys: Map<string, KeptKey>
  /** By hash; `seq` is the first of the commit that brought it, so a fork from there on may read it. */
  attachments: Map<string, KeptBody>
  drafts: Map<string, KeptDraft>
  /** Last seq that the search index has seen. */
  indexedSeq: number
  /** By seq: how often each word occurs. */
  index: Map<number, Map<string, number>>
}

export interface KeptTenant {
  sessions: Map<string, KeptSession>
  /** Ids of deleted sessions. */
  tombstones: Set<string>
  /** By session, rising by seq; they outlive it. */
  usage: Map<string, UsageRow[]>
  /** In the order they were written. */
  checkpoints: KeptCheckpoint[]
  /** By kind and then by id. */
  records: Map<string, Map<string, RecordRow>>
}

export class Place {
  readonly tenants = new Map<TenantId, KeptTenant>()
  readonly #listeners = new Map<object, Set<() => void>>()

  /** The tenant's data, which begins empty. */
  tenant(tenantId: TenantId): KeptTenant {
    const known = this.tenants.get(tenantId)
    if (known) return known
    const fresh = emptyTenant()
    this.tenants.set(tenantId, fresh)
    return fresh
  }

  /** Calls `listener` after a write by any handle but `handle`. */
  listen(handle: object, listener: () => void): () => void {
    const own = this.#listeners.get(handle) ?? new Set()
    this.#listeners.set(handle, own.add(listener))
    return () => own.delete(listener)
  }

  announceWrite(writer: object): void {
    for (const [handle, listeners] of this.#listeners) {
      if (handle !== writer) for (const listener of listeners) queueMicrotask(listener)
    }
  }

  forget(handle: object): void {
    this.#listeners.delete(handle)
  }
}

function emptyTenant(): KeptTenant {
  return {
    sessions: new Map(),
    tombstones: new Set(),
    usage: new Map(),
    checkpoints: [],
    records: new Map(),
  }
}

export function seqOf(session: KeptSession): number {
  return session.base + session.events.length
}

export function refName(kind: string, id: string): string {
  return JSON.stringify([kind, id])
}
