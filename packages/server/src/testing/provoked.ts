/** A server, asked for trouble: every failure that it answered with, by which route. */
import { defineAgent, hostAgents } from '@holdfast/agent'
import { offlineScripted } from '@holdfast/agent/testing'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { DEFAULT_TENANT, type ErrorCode, problem, scope } from '@holdfast/protocol'
import type { Keys, NewKey } from '../access/keys.ts'
import { createServer, type HoldfastServer } from '../handler.ts'
import type { Route } from '../route.ts'
import { Caller, type Reply, type Sent } from './caller.ts'
import { conforming } from './conforming.ts'
import { HeldClock, pepper } from './each-server.ts'
import { FailingStore } from './failing-store.ts'
import { samples } from './samples.ts'
import { type State, stepped } from './states.ts'

export type Ids = Readonly<Record<string, string>>

export interface Asking extends Sent {
  ids?: Ids
  /** With its question mark. */
  query?: string
  caller?: Caller
}

/** The agent that works in the server. */
export const agentId = 'helper'

/** How long a reader may stand still. */
export const stallMs = 60_000

type Reader = ReadableStreamDefaultReader<Uint8Array>
const utf8 = new TextDecoder()

export class Provoked {
  readonly clock = new HeldClock()
  readonly store = new FailingStore(memory())
  readonly failures = new Set<string>()
  readonly holdfast: Holdfast
  readonly server: HoldfastServer
  /** Without a key. */
  readonly bare: Caller
  /** Who may do everything. */
  caller: Caller

  private constructor(holdfast: Holdfast, clock: HeldClock, store: FailingStore) {
    this.clock = clock
    this.store = store
    this.holdfast = holdfast
    const helper = defineAgent({ id: agentId, model: offlineScripted() })
    const agents = hostAgents(holdfast, { agents: [helper], clock: clock.now, pollMs: 0 })
    const options = { holdfast, clock: clock.now, pepper, agents, hosts: ['localhost'] }
    this.server = createServer({ ...options, heartbeatMs: 5, stallMs, fileWaitMs: 20 })
    this.bare = new Caller((request) => this.fetch(request))
    this.caller = this.bare
  }

  static async open(): Promise<Provoked> {
    const clock = new HeldClock()
    const store = new FailingStore(memory())
    const holdfast = await openHoldfast({ store, clock: clock.now })
    const provoked = new Provoked(holdfast, clock, store)
    provoked.caller = await provoked.keyed({})
    return provoked
  }

  async close(): Promise<void> {
    this.store.heal()
    await this.server.agents?.close({ drainMs: 0 })
    await this.holdfast.close()
  }

  async keyed(asked: Partial<NewKey>): Promise<Caller> {
    const keys = this.server.keys as Keys
    const { key } = await keys.create(DEFAULT_TENANT, { name: 'k', scopes: scope.options, ...asked })
    return this.bare.withKey(key)
  }

  /** As the sample of the route says, but for what is said here. */
  ask(route: Route, { ids = {}, query = '', caller = this.caller, ...sent }: Asking = {}): Promise<Reply> {
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'missing')
    return caller.call(route.method, `${path}${query}`, { ...sampleOf(route), ...sent })
  }

  session(state: State): Promise<string> {
    return stepped(state, { caller: this.caller, clock: this.clock, agentId })
  }

  /** A stream that somebody began to read. What it ends with is a failure of its route. */
  async stream(route: Route, ids: Ids): Promise<{ end(): Promise<void> }> {
    const headers = { accept: 'text/event-stream' }
    const path = route.path.replace('{sessionId}', ids.sessionId ?? '')
    const { body } = await this.caller.open(route.method, path, { ...sampleOf(route), headers })
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    const first = reader.read()
    return { end: () => this.#readToEnd(route, reader, first) }
  }

  async #readToEnd(route: Route, reader: Reader, first: ReturnType<Reader['read']>): Promise<void> {
    let text = ''
    for (let read = await first; !read.done; read = await reader.read()) text += utf8.decode(read.value)
    const [, told] = /event: error\ndata: (.*)\n\n$/.exec(text) ?? []
    if (told !== undefined) this.#hear(route, problem.parse(JSON.parse(told)).code)
  }

  async fetch(request: Request): Promise<Response> {
    const response = await this.server.fetch(request)
    return conforming(request, response, (route, code) => this.#hear(route, code))
  }

  #hear(route: Route, code: ErrorCode): void {
    this.failures.add(failureOf(route, code))
  }
}

export function failureOf({ method, path }: Route, code: ErrorCode): string {
  return `${method} ${path}: ${code}`
}

function sampleOf({ method, path, body }: Route): Sent {
  if (body === undefined) return {}
  return typeof body === 'string' ? { raw: 'x' } : { body: samples[`${method} ${path}`] }
}
