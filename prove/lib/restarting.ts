/** A server in this very process, on one file and port, that is stopped and started again while others call it. */
import type { Holdfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { type Serving, serve } from '@holdfast/server/node'

export class Restarting {
  readonly #file: string
  #serving: Serving
  #port: number

  private constructor(file: string, serving: Serving) {
    this.#file = file
    this.#serving = serving
    this.#port = Number(new URL(serving.url).port)
  }

  static async start(file: string): Promise<Restarting> {
    return new Restarting(file, await serving(file, 0))
  }

  get url(): string {
    return this.#serving.url
  }

  get holdfast(): Holdfast {
    return this.#serving.holdfast
  }

  /** What is under way is answered, streams are told to come back. */
  async restart(): Promise<void> {
    await this.#serving.close()
    this.#serving = await serving(this.#file, this.#port)
  }

  close(): Promise<void> {
    return this.#serving.close()
  }
}

function serving(file: string, port: number): Promise<Serving> {
  return serve({ store: sqlite(file, { search: false }), port, signals: [], drainMs: 1_000 })
}
