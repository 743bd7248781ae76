/** What a command is given: the world, the store it works on, and where to say what it has to say. */
import type { HoldfastClient } from '@holdfast/client'
import type { Holdfast } from '@holdfast/core'
import type { Ending } from './exit-codes.ts'
import type { OpenStoreOptions } from './place/open-store.ts'
import type { Place } from './place/place.ts'
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

  /** For what needs the store itself: `invalid_input` while a server is named. */
  async storeSettings(): Promise<Settings> {
    const settings = await this.settings()
    if (settings.server !== undefined) await refuseServer(settings.server)
    return settings
  }

  /** Closed when the command is over. Throws `not_found` for a file that is not there, unless `create`. */
  async open({ create = false, ...options }: OpenStoreOptions = {}): Promise<Holdfast> {
    const { openStore } = await import('./place/open-store.ts')
    const holdfast = await openStore(await this.storeSettings(), { create, ...options })
    this.closeLater(() => holdfast.close())
    return holdfast
  }

  /** Where the sessions are: on the server, where one is named, else in the store. */
  async place(): Promise<Place> {
    if ((await this.settings()).server === undefined) return this.open()
    const { servedPlace } = await import('./place/served-place.ts')
    return servedPlace(await this.client())
  }

  /** The server that is named. `invalid_input` where another tenant is asked for than that of the key. */
  async client(): Promise<HoldfastClient> {
    const client = await this.anyClient()
    const { requireKeyTenant } = await import('./place/key-tenant.ts')
    await requireKeyTenant(client, await this.settings())
    return client
  }

  /** The same for who looks at the tenant for itself. */
  async anyClient(): Promise<HoldfastClient> {
    const { server, key } = await this.settings()
    if (server === undefined) throw new Error('no server is named')
    const { createClient } = await import('@holdfast/client')
    return createClient({ url: server, ...(key !== undefined && { key }) })
  }

  /** Aborted by the first Ctrl-C; from the second one on Ctrl-C ends the process at once. */
  interruption(): AbortSignal {
    const interruption = new AbortController()
    const stop = this.world.onInterrupt(() => {
      interruption.abort()
      stop()
    })
    this.closeLater(stop)
    return interruption.signal
  }

  /** When the command is over. */
  closeLater(close: () => unknown): void {
    this.#closing.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close()
  }
}

/** What was asked of a server must not be done to a store that happens to be here. */
async function refuseServer(server: string): Promise<never> {
  const { HoldfastError } = await import('@holdfast/protocol')
  const message = [
    `This command works on a store itself, and the settings name the server ${server}.`,
    '  Run it where the store of that server is: --store <path> names it.',
  ].join('\n')
  throw new HoldfastError('invalid_input', message)
}

/** How the command ended, where it is not `ok`. */
export type Ended = Ending | undefined
