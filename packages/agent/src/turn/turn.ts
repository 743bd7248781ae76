/** One run as this process works on it. */
import type { ContextState, HeldRun, HostCommand, SuspendedRun, UnseenSession } from '@holdfast/core'
import type { PromptBlock, PromptSnapshot, QuestionInput, Session } from '@holdfast/protocol'
import { LoopWatch } from '../budget/loop.ts'
import { WallClock } from '../budget/wall-clock.ts'
import type { KeptPrompt } from '../context/kept-prompt.ts'
import type { Agent } from '../define/agent.ts'
import type { CallResult } from '../tools/plan-call.ts'
import { HaltSwitch } from './halt.ts'
import type { OpenCall, Standing } from './standing.ts'
import type { World } from './world.ts'

export interface ForcedCompaction {
  instructions?: string
  /** Called when a compaction succeeded. */
  done(): void
}

export class Turn {
  readonly world: World
  readonly agent: Agent
  readonly session: UnseenSession
  readonly run: HeldRun
  readonly halting = new HaltSwitch()
  /** Rounds that began in this run. */
  rounds = 0
  /** A round began, and its model was not asked yet. */
  isRoundOpen = false
  /** Somebody said that calls without a known price may be made. */
  mayBeUnpriced = false
  wasUnpriced = false
  /** Calls of the round under way that have no result yet, in call order. */
  open: OpenCall[] = []
  /** Somebody asked for a compaction. It is never written anywhere. */
  forced: ForcedCompaction | undefined
  /** Tokens below which no compaction is tried, after one failed. */
  compactFrom = 0
  /** Input that steers the run and was not taken in yet. */
  steering = 0
  /** Input waits, or did: when the run ends there may be another to begin. */
  hasWaiting = false
  /** Answers that were evaluated in this turn. */
  goalSteps = 0
  readonly loop: LoopWatch
  /** To be told to the model with the results of the round. */
  warning: string | undefined
  /** The session as it was last read; undefined when it changed since. */
  record: Session | undefined
  /** The conversation as it was last sent. */
  kept: KeptPrompt | undefined
  /** Made once for a turn, with its blocks and that of the tools. */
  prompt: PromptSnapshot | undefined
  systemBlocks: readonly PromptBlock[] | undefined
  /** The context as the last call left it. */
  before: ContextState | undefined
  /** Of another session, that waits for it. */
  isChild = false
  /** It rests until its children end; they may have, before it did. */
  waitsForChildren = false
  /** Results of calls that were closed before they came. */
  readonly late: Promise<CallResult & { callId: string }>[] = []

  readonly wall: WallClock
  /** What was found of a run that others began. */
  readonly standing: Standing | undefined
  /** Where the log stood when the run was taken. */
  readonly seq: number

  /** Of a run that just began, with its first round, all that is known is where the log stood. */
  constructor(world: World, agent: Agent, run: HeldRun, standing: Standing | { seq: number }) {
    this.world = world
    this.agent = agent
    this.session = world.holdfast.sessions.at(run.sessionId)
    this.run = run
    this.seq = standing.seq
    this.standing = 'open' in standing ? standing : undefined
    this.loop = new LoopWatch('open' in standing ? standing.calls : [])
    this.wall = new WallClock(() => world.now(), 'open' in standing ? standing.workedMs : 0)
    if (!('open' in standing)) {
      this.roundBegan()
      return
    }
    this.rounds = standing.rounds
    this.open = standing.open
    this.isRoundOpen = standing.attemptLost
    this.mayBeUnpriced = standing.mayBeUnpriced
    this.hasWaiting = standing.hasWaiting
    if (standing.stopRequested) this.halting.pull({ why: 'stop' })
  }

  /** As the worker of the run. */
  write(commands: readonly HostCommand[]): Promise<unknown> {
    return this.run.batch(commands)
  }

  askToCompact(instructions: string | undefined, done: () => void = () => undefined): void {
    this.forced = { done, ...(instructions !== undefined && { instructions }) }
  }

  compactionDone(): void {
    this.forced?.done()
    this.forced = undefined
  }

  roundBegan(): void {
    this.rounds += 1
    this.steering = 0
    this.isRoundOpen = true
  }

  /** Leaves the run to whoever finds that a child has ended. */
  async waitForChildren(waitFor: 'all' | 'any' | 'first_error'): Promise<void> {
    await this.run.batch([{ type: 'suspendRun', reason: 'children', waitFor }])
    this.waitsForChildren = true
  }

  /** Asks, and leaves the run to whoever finds it answered. */
  async ask(question: QuestionInput): Promise<SuspendedRun> {
    if (this.run.state === 'finalizing')
      throw new Error(`run ${this.run.runId} is finalizing and asks nothing`)
    return this.run.ask(question as Parameters<typeof this.run.ask>[0])
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

/** The round before is completed in the commit that begins the next one. */
export function nextRound({ run }: Turn): HostCommand[] {
  const { roundId } = run as { roundId?: string }
  return [...(roundId === undefined ? [] : [{ type: 'completeRound' } as const]), { type: 'startRound' }]
}
