/** A server in this very process, on one file and port, that is stopped and started again while others call it. */
import { type Agent, defineAgent, hostAgents } from '@holdfast/agent'
import { scriptedModel } from '@holdfast/agent/testing'
import type { Holdfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import type { HoldfastServer } from '@holdfast/server'
import { type Serving, serve } from '@holdfast/server/node'

export class Restarting {
  readonly #file: string
  readonly #pepper: string | undefined
  #serving: Serving
  #port: number

  private constructor(file: string, pepper: string | undefined, serving: Serving) {
    this.#file = file
    this.#pepper = pepper
    this.#serving = serving
    this.#port = Number(new URL(serving.url).port)
  }

  /** With a pepper its callers need keys. */
  static async start(file: string, pepper?: string): Promise<Restarting> {
    return new Restarting(file, pepper, await serving(file, 0, pepper))
  }

  get url(): string {
    return this.#serving.url
  }

  get server(): HoldfastServer {
    return this.#serving.server
  }

  get holdfast(): Holdfast {
    return this.#serving.holdfast
  }

  /** What is under way is answered, streams are told to come back. */
  async restart(): Promise<void> {
    await this.#serving.close()
    this.#serving = await serving(this.#file, this.#port, this.#pepper)
  }

  close(): Promise<void> {
    return this.#serving.close()
  }
}

function serving(file: string, port: number, pepper: string | undefined): Promise<Serving> {
  const store = sqlite(file, { search: false })
  return serve({
    store,
    port,
    signals: [],
    drainMs: 1_000,
    agents: (holdfast) => hostAgents(holdfast, { agents: [prover()], pollMs: 20 }),
    ...(pepper !== undefined && { pepper }),
  })
}

/** Says again what it was told, piece by piece, so that there is a middle to stop in. */
function prover(): Agent {
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 2))
  const model = scriptedModel({ script: ({ lastUserText }) => lastUserText, pieceSize: 1, pause })
  return defineAgent({ id: 'prover', model })
}
