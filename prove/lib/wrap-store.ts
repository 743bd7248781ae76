/** A store with some of its ways changed: how a planted bug gets between the engine and a real store. */
import type { Store, StoreFactory } from '@holdfast/core'

export function wrapStore(factory: StoreFactory, change: (store: Store) => Partial<Store>): StoreFactory {
  return {
    async open(options) {
      const store = await factory.open(options)
      const changed = change(store)
      return new Proxy(store, {
        get: (target, name) => {
          const own = Reflect.get(changed, name) ?? Reflect.get(target, name)
          return typeof own === 'function' ? own.bind(target) : own
        },
      })
    },
  }
}
