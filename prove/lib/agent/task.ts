/** What a player of the agent's proofs is told, and what it says. */

export type WireName = 'anthropic' | 'chat' | 'responses'
export const wireNames: readonly WireName[] = ['anthropic', 'chat', 'responses']

/** What is said in each session. The second comes while the first is worked on, mostly. */
export const inputs = ['Please do it.', 'Thank you.'] as const

/**
 * `rerun`: a tool that charges says that it may run again. `abandoned`: nobody looks for what a dead worker left.
 * `dropped`: a prompt without the first results of its tools.
 */
export const plants = ['rerun', 'abandoned', 'dropped'] as const
export type Plant = (typeof plants)[number] | ''

export interface PlayerTask {
  file: string
  /** Where the tools leave a line for each of their effects. */
  effects: string
  baseUrl: string
  wire: WireName
  /** Sessions to play to their end, at once. */
  sessions: readonly string[]
  /** How far its clock is before that of the first player. */
  aheadMs: number
  ttlMs: number
  /** How often it looks for what others left; 0: once, at its start. */
  pollMs: number
  /** Dies at the step of this name. */
  death?: { step: string; side: 'before' | 'after' }
  /** A store that lets go of the fence. */
  fenceless?: true
  planted: Plant
}

/** A write of a worker under its epoch: a commit with the seq of its last event, or text of a draft. */
export interface HeldWrite {
  session: string
  epoch: number
  /** When it began and when it was answered, in nanoseconds of the monotonic clock, which all processes share. */
  begun: string
  answered: string
  isRefused: boolean
  seq?: number
}

export type PlayerReport =
  | { ready: true }
  /** A durable step was done. */
  | { step: string }
  | { dying: string }
  /** Sessions with a run under way that nobody holds, once what was left was looked for. */
  | { unheld: readonly string[] }
  | { held: HeldWrite }
  /** A session did not come to rest. */
  | { stuck: string }
  | { done: true }
