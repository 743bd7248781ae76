/** One client at the store's seam: writes on the base that it knows, takes and loses the lease, repeats keys, reads. */
import type { Store } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import type { Random } from '../random.ts'
import type { CommitAnswer, SeamOp } from './seam-model.ts'
import { commitOf } from './session.ts'
import type { ClientOptions } from './task.ts'

type CommitOp = Extract<SeamOp, { do: 'commit' }>

export class SeamClient {
  readonly #store: Store
  readonly #session: string
  readonly #name: string
  readonly #random: Random
  /** What it knows of the session, right or not. */
  #seq = 1
  #epoch = 0
  /** The epoch of the lease that it took. */
  #own: number | undefined
  #commits = 0

  constructor(store: Store, { session, name, random }: ClientOptions) {
    this.#store = store
    this.#session = session
    this.#name = name
    this.#random = random
  }

  next(): SeamOp {
    const random = this.#random
    const wall = { from: Date.now() }
    const dice = random.below(100)
    if (dice < 18) return { do: 'head' }
    if (dice < 32) return { do: 'events', after: random.below(this.#seq + 1), limit: 1 + random.below(40) }
    if (dice < 37) return { do: 'key', key: this.#key() }
    if (dice < 45 && this.#own !== undefined)
      return { do: 'renew', epoch: this.#own, ttlMs: this.#ttlMs(), wall }
    const commit = this.#commit(wall)
    if (dice < 57) return { ...commit, lease: { take: this.#epoch, owner: this.#name, ttlMs: this.#ttlMs() } }
    if (this.#own === undefined) return dice < 75 ? this.#keyed(commit) : commit
    if (dice < 62) return { ...commit, epoch: this.#own, lease: 'release' }
    if (dice < 85) return { ...commit, epoch: this.#own }
    return this.#keyed(commit)
  }

  #commit(wall: { from: number }): CommitOp {
    this.#commits += 1
    return {
      do: 'commit',
      id: `${this.#name}-${this.#commits}`,
      base: this.#seq,
      count: 1 + this.#random.below(2),
      wall,
    }
  }

  #keyed(commit: CommitOp): CommitOp {
    return { ...commit, key: { key: this.#key(), hash: this.#random.pick(['one', 'other']) } }
  }

  #key(): string {
    return `key${this.#random.below(12)}`
  }

  /** Some end while the history goes on. */
  #ttlMs(): number {
    return this.#random.pick([1, 5, 25, 25, 60_000])
  }

  async answer(op: SeamOp): Promise<SeamOp['answer']> {
    switch (op.do) {
      case 'commit':
        return this.#answerCommit(op)
      case 'renew':
        return this.#store.renewLease(DEFAULT_TENANT, this.#session, op.epoch, op.ttlMs)
      case 'head':
        return this.#answerHead()
      case 'events': {
        const range = { after: op.after, limit: op.limit, maxBytes: 1 << 20, direction: 'forward' as const }
        const events = await this.#store.readEvents(DEFAULT_TENANT, this.#session, range)
        return events.map(({ commitId }) => commitId)
      }
      case 'key': {
        const used = await this.#store.readKey(DEFAULT_TENANT, this.#session, op.key)
        return used ? `${used.hash} ${used.firstSeq} ${used.lastSeq}` : 'none'
      }
    }
  }

  async #answerHead() {
    const head = await this.#store.readHead(DEFAULT_TENANT, this.#session)
    if (!head) throw new Error(`session ${this.#session} is gone`)
    this.#seq = head.seq
    this.#epoch = head.lease.epoch
    return {
      seq: head.seq,
      last: JSON.parse(head.body) as string,
      epoch: head.lease.epoch,
      owner: head.lease.owner ?? '',
    }
  }

  async #answerCommit({ id, base, count, epoch, key, lease }: CommitOp): Promise<CommitAnswer> {
    const change =
      lease === 'release'
        ? ({ type: 'release' } as const)
        : lease && ({ type: 'take', fromEpoch: lease.take, owner: lease.owner, ttlMs: lease.ttlMs } as const)
    const [outcome] = await this.#store.commit([
      {
        ...commitOf(this.#session, id, { base, count }),
        ...(epoch !== undefined && { epoch }),
        ...(key && { key: { ...key, expiresAtMs: Date.now() + 3_600_000 } }),
        ...(change && { lease: change }),
      },
    ])
    if (!outcome) throw new Error('a commit without an outcome')
    if (outcome.status === 'committed') {
      this.#seq = outcome.lastSeq
      if (change) this.#own = change.type === 'take' ? outcome.lease.epoch : undefined
      this.#epoch = outcome.lease.epoch
    }
    if (outcome.status === 'conflict') this.#seq = outcome.seq
    if (outcome.status === 'fenced') this.#epoch = outcome.epoch
    if (outcome.status === 'failed') throw outcome.error
    return answerOf(outcome)
  }
}

function answerOf(outcome: Awaited<ReturnType<Store['commit']>>[number]): CommitAnswer {
  switch (outcome.status) {
    case 'committed':
    case 'replayed':
      return { status: outcome.status, first: outcome.firstSeq, last: outcome.lastSeq }
    case 'conflict':
      return { status: 'conflict', seq: outcome.seq }
    case 'fenced':
      return { status: 'fenced', epoch: outcome.epoch }
    case 'key_conflict':
    case 'lease_held':
      return { status: outcome.status }
    default:
      throw new Error(`nobody asked for ${outcome.status}`)
  }
}
