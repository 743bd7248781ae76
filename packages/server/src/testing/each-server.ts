/** Runs a suite against a server on each store that a machine always has, each test on a store of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Holdfast, openHoldfast, type StoreFactory } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { sqlite } from '@holdfast/core/sqlite'
import { afterEach, beforeEach, describe } from 'vitest'
import { createServer, type HoldfastServer, type ServerOptions } from '../handler.ts'
import { Caller } from './caller.ts'
import { conforming } from './conforming.ts'

export class HeldClock {
  #nowMs = 1_790_000_000_000
  readonly now = (): number => this.#nowMs
  advance(ms: number): void {
    this.#nowMs += ms
  }
}

export const pepper = 'a pepper of thirty-two bytes or more'

export interface TestServer {
  readonly clock: HeldClock
  readonly holdfast: Holdfast
  readonly server: HoldfastServer
  /** Without a key. */
  readonly caller: Caller
  /** The same store, and the server on it, opened anew. */
  restart(): Promise<void>
  /** An empty store of the same kind in its place. */
  fresh(): Promise<void>
}

interface Kind {
  name: string
  make(): { factory: StoreFactory; remove(): void }
}

const kinds: readonly Kind[] = [
  { name: 'memory', make: () => ({ factory: memory(), remove: () => {} }) },
  { name: 'SQLite in a file', make: inFile },
]

function inFile(): ReturnType<Kind['make']> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-server-'))
  return {
    factory: sqlite(join(folder, 'sessions.db')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

type TestOptions =
  | Partial<ServerOptions>
  | ((holdfast: Holdfast, clock: () => number) => Partial<ServerOptions>)

export function eachServer(title: string, options: TestOptions, suite: (place: TestServer) => void): void {
  describe.each(kinds)(`${title}, on $name`, ({ make }) => {
    const place = new Place(options)

    beforeEach(() => place.make(make))

    afterEach(() => place.remove())

    suite(place)
  })
}

class Place implements TestServer {
  readonly clock = new HeldClock()
  readonly #options: TestOptions
  #make: Kind['make'] | undefined
  #removing: (() => void)[] = []
  #factory: StoreFactory | undefined
  #opened: { holdfast: Holdfast; server: HoldfastServer } | undefined

  constructor(options: TestOptions) {
    this.#options = options
  }

  get holdfast(): Holdfast {
    return this.#open.holdfast
  }

  get server(): HoldfastServer {
    return this.#open.server
  }

  get caller(): Caller {
    return new Caller(async (request) => conforming(request, await this.#open.server.fetch(request)))
  }

  async make(make: Kind['make']): Promise<void> {
    this.#make = make
    const { factory, remove } = make()
    this.#removing.push(remove)
    await this.open(factory)
  }

  async remove(): Promise<void> {
    await this.close()
    for (const remove of this.#removing.splice(0)) remove()
  }

  async fresh(): Promise<void> {
    await this.close()
    await this.make(this.#make as Kind['make'])
  }

  async restart(): Promise<void> {
    await this.close()
    await this.open(this.#factory as StoreFactory)
  }

  async open(factory: StoreFactory): Promise<void> {
    this.#factory = factory
    const clock = this.clock.now
    const holdfast = await openHoldfast({ store: factory, clock })
    const options = typeof this.#options === 'function' ? this.#options(holdfast, clock) : this.#options
    this.#opened = { holdfast, server: createServer({ holdfast, clock, ...options }) }
  }

  async close(): Promise<void> {
    this.server.drain()
    await this.server.agents?.close({ drainMs: 0 })
    await this.server.close()
    await this.holdfast.close()
  }

  get #open(): { holdfast: Holdfast; server: HoldfastServer } {
    if (!this.#opened) throw new Error('the place is not open')
    return this.#opened
  }
}
