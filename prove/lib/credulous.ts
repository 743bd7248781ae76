/** The planted bug: a store that takes a commit for written when its connection broke. */
import type { Store, StoreFactory } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'

type Commits = Parameters<Store['commit']>[0]
type Outcomes = Awaited<ReturnType<Store['commit']>>

export function credulous(factory: StoreFactory): StoreFactory {
  return {
    async open(options) {
      const store = await factory.open(options)
      const commit = store.commit.bind(store)
      return Object.assign(store, { commit: (commits: Commits) => believed(commits, () => commit(commits)) })
    },
  }
}

async function believed(commits: Commits, commit: () => Promise<Outcomes>): Promise<Outcomes> {
  try {
    return (await commit()).map((outcome, place) => {
      const isBroken = outcome.status === 'failed' && isHoldfastError(outcome.error, 'commit_unknown')
      return isBroken ? writtenOutcome(commits[place] as Commits[number]) : outcome
    })
  } catch (error) {
    if (!isHoldfastError(error, 'commit_unknown')) throw error
    return commits.map(writtenOutcome)
  }
}

function writtenOutcome({ baseSeq, events, lease }: Commits[number]): Outcomes[number] {
  const epoch = lease?.type === 'take' ? lease.fromEpoch + 1 : 0
  return {
    status: 'committed',
    firstSeq: baseSeq + 1,
    lastSeq: baseSeq + events.length,
    lease: { epoch, owner: undefined, expiresAtMs: undefined },
  }
}
