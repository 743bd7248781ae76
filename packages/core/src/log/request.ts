/** One write as a caller asked for it, from its arrival until its answer. */
import type { Actor } from '@holdfast/protocol'
import type { SessionCommand } from '../session/decide/index.ts'
import type { Decision } from '../session/deciding.ts'
import type { Ref } from '../session/projections.ts'
import type { FoldEvent, State } from '../session/state.ts'
import type { Attachment, Commit, NewSegment } from '../store/store.ts'
import type { KeyDigest } from './key-hash.ts'

/** Everything about a write beside its commands. */
export interface WriteTerms {
  actor: Actor
  traceId?: string | undefined
  key?: KeyDigest | undefined
  expectedVersion?: number | undefined
  /** Set by a run's own worker. */
  epoch?: number | undefined
  /** Time to write on the events; an import gives the original one. */
  at?: string | undefined
  /** The same for each command, by its place. */
  times?: readonly (string | undefined)[] | undefined
  attachments?: readonly Attachment[] | undefined
  dropDrafts?: readonly string[] | undefined
  erase?: Commit['erase'] | undefined
}

/** The first write of a session, in place of commands. */
export interface Start {
  decision: Decision
  /** The state that a fork begins with, and where its prefix is read from. */
  source: State | undefined
  segments: readonly NewSegment[]
}

/** In place of the cached state: one folded anew, after events were erased from it. */
export interface Basis {
  state: State
  /** Every ref from the first rewritten event on. */
  refs: readonly Ref[]
}

/** What a write did: the facts that answers are made from, the same when a key is used again. */
export interface Written {
  sessionId: string
  /** Empty when there was nothing to write. */
  events: readonly FoldEvent[]
  /** The epoch of the lease after a write that took it. */
  epoch: number | undefined
  /** The key was used before, and this is the effect it had then. */
  replayed: boolean
}

export class Request {
  readonly commands: readonly SessionCommand[]
  readonly start: Start | undefined
  readonly terms: WriteTerms
  readonly answered: Promise<Written>
  resolve!: (written: Written) => void
  reject!: (error: unknown) => void
  basis: Basis | undefined
  /** In place of commands: events that were decided elsewhere. */
  restored: readonly FoldEvent[] | undefined
  /** Times that its commit lost against another writer. */
  tries = 0
  /** Decide only on a head read for this request, with nothing before it under way. */
  fresh = false
  /** The head was read for this decision. */
  believed = false
  /** Its key was looked up, and there was none. */
  keyRead = false

  constructor(commands: readonly SessionCommand[], terms: WriteTerms, start?: Start) {
    this.commands = commands
    this.terms = terms
    this.start = start
    this.answered = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}
