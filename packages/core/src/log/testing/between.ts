/** A store with something put between it and its caller: a fault, a count, a rival. */
import { HoldfastError } from '@holdfast/protocol'
import type { Commit, CommitOutcome, Store } from '../../store/store.ts'

type CommitFn = (commits: readonly Commit[]) => Promise<readonly CommitOutcome[]>

/** Every member is the store's own, but those given. */
export function withMembers(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const member = Object.hasOwn(members, name)
        ? members[name as keyof Store]
        : Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

export function withCommit(between: (commits: readonly Commit[], commit: CommitFn) => ReturnType<CommitFn>) {
  return (store: Store): Store =>
    withMembers(store, { commit: (commits) => between(commits, (c) => store.commit(c)) })
}

export function unknownOutcome(): HoldfastError {
  return new HoldfastError('commit_unknown', 'the disk did not answer')
}
