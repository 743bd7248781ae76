/** A reader that stays: over every outage, each event of a session must come to it once and in order. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Holdfast } from '@holdfast/core'
import { isPassing } from './workload.ts'

const reachMs = 20_000

export class Following {
  readonly #holdfast: Holdfast
  readonly #sessionId: string
  readonly #end = new AbortController()
  readonly #done: Promise<void>
  #seq = 0
  #cursor: string | undefined

  constructor(holdfast: Holdfast, sessionId: string) {
    this.#holdfast = holdfast
    this.#sessionId = sessionId
    this.#done = this.#follow()
  }

  /** Resolves when it has seen all that is there now, and throws when it does not come to that. */
  async finish(): Promise<void> {
    const { seq } = await (await this.#holdfast.sessions.open(this.#sessionId)).view()
    const limit = performance.now() + reachMs
    while (this.#seq < seq) {
      if (performance.now() > limit) throw new Error(`a follower stands at ${this.#seq} of ${seq}`)
      await sleep(10)
    }
    this.#end.abort()
    await this.#done
  }

  async #follow(): Promise<void> {
    while (!this.#end.signal.aborted) {
      try {
        await this.#read()
      } catch (error) {
        if (!isPassing(error, true)) throw error
        await sleep(20)
      }
    }
  }

  async #read(): Promise<void> {
    const session = await this.#holdfast.sessions.open(this.#sessionId)
    const { signal } = this.#end
    const from = { signal, ...(this.#cursor !== undefined && { after: this.#cursor }) }
    for await (const item of session.follow(from)) {
      if (item.type === 'event') this.#take(item.event.seq)
      this.#cursor = item.cursor
    }
  }

  #take(seq: number): void {
    if (seq !== this.#seq + 1) throw new Error(`${this.#sessionId}: ${seq} was followed after ${this.#seq}`)
    this.#seq = seq
  }
}
