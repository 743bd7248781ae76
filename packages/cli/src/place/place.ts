/** What commands need of the place where sessions are: an open Holdfast has it, and so has a server. */
import type { UsageColumn } from '@holdfast/client'
import type {
  AnySession,
  CloseOptions,
  Deleted,
  ErasureReceipt,
  ForkInput,
  Holdfast,
  Pruned,
  PruneOptions,
  RollUpOptions,
  RollUpPage,
} from '@holdfast/core'
import type { Erased, PriceBook } from '@holdfast/protocol'

/** A session after a change. */
type Changed = Promise<Pick<AnySession, 'id' | 'view'>>

export interface PlaceSession
  extends Pick<
    AnySession,
    'id' | 'view' | 'events' | 'eventTexts' | 'messages' | 'follow' | 'getAttachment' | 'compare'
  > {
  fork(input: Pick<ForkInput, 'title' | 'model'>, options: { atSeq?: number }): Changed
}

export interface ReadSums extends Omit<RollUpOptions, 'where'> {
  where?: Partial<Record<UsageColumn, string>>
}

/** What one call attempt of a session used. */
interface SpentRow {
  promptTokens: number
  completionTokens: number
  costMicrocents?: number | undefined
}

export interface PrunedHere extends Omit<Pruned, 'kept'> {
  kept: readonly { sessionId: string; reason: string }[]
}

export type ErasedHere = ErasureReceipt | Erased

/** Kept with the erasure. */
interface Why {
  reason?: string
}

export interface Place {
  readonly sessions: Pick<Holdfast['sessions'], 'list' | 'get' | 'tree'> & {
    /** Throws `not_found`. */
    open(id: string): Promise<PlaceSession>
    /** Without a look at the session. */
    at(id: string): { close(how: Pick<CloseOptions, 'outcome' | 'reason' | 'cancel'>): Changed }
    delete(
      id: string,
      how: { cascade: boolean; force: boolean },
    ): Promise<Pick<Deleted, 'sessionIds' | 'events'>>
    erase(id: string, seqs: readonly number[], options: Why): Promise<ErasedHere>
    eraseMessage(id: string, messageId: string, options: Why): Promise<ErasedHere>
  }
  readonly usage: {
    rollUp(options: ReadSums): Promise<RollUpPage>
    list(
      sessionId: string,
      options: { after: number; limit: number },
    ): Promise<{ rows: readonly SpentRow[]; next?: number }>
  }
  readonly priceBooks: { current(): Promise<{ id: string; body: PriceBook } | undefined> }
  search: Holdfast['search']
  prune(options: PruneOptions): Promise<PrunedHere>
  eraseUser(userId: string, options: Why): Promise<ErasedHere>
  scrub(): Promise<{ finalAt: string }>
}
