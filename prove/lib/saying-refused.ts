/** The planted bug: a store that takes every failing commit for one that was not written. */
import type { StoreFactory } from '@holdfast/core'
import { HoldfastError, isHoldfastError } from '@holdfast/protocol'

export function sayingRefused(place: StoreFactory): StoreFactory {
  return {
    async open(options) {
      const store = await place.open(options)
      const commit = store.commit.bind(store)
      store.commit = (commits) => commit(commits).catch(refused)
      return store
    },
  }
}

function refused(error: unknown): never {
  if (!isHoldfastError(error, 'commit_unknown')) throw error
  throw new HoldfastError('store_unavailable', 'The store failed; nothing was written.', { cause: error })
}
