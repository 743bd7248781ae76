/** Stores with one bug each, for the proofs that must find it. */
import type { Store, StoreFactory } from '@holdfast/core'
import { wrapStore } from './wrap-store.ts'

type Commits = Parameters<Store['commit']>[0]

const bugs: Record<string, (store: Store) => Partial<Store>> = {
  '': () => ({}),
  /** Writes on whatever head there is, whatever it was decided on. */
  'lost-update': (store) => ({
    commit: async (commits) =>
      store.commit(await Promise.all(commits.map((one) => onNewestBase(store, one)))),
  }),
  /** Forgets to compare the epoch. */
  'stale-epoch': (store) => ({
    commit: (commits) =>
      store.commit(
        commits.map(({ epoch, ...commit }) =>
          commit.lease ? { ...commit, ...(epoch !== undefined && { epoch }) } : commit,
        ),
      ),
  }),
  /** Answers a used key with its first effect, whatever is asked now. */
  'other-body': (store) => ({
    commit: (commits) =>
      store.commit(
        commits.map((commit) => (commit.key ? { ...commit, key: { ...commit.key, hash: 'any' } } : commit)),
      ),
  }),
  /** Now and then gives a head that it gave before. */
  'stale-read': (store) => {
    const heads = new Map<string, Awaited<ReturnType<Store['readHead']>>>()
    let reads = 0
    return {
      async readHead(tenantId, sessionId) {
        reads += 1
        const before = heads.get(sessionId)
        if (before && reads % 5 === 0) return before
        const head = await store.readHead(tenantId, sessionId)
        heads.set(sessionId, head)
        return head
      },
    }
  },
}

export const plantedBugs = Object.keys(bugs).filter((name) => name !== '')

export function withBug(name: string, factory: StoreFactory): StoreFactory {
  const bug = bugs[name]
  if (!bug) throw new Error(`--planted is one of ${plantedBugs.join(' ')}, not ${name}`)
  return name === '' ? factory : wrapStore(factory, bug)
}

async function onNewestBase(store: Store, commit: Commits[number]): Promise<Commits[number]> {
  if (commit.create) return commit
  const head = await store.readHead(commit.tenantId, commit.sessionId)
  return { ...commit, baseSeq: head?.seq ?? commit.baseSeq }
}
