/** A store that does its work until it is told to fail, and how: what disks, networks and others do at a time of their own choosing. */
import type { Store, StoreFactory } from '@holdfast/core'

/** Gives what a method gives instead, or throws what it rejects with. */
export type Failure = () => unknown

export class FailingStore implements StoreFactory {
  readonly #factory: StoreFactory
  #failureOf: (method: keyof Store) => Failure | undefined = works

  constructor(factory: StoreFactory) {
    this.#factory = factory
  }

  /** Until `heal`, in whatever is asked of it, or in the methods that are named. */
  fail(failure: Failure | { readonly [M in keyof Store]?: Failure }): void {
    this.#failureOf = (method) =>
      typeof failure !== 'function' ? failure[method] : spared.includes(method) ? undefined : failure
  }

  heal(): void {
    this.#failureOf = works
  }

  readonly open: StoreFactory['open'] = async (options) => {
    const store = await this.#factory.open(options)
    return new Proxy(store, {
      get: (target, name) => {
        const own = Reflect.get(target, name)
        if (typeof own !== 'function') return own
        const failure = this.#failureOf(name as keyof Store)
        return failure ? async () => failure() : own.bind(target)
      },
    })
  }
}

const spared: readonly (keyof Store)[] = ['now', 'info', 'close']

function works(): undefined {}
