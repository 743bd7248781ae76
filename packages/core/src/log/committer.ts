/**
 * Group commit: whatever is ready when a lane is free goes to the store as one batch, so that many callers share one
 * sync. There is no timer: a batch leaves at the end of the event loop's turn, and while it is under way the next one
 * gathers. An author has one commit under way at a time, so its commits stay in order on any number of lanes.
 */
import { HoldfastError, isHoldfastError } from '@holdfast/protocol'
import type { Commit, CommitOutcome, Store, Verdict } from '../store/store.ts'
import type { CommitListener, CommittedWrite } from './committed-batch.ts'
import { settleUnknown } from './unknown-outcome.ts'

/** A session's actor, as the committer sees it. */
export interface Author {
  /** Seals the next commit. */
  seal(): { commit: Commit; bytes: number } | undefined
  /** `isReadBack`: the store gave no answer, and what became of the commit was read from the log. */
  settle(outcome: Verdict, isReadBack?: boolean): void
  /** The store failed: nothing of the commit was written. */
  fail(error: unknown): void
}

export interface CommitterOptions {
  random: () => number
  /** Milliseconds since some moment. */
  elapsed: () => number
  maxCommits?: number
  maxBytes?: number
}

/** A batch is not parted for less than this: each one costs the store a sync. */
const leastShare = 16

interface Sent {
  author: Author
  commit: Commit
  bytes: number
}

export class Committer {
  readonly #store: Store
  readonly #random: () => number
  readonly #elapsed: () => number
  readonly #listeners = new Set<CommitListener>()
  readonly #maxCommits: number
  readonly #maxBytes: number
  #ready: Author[] = []
  #underWay = 0
  /** Commits whose outcome is being found out; they hold no lane. */
  #settling = 0
  #scheduled = false
  #idle: (() => void)[] = []
  #closed = false

  constructor(store: Store, options: CommitterOptions) {
    this.#store = store
    this.#random = options.random
    this.#elapsed = options.elapsed
    this.#maxCommits = options.maxCommits ?? 512
    this.#maxBytes = options.maxBytes ?? 8 * 1024 * 1024
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Tells of every batch that was written. Returns the way to stop. */
  listen(listener: CommitListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The author has something to commit. What lost before is urgent: it goes at once, before a rival's next turn. */
  ready(author: Author, isUrgent = false): void {
    if (this.#closed) {
      queueMicrotask(() => author.fail(closed()))
      return
    }
    this.#ready.push(author)
    if (isUrgent) this.#flush()
    else this.#schedule()
  }

  /** Takes nothing more and resolves when what it has is written. */
  close(): Promise<void> {
    this.#closed = true
    return this.#drain()
  }

  async #drain(): Promise<void> {
    while (this.#busy) {
      await new Promise<void>((resolve) => this.#idle.push(resolve))
    }
  }

  get #busy(): boolean {
    return this.#underWay > 0 || this.#settling > 0 || this.#ready.length > 0
  }

  #schedule(): void {
    if (this.#scheduled || this.#ready.length === 0 || this.#underWay >= this.#store.commitLanes) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    this.#flush()
  }

  #flush(): void {
    while (this.#ready.length > 0 && this.#underWay < this.#store.commitLanes) {
      void this.#send(this.#take(this.#share()))
    }
    this.#wakeIdle()
  }

  /** Of what is ready, for one of the free lanes: then we prepare and answer some while the store writes others. */
  #share(): number {
    const lanes = this.#store.commitLanes - this.#underWay
    return Math.max(Math.ceil(this.#ready.length / lanes), leastShare)
  }

  #take(share: number): Sent[] {
    const batch: Sent[] = []
    const most = Math.min(this.#maxCommits, share)
    let bytes = 0
    let taken = 0
    for (const author of this.#ready) {
      if (batch.length >= most || bytes >= this.#maxBytes) break
      taken += 1
      const sealed = author.seal()
      if (!sealed) continue
      batch.push({ author, ...sealed })
      bytes += sealed.bytes
    }
    this.#ready = taken === this.#ready.length ? [] : this.#ready.slice(taken)
    return batch
  }

  async #send(batch: readonly Sent[]): Promise<void> {
    if (batch.length === 0) return
    this.#underWay += 1
    const begun = this.#elapsed()
    const outcomes = await this.#commit(batch)
    const tookMs = this.#elapsed() - begun
    this.#underWay -= 1
    if (outcomes) this.#settle(batch, outcomes)
    this.#schedule()
    this.#wakeIdle()
    if (outcomes && this.#listeners.size > 0) this.#tell(batch, outcomes, tookMs)
  }

  /** Last of all: what a listener throws is nobody's failure to write, so it goes to the process as unhandled. */
  #tell(batch: readonly Sent[], outcomes: readonly CommitOutcome[], tookMs: number): void {
    const commits: CommittedWrite[] = []
    let bytes = 0
    for (const [n, { commit, bytes: own }] of batch.entries()) {
      if (outcomes[n]?.status !== 'committed') continue
      const { tenantId, sessionId, events, create } = commit
      commits.push({ tenantId, sessionId, events: events.length, isNew: create })
      bytes += own
    }
    if (commits.length > 0) for (const listener of this.#listeners) listener({ tookMs, bytes, commits })
  }

  #settle(batch: readonly Sent[], outcomes: readonly CommitOutcome[]): void {
    for (let i = 0; i < batch.length; i++) {
      const sent = batch[i] as Sent
      const outcome = outcomes[i] as CommitOutcome
      if (outcome.status === 'failed') this.#fail([sent], outcome.error)
      else sent.author.settle(outcome)
    }
  }

  async #commit(batch: readonly Sent[]): Promise<readonly CommitOutcome[] | undefined> {
    try {
      const outcomes = await this.#store.commit(batch.map(({ commit }) => commit))
      if (outcomes.length === batch.length) return outcomes
      throw new Error(`the store gave ${outcomes.length} outcomes for ${batch.length} commits`)
    } catch (error) {
      this.#fail(batch, error)
      return undefined
    }
  }

  #fail(batch: readonly Sent[], error: unknown): void {
    if (isHoldfastError(error) && error.code !== 'commit_unknown') {
      for (const { author } of batch) author.fail(error)
      return
    }
    for (const { author, commit } of batch) void this.#settleUnknown(author, commit, error)
  }

  /** What became of the commit is not known; its session waits until it is. Other sessions go on. */
  async #settleUnknown(author: Author, commit: Commit, cause: unknown): Promise<void> {
    this.#settling += 1
    try {
      author.settle(await settleUnknown(this.#store, commit, this.#random), true)
    } catch (error) {
      const why = error instanceof HoldfastError ? error.message : String(error)
      author.fail(
        new HoldfastError(
          'commit_unknown',
          `whether the write to session ${commit.sessionId} took effect is not known (${why}); send it again with the same idempotency key`,
          { cause },
        ),
      )
    } finally {
      this.#settling -= 1
      this.#schedule()
      this.#wakeIdle()
    }
  }

  #wakeIdle(): void {
    if (this.#busy || this.#idle.length === 0) return
    const waiting = this.#idle
    this.#idle = []
    for (const wake of waiting) wake()
  }
}

export function closed(): HoldfastError {
  return new HoldfastError('store_closed', 'this Holdfast was closed; open it again to go on')
}
