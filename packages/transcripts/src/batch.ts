/** What a reader makes of a transcript and the writer puts into a session: steps in order, cut into whole turns. */
import type { HostCommand } from '@holdfast/core'
import type { CompactionRecord, JsonObject } from '@holdfast/protocol'

/** One command and its original time; without one the engine's clock is used. */
export interface Step {
  command: HostCommand
  at: string | undefined
  /** Usage that no price per token holds for. */
  unpriced?: true
  /** About the code units of its command as JSON text, once they were counted. */
  units?: number
}

/** The pieces of a turn. Rounds are apart because a turn too large for one commit is cut between two of them. */
export interface Turn {
  /** What comes before the run: user messages, notes. */
  before: Step[]
  /** Undefined: nobody answered. */
  run: { start: Step[]; rounds: Round[]; end: Step } | undefined
  after: Step[]
  /** Stands for the conversation up to here, or for a stretch of it. */
  compaction?: Compaction
  /** Where the reader stands in the source after this turn; undefined: where it stood before. */
  position: JsonObject | undefined
}

export interface Round {
  steps: Step[]
  /** Where the reader stands after this round. */
  position: JsonObject
}

export interface Compaction {
  id: string
  summary: string
  /** Undefined: the summary stands for all that was said before it. */
  stretch?: CoveredStretch
  trigger: CompactionRecord['trigger']
  /** Undefined: the source does not tell, and the summary is not shorter than we could say. */
  tokensBefore: number | undefined
  at: string | undefined
}

/** What a summary stands for, by ids of messages. */
export interface CoveredStretch {
  /** The first of them; undefined: from the beginning. */
  first: string | undefined
  /** The one that follows on the last of them; undefined: up to the summary. */
  next: string | undefined
}

/** Written in one commit together with its position, so that nothing is half imported and nothing twice. */
export interface Batch {
  steps: Step[]
  compaction?: Compaction
  position: JsonObject | undefined
}
