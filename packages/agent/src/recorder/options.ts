/** What a recorder may be told, and what it makes of silence. */
import type { ActiveSession, AnySession } from '@holdfast/core'
import { type Ids, type PriceBook, uuidv7Ids } from '@holdfast/protocol'
import { type Clock, systemClock } from '../clock.ts'
import { tokensOf } from './tokens.ts'

/** A handle of a session, as `sessions.create`, `open` or `at` gives it. */
export type RecordableSession = Pick<
  ActiveSession,
  'id' | 'append' | 'batch' | 'startRun' | 'messages' | 'view' | 'recordUsage' | 'putAttachment'
> & { reopen(): Promise<AnySession> }

export interface RecorderOptions {
  /** Who holds the lease of the runs. Default `recorder`. */
  owner?: string
  /** Milliseconds without a heartbeat after which another may take over. Default 60,000. */
  ttlMs?: number
  /** Milliseconds in which nothing is heard of a run until it is ended: no call, no piece of a stream, no result. Default 15 minutes. */
  idleMs?: number
  clock?: Clock
  /** For runs that are recorded whole. */
  ids?: Ids
  /** Tokens of a text, where a provider did not report them. Default: about four bytes make one. */
  countTokens?: (text: string) => number
  /** Prices for the ledger, and the name it gives for them. Without them costs are unknown. */
  prices?: { book: PriceBook; name: string }
}

export type Settings = Required<Omit<RecorderOptions, 'prices'>> & Pick<RecorderOptions, 'prices'>

export function settingsOf(options: RecorderOptions): Settings {
  const { clock = systemClock } = options
  return {
    owner: 'recorder',
    ttlMs: 60_000,
    idleMs: 15 * 60_000,
    clock,
    ids: uuidv7Ids(clock.now),
    countTokens: tokensOf,
    ...options,
  }
}
