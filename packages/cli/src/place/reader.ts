/** What the reading commands need of a place: an open Holdfast has it, and so has a server. */
import type { UsageColumn } from '@holdfast/client'
import type { AnySession, Holdfast, RollUpOptions, RollUpPage } from '@holdfast/core'

export type ReadSession = Pick<AnySession, 'id' | 'view' | 'events' | 'messages' | 'follow'>

export interface ReadSums extends Omit<RollUpOptions, 'where'> {
  where?: Partial<Record<UsageColumn, string>>
}

export interface Reader {
  readonly sessions: Pick<Holdfast['sessions'], 'list' | 'get' | 'tree'> & {
    /** Throws `not_found`. */
    open(id: string): Promise<ReadSession>
  }
  readonly usage: { rollUp(options: ReadSums): Promise<RollUpPage> }
  search: Holdfast['search']
}
