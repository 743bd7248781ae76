/** A correct store with one planted bug. A suite that does not notice it proves nothing. */
import type { Clause } from '../../clauses.ts'
import type { Store, StoreFactory } from '../../store.ts'
import type { OpenedPlace, StoreFixture } from '../fixture.ts'

export interface Mutant {
  /** The clause whose own cases must notice. */
  clause: Clause
  title: string
  /** Members that replace those of a correct handle; called once for each handle. */
  breaks?: (store: Store, world: World) => Partial<Store>
  /** Members that replace those of a correct place. */
  place?: (place: OpenedPlace, world: World) => Partial<OpenedPlace>
}

/** What all handles of one broken place share. */
export interface World {
  /** Added to the clock of the case. */
  skewMs: number
  /** Whatever the bug wants to remember. */
  memory: Map<string, unknown>
  /** A correct store on a place of its own. */
  elsewhere: () => Promise<Store>
}

/** `correct` names a new, empty place whose every `open` gives another handle on it. */
export function mutantFixture(mutant: Mutant, correct: () => StoreFactory): StoreFixture {
  return {
    name: `a store that ${mutant.title}`,
    async open({ clock }) {
      const data = correct()
      const world: World = { skewMs: 0, memory: new Map(), elsewhere: () => correct().open({ clock }) }
      const handle = async () => {
        const store = await data.open({ clock: () => clock() + world.skewMs })
        return replaced(store, mutant.breaks?.(store, world) ?? {})
      }
      const place = { store: await handle(), another: handle, reopen: handle, dispose: async () => {} }
      return { ...place, ...mutant.place?.(place, world) }
    },
  }
}

function replaced(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(name in members ? members : target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
