/** What one session of a store does, one operation after the other: base, keys, lease and epoch, and reads of them. */
import { chain, type Model } from './check.ts'

type CommitOp = Extract<SeamOp, { do: 'commit' }>
type RenewOp = Extract<SeamOp, { do: 'renew' }>

export type SeamOp =
  | {
      do: 'commit'
      id: string
      base: number
      count: number
      epoch?: number
      key?: { key: string; hash: string }
      lease?: { take: number; owner: string; ttlMs: number } | 'release'
      wall: Wall
      answer?: CommitAnswer
    }
  | { do: 'renew'; epoch: number; ttlMs: number; wall: Wall; answer?: boolean }
  | { do: 'head'; answer?: { seq: number; last: string; epoch: number; owner: string } }
  /** Answered with the commit of each event. */
  | { do: 'events'; after: number; limit: number; answer?: string[] }
  | { do: 'key'; key: string; answer?: string }

/** The wall clock, by which leases end, when it began and when it ended. Milliseconds. */
export interface Wall {
  from: number
  to?: number
}

export type CommitAnswer =
  | { status: 'committed' | 'replayed'; first: number; last: number }
  | { status: 'fenced'; epoch: number }
  | { status: 'conflict'; seq: number }
  | { status: 'key_conflict' | 'lease_held' }

interface Lease {
  epoch: number
  owner: string
  /** It ends somewhere between these, by the wall clock. */
  endsFrom: number
  endsTo: number
}

export interface SeamState {
  /** The commit of each event. */
  log: readonly string[]
  hash: number
  /** `hash first last` of each key that was used. */
  keys: ReadonlyMap<string, string>
  lease: Lease
}

const free: Lease = { epoch: 0, owner: '', endsFrom: 0, endsTo: 0 }

/** Of a session that the commit `first` made. */
export function seamModel(first: string): Model<SeamState, SeamOp> {
  return {
    initial: { log: [first], hash: chain(0, first), keys: new Map(), lease: free },
    apply(state, op) {
      switch (op.do) {
        case 'commit':
          return commit(state, op)
        case 'renew':
          return renew(state, op)
        case 'head':
          return ifAnswer(state, op.answer, headOf(state))
        case 'events':
          return ifAnswer(state, op.answer, state.log.slice(op.after, op.after + op.limit))
        case 'key':
          return ifAnswer(state, op.answer, state.keys.get(op.key) ?? 'none')
      }
    },
    digest: ({ log, hash, lease }) => `${log.length} ${hash} ${Object.values(lease).join(' ')}`,
  }
}

function headOf({ log, lease }: SeamState) {
  return { seq: log.length, last: log.at(-1) ?? '', epoch: lease.epoch, owner: lease.owner }
}

/** Unchanged, if that is what was answered, or nothing was. */
function ifAnswer<T>(state: SeamState, answer: T | undefined, expected: T): SeamState[] {
  return answer === undefined || JSON.stringify(answer) === JSON.stringify(expected) ? [state] : []
}

/** In the order of the contract: key, epoch, base, lease. */
function commit(state: SeamState, op: CommitOp): SeamState[] {
  const { log, keys, lease } = state
  const used = op.key && keys.get(op.key.key)?.split(' ')
  if (used) {
    const [hash, first, last] = used
    if (hash !== op.key?.hash) return ifAnswer<CommitAnswer>(state, op.answer, { status: 'key_conflict' })
    return ifAnswer<CommitAnswer>(state, op.answer, {
      status: 'replayed',
      first: Number(first),
      last: Number(last),
    })
  }
  const needsEpoch = op.epoch !== undefined || op.lease === 'release'
  if (needsEpoch && (lease.owner === '' || lease.epoch !== op.epoch))
    return ifAnswer<CommitAnswer>(state, op.answer, { status: 'fenced', epoch: lease.epoch })
  if (op.base !== log.length)
    return ifAnswer<CommitAnswer>(state, op.answer, { status: 'conflict', seq: log.length })
  const { mayTake, mayFail } = taking(lease, op)
  return [
    ...(mayTake && fits(op, { status: 'committed', first: op.base + 1, last: op.base + op.count })
      ? [committed(state, op)]
      : []),
    ...(mayFail && fits(op, { status: 'lease_held' }) ? [state] : []),
  ]
}

function fits({ answer }: CommitOp, expected: CommitAnswer): boolean {
  return answer === undefined || JSON.stringify(answer) === JSON.stringify(expected)
}

/** The clock moved while it was under way: it may have found the lease held, or past its end, or either. */
function taking({ epoch, owner, endsFrom, endsTo }: Lease, { lease: change, wall }: CommitOp) {
  if (change === undefined || change === 'release') return { mayTake: true, mayFail: false }
  const isOther = epoch !== change.take
  const mayBeFree = owner === '' || endsFrom <= (wall.to ?? Number.POSITIVE_INFINITY)
  const mayBeHeld = owner !== '' && endsTo > wall.from
  return { mayTake: mayBeFree && !isOther, mayFail: mayBeHeld || isOther }
}

function committed({ log, hash, keys, lease }: SeamState, op: CommitOp): SeamState {
  const { id, base, count, key } = op
  const last = base + count
  return {
    log: [...log, ...Array.from({ length: count }, () => id)],
    hash: chain(hash, id),
    keys: key ? new Map(keys).set(key.key, `${key.hash} ${base + 1} ${last}`) : keys,
    lease: leaseAfter(lease, op),
  }
}

function leaseAfter(lease: Lease, { lease: change, wall }: CommitOp): Lease {
  if (change === undefined) return lease
  if (change === 'release') return { ...free, epoch: lease.epoch }
  return { epoch: lease.epoch + 1, owner: change.owner, ...ends(wall, change.ttlMs) }
}

function ends(wall: Wall, ttlMs: number): Pick<Lease, 'endsFrom' | 'endsTo'> {
  return { endsFrom: wall.from + ttlMs, endsTo: (wall.to ?? Number.MAX_SAFE_INTEGER) + ttlMs }
}

/** For the epoch that holds the lease, whether it is past its end or not. */
function renew(state: SeamState, { epoch, ttlMs, wall, answer }: RenewOp): SeamState[] {
  const { lease } = state
  if (lease.owner === '' || lease.epoch !== epoch) return answer === true ? [] : [state]
  return answer === false ? [] : [{ ...state, lease: { ...lease, ...ends(wall, ttlMs) } }]
}
