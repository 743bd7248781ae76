/** What a command is given: the world, the store it works on, and where to say what it has to say. */
import type { Holdfast } from '@holdfast/core'
import type { Ending } from './exit-codes.ts'
import type { PlaceOptions, Settings } from './place/settings.ts'
import type { Output } from './terminal/output.ts'
import type { World } from './terminal/world.ts'

export class Context {
  readonly world: World
  readonly output: Output
  readonly #options: PlaceOptions
  readonly #closing: (() => unknown)[] = []

  constructor(world: World, output: Output, options: PlaceOptions) {
    this.world = world
    this.output = output
    this.#options = options
  }

  async settings(): Promise<Settings> {
    const { settingsOf } = await import('./place/settings.ts')
    return settingsOf(this.world, this.#options)
  }

  /** Closed when the command is over. Throws `not_found` for a file that is not there, unless `create`. */
  async open({ create = false } = {}): Promise<Holdfast> {
    const { openStore } = await import('./place/open-store.ts')
    const holdfast = await openStore(await this.settings(), { create })
    this.#closing.push(() => holdfast.close())
    return holdfast
  }

  /** Aborted by the first Ctrl-C; from the second one on Ctrl-C ends the process at once. */
  interruption(): AbortSignal {
    const interruption = new AbortController()
    const stop = this.world.onInterrupt(() => {
      interruption.abort()
      stop()
    })
    this.#closing.push(stop)
    return interruption.signal
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close()
  }
}

/** How the command ended, where it is not `ok`. */
export type Ended = Ending | undefined
