/** One tenant's log: the one way that writes go in, and the reads and tails around it. */

import type { Ids, TenantId } from '@holdfast/protocol'
import type { PriceList } from '../ledger/price-list.ts'
import type { SessionCommand } from '../session/decide/index.ts'
import type { FoldEvent } from '../session/state.ts'
import type { Commit, Store } from '../store/store.ts'
import type { Resting } from './actor.ts'
import { Actors } from './actors.ts'
import type { Committer } from './committer.ts'
import type { DecodedHeads } from './decoded-heads.ts'
import type { KnownTexts } from './known-texts.ts'
import { LogReads } from './log-reads.ts'
import { RecentRows } from './recent-rows.ts'
import { type Basis, Request, type Start, type WriteTerms, type Written } from './request.ts'
import type { TailMemory } from './tail-memory.ts'
import { Tails } from './tails.ts'
import type { Upcasters } from './upcast.ts'
import type { WireTimes } from './wire-times.ts'

/** What all tenants of one open Holdfast share. */
export interface Engine {
  store: Store
  committer: Committer
  ids: Ids
  commitIds: Ids
  texts: KnownTexts
  times: WireTimes
  /** In [0, 1). */
  random: () => number
  upcasters: Upcasters
  keyTtlMs: number
  tailMemory: TailMemory
  heads: DecodedHeads
  resting: Resting
  /** Prices where a tenant named no book of its own. */
  prices(): Promise<PriceList | undefined>
}

export class TenantLog {
  readonly tenantId: TenantId
  readonly engine: Engine
  readonly reads: LogReads
  readonly tails: Tails
  readonly recent: RecentRows
  readonly #actors: Actors

  constructor(engine: Engine, tenantId: TenantId) {
    this.engine = engine
    this.tenantId = tenantId
    this.reads = new LogReads(engine.store, tenantId, engine.upcasters)
    this.tails = new Tails(this.reads, engine.tailMemory)
    this.recent = new RecentRows(this.reads, engine.tailMemory)
    const committed = (commit: Commit) => {
      this.tails.committed(commit)
      this.recent.committed(commit)
    }
    this.#actors = new Actors({ ...engine, reads: this.reads, committed })
  }

  get store(): Store {
    return this.engine.store
  }

  get nowMs(): number {
    return this.engine.store.now()
  }

  /** Decides the commands on the session as it will be when their turn comes, and writes them: all or nothing. */
  write(sessionId: string, commands: readonly SessionCommand[], terms: WriteTerms): Promise<Written> {
    const request = new Request(commands, terms)
    this.#actors.of(sessionId).submit(request)
    return request.answered
  }

  /** The same on a head read for it, whatever is cached: for maintenance that judges by the lease and the clock. */
  writeFresh(sessionId: string, commands: readonly SessionCommand[], terms: WriteTerms): Promise<Written> {
    const request = new Request(commands, terms)
    request.fresh = true
    this.#actors.of(sessionId).submit(request)
    return request.answered
  }

  /** A write on a state that was folded anew; `contention` when the session moved meanwhile. */
  rewrite(sessionId: string, command: SessionCommand, basis: Basis, terms: WriteTerms): Promise<Written> {
    const request = new Request([command], terms)
    request.fresh = true
    request.basis = basis
    this.#actors.of(sessionId).submit(request)
    return request.answered
  }

  /** The first write of a session. */
  start(sessionId: string, start: Start, terms: WriteTerms): Promise<Written> {
    const request = new Request([], terms, start)
    this.#actors.of(sessionId).submit(request)
    return request.answered
  }

  /** Events that were decided elsewhere, behind the last one of the session; with `prefix` they are its first own ones. */
  restore(
    sessionId: string,
    events: readonly FoldEvent[],
    terms: WriteTerms,
    prefix?: Pick<Start, 'source' | 'segments'>,
  ): Promise<Written> {
    const request = new Request([], terms, prefix && { decision: { events: [] }, ...prefix })
    request.restored = events
    this.#actors.of(sessionId).submit(request)
    return request.answered
  }

  /** The session is gone, or was changed beside its actor. */
  forget(sessionId: string, gone: boolean): void {
    this.#actors.forget(sessionId)
    this.recent.forget(sessionId)
    if (gone) this.tails.deleted(sessionId)
  }
}
