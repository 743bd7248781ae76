/** Actors of all tenants that have nothing to do, a bounded number: the one that rested longest goes first. */
import type { Actor, Resting } from './actor.ts'

export class RestingActors implements Resting {
  readonly #actors = new Set<Actor>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  rest(actor: Actor): void {
    this.#actors.delete(actor)
    this.#actors.add(actor)
    if (this.#actors.size <= this.#most) return
    const [oldest] = this.#actors
    if (!oldest) return
    this.#actors.delete(oldest)
    // One that works again comes back here when it is done.
    if (oldest.isIdle) oldest.leave()
  }
}
