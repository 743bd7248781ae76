/** What a reader makes of a transcript and the writer puts into a session: steps in order, cut into whole turns. */
import type { HostCommand } from '@holdfast/core'
import type { JsonObject } from '@holdfast/protocol'

/** One command and its original time; without one the engine's clock is used. */
export interface Step {
  command: HostCommand
  at: string | undefined
}

/** The pieces of a turn. Rounds are apart because a turn too large for one commit is cut between two of them. */
export interface Turn {
  /** What comes before the run: user messages, notes. */
  before: Step[]
  /** Undefined: nobody answered. */
  run: { start: Step[]; rounds: Round[]; end: Step } | undefined
  after: Step[]
  /** Where the reader stands in the source after this turn. */
  position: JsonObject
}

export interface Round {
  steps: Step[]
  /** Where the reader stands after this round. */
  position: JsonObject
}

/** Written in one commit together with its position, so that nothing is half imported and nothing twice. */
export interface Batch {
  steps: Step[]
  position: JsonObject | undefined
}
