/** One run as this process works on it. */
import type { HeldRun, UnseenSession } from '@holdfast/core'
import type { Agent } from '../define/agent.ts'
import type { WantedCall } from '../model/reply.ts'
import { HaltSwitch } from './halt.ts'
import type { World } from './world.ts'

export class Turn {
  readonly world: World
  readonly agent: Agent
  readonly session: UnseenSession
  readonly run: HeldRun
  readonly halting = new HaltSwitch()
  /** Rounds that began in this run. */
  rounds = 0
  /** Calls of the round under way that have no result yet, in call order. */
  open: WantedCall[] = []
  /** Input that steers the run and was not taken in yet. */
  steering = 0

  constructor(world: World, agent: Agent, session: UnseenSession, run: HeldRun) {
    this.world = world
    this.agent = agent
    this.session = session
    this.run = run
  }

  get signal(): AbortSignal {
    return this.halting.signal
  }

  get roundId(): string {
    const { roundId } = this.run as { roundId?: string }
    if (roundId === undefined) throw new Error(`run ${this.run.runId} has no open round`)
    return roundId
  }
}
