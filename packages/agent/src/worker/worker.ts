/** The turns that this process works on: each with its lease kept and its log watched. */
import type { HeldRun } from '@holdfast/core'
import type { Agent } from '../define/agent.ts'
import { drive } from '../turn/drive.ts'
import { Turn } from '../turn/turn.ts'
import type { World } from '../turn/world.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { watchRun } from './watch-run.ts'

export class Worker {
  readonly #world: World
  readonly #turns = new Map<string, { turn: Turn; done: Promise<void> }>()

  constructor(world: World) {
    this.#world = world
  }

  /** Works on a run that this process holds, until it ends, is suspended or is lost. */
  take(agent: Agent, run: HeldRun, seq: number): void {
    const turn = new Turn(this.#world, agent, this.#world.holdfast.sessions.at(run.sessionId), run)
    const done = this.#work(turn, seq)
    this.#turns.set(run.sessionId, { turn, done })
  }

  /** Resolves when nothing is worked on. */
  async idle(): Promise<void> {
    while (this.#turns.size > 0) await Promise.all([...this.#turns.values()].map(({ done }) => done))
  }

  async #work(turn: Turn, seq: number): Promise<void> {
    const { leaseTtlMs: ttlMs, now } = this.#world
    const watching = new AbortController()
    const lease = new LeaseKeeper(turn.run, { ttlMs, now, onLost: () => turn.halting.pull({ why: 'lost' }) })
    const watched = watchRun(turn, seq, watching.signal)
    try {
      await drive(turn)
    } finally {
      lease.end()
      watching.abort()
      await watched
      this.#turns.delete(turn.run.sessionId)
    }
  }
}
