/** The actors of one tenant: made when a session is written to, let go when they rested long enough. */
import { Actor, type ActorWorld } from './actor.ts'

export class Actors {
  readonly #actors = new Map<string, Actor>()
  readonly #world: ActorWorld

  constructor(world: ActorWorld) {
    this.#world = world
  }

  of(sessionId: string): Actor {
    const known = this.#actors.get(sessionId)
    if (known) return known
    const actor = new Actor(sessionId, this.#world, () => this.#actors.delete(sessionId))
    this.#actors.set(sessionId, actor)
    return actor
  }

  /** After a write beside the actors, as a deletion. */
  forget(sessionId: string): void {
    this.#actors.get(sessionId)?.forget()
  }
}
