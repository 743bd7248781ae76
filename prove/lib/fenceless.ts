/**
 * The planted bug of the zombie proof: a store that lets go of the fence. It forgets the epoch of every commit and tells
 * each worker that it still holds the lease that it once took; either alone is made good by the other.
 */
import type { Store, StoreFactory } from '@holdfast/core'
import { wrapStore } from './wrap-store.ts'

type Lease = NonNullable<Awaited<ReturnType<Store['readHead']>>>['lease']

export function fenceless(factory: StoreFactory): StoreFactory {
  return wrapStore(factory, (store) => {
    const taken = new Map<string, Lease>()
    return {
      async commit(commits) {
        const outcomes = await store.commit(
          commits.map(({ epoch, ...commit }) =>
            commit.lease && epoch !== undefined ? { ...commit, epoch } : commit,
          ),
        )
        for (const [at, outcome] of outcomes.entries()) {
          const commit = commits[at]
          if (outcome.status === 'committed' && commit?.lease?.type === 'take')
            taken.set(commit.sessionId, outcome.lease)
        }
        return outcomes
      },
      async readHead(tenantId, sessionId) {
        const head = await store.readHead(tenantId, sessionId)
        const lease = taken.get(sessionId)
        return head && lease ? { ...head, lease } : head
      },
      renewLease: async () => true,
    }
  })
}
