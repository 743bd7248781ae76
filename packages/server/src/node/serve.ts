import { once } from 'node:events'
import { createServer as createListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Holdfast, type OpenOptions, openHoldfast, type StoreFactory } from '@holdfast/core'
import { getRequestListener } from '@hono/node-server'
import type { AgentHost } from '../agents.ts'
import { createServer, defaultStallMs, type HoldfastServer, type ServerOptions } from '../handler.ts'
import { serverLimits } from '../limits.ts'
import { drainListener } from './drain.ts'
import { loopbackHosts, requireLoopback } from './loopback.ts'
import { streamTo } from './send-stream.ts'
import { Sweeping } from './sweeping.ts'

export interface ServeOptions extends Omit<ServerOptions, 'holdfast' | 'hosts' | 'agents'> {
  /** Opened here, and closed at the end. */
  store: StoreFactory
  /** Makes those who answer in sessions; absent: workers elsewhere do. */
  agents?: (holdfast: Holdfast) => AgentHost
  /** Whose callers are who come without keys; default `default`. */
  tenantId?: string
  /** Default 4780; 0: any that is free. */
  port?: number
  /** Default 127.0.0.1. Others need keys. */
  host?: string
  /** How long requests that are under way are waited for at the end; default 10,000. */
  drainMs?: number
  /** Milliseconds between two sweeps for what the clock made due; default 30,000. */
  sweepMs?: number
  /** Told of a sweep that failed; default a warning of the process. */
  onSweepFailed?: (error: unknown) => void
  /** Prices for usage of tenants without a price book of their own; default: none. */
  prices?: OpenOptions['prices']
  /** Signals that end the server; default SIGTERM and SIGINT. */
  signals?: readonly NodeJS.Signals[]
}

export interface Serving {
  readonly url: string
  readonly holdfast: Holdfast
  readonly server: HoldfastServer
  /** Takes no new request, answers those under way, tells followers to come back, closes the store. Idempotent. */
  close(): Promise<void>
  /** Resolves when it is closed, whoever closed it. */
  readonly closed: Promise<void>
}

/**
 * A connection on which nothing moves for so long is cut. A stream is beaten more often, unless its reader stands still: that is
 * told first, and has the rest of the time to read it.
 */
function silentMs(stallMs: number): number {
  return 1.5 * Math.max(serverLimits.waitSecs * 1_000, stallMs)
}

export async function serve(options: ServeOptions): Promise<Serving> {
  const {
    store,
    tenantId,
    port = 4780,
    host = '127.0.0.1',
    drainMs = 10_000,
    sweepMs = 30_000,
    onSweepFailed = (error) => process.emitWarning(`a sweep failed: ${String(error)}`),
    signals = ['SIGTERM', 'SIGINT'],
    agents: makeAgents,
    prices,
    ...rest
  } = options
  const isOpen = rest.pepper === undefined && rest.authenticate === undefined
  if (isOpen) requireLoopback(host)
  const holdfast = await openHoldfast({
    store,
    ...(tenantId !== undefined && { tenantId }),
    ...(rest.clock && { clock: rest.clock }),
    ...(prices && { prices }),
  })
  let listener: Server | undefined
  try {
    listener = await listen((request, send) => server.respond(request, send), {
      host,
      port,
      silentMs: silentMs(rest.stallMs ?? defaultStallMs),
    })
    // Whoever cannot listen takes no turn on.
    const agents = makeAgents?.(holdfast)
    const hosts = isOpen && { hosts: loopbackHosts }
    const server = createServer({ holdfast, ...rest, ...hosts, ...(agents && { agents }) })
    const sweeping = new Sweeping(holdfast, {
      everyMs: sweepMs,
      onFailed: onSweepFailed,
      ...(agents && { lostRuns: { leaveAgents: agents.agentIds } }),
    })
    return new Running({ server, holdfast, listener, sweeping, agents, drainMs, signals })
  } catch (error) {
    listener?.close()
    await holdfast.close()
    throw error
  }
}

async function listen(
  respond: HoldfastServer['respond'],
  { host, port, silentMs }: { host: string; port: number; silentMs: number },
): Promise<Server> {
  const handle = getRequestListener((request, { outgoing }) =>
    respond(request, streamTo(outgoing as ServerResponse)),
  )
  const limits = {
    maxHeaderSize: serverLimits.headerBytes,
    requestTimeout: silentMs,
    keepAliveTimeout: silentMs,
  }
  const listener = createListener({ ...limits, noDelay: true }, (request, response) => {
    void handle(request, response)
  })
  listener.setTimeout(silentMs)
  listener.listen(port, host)
  await once(listener, 'listening')
  return listener
}

interface Parts {
  server: HoldfastServer
  holdfast: Holdfast
  listener: Server
  sweeping: Sweeping
  agents: AgentHost | undefined
  drainMs: number
  signals: readonly NodeJS.Signals[]
}

class Running implements Serving {
  readonly url: string
  readonly holdfast: Holdfast
  readonly server: HoldfastServer
  readonly closed: Promise<void>
  readonly #parts: Parts
  readonly #stop = (): void => void this.close()
  #isClosing = false
  #settle!: (ended: Promise<void>) => void

  constructor(parts: Parts) {
    this.#parts = parts
    this.server = parts.server
    this.holdfast = parts.holdfast
    this.url = urlOf(parts.listener.address() as AddressInfo)
    this.closed = new Promise((resolve) => {
      this.#settle = resolve
    })
    for (const signal of parts.signals) process.once(signal, this.#stop)
  }

  close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true
      this.#settle(this.#close())
    }
    return this.closed
  }

  async #close(): Promise<void> {
    const { server, holdfast, listener, sweeping, agents, drainMs, signals } = this.#parts
    for (const signal of signals) process.off(signal, this.#stop)
    server.drain()
    // Turns come to rest first: whoever waits for one is answered then.
    await Promise.all([agents?.close({ drainMs: drainMs / 2 }), drainListener(listener, drainMs)])
    await sweeping.stop()
    try {
      await server.close()
    } finally {
      await holdfast.close()
    }
  }
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
