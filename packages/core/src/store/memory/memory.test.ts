import { describe, it } from 'vitest'
import { runStoreConformance, type StoreFixture } from '../conformance/index.ts'
import { memory } from './index.ts'

const fixture: StoreFixture = {
  name: 'memory',
  async open(options) {
    const place = memory()
    const handle = () => place.open(options)
    return { store: await handle(), another: handle, reopen: handle, dispose: async () => {} }
  },
}

describe('the memory store', () => {
  runStoreConformance(fixture, { test: it })
})
