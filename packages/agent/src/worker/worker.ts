/** The turns that this process works on: each with its lease kept and its log watched. */
import type { HeldRun } from '@holdfast/core'
import type { PromptSnapshot } from '@holdfast/protocol'
import { drive } from '../turn/drive.ts'
import type { Halt } from '../turn/halt.ts'
import { Turn } from '../turn/turn.ts'
import type { World } from '../turn/world.ts'
import { claim } from './claim.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { watchParent } from './watch-parent.ts'
import { watchRun } from './watch-run.ts'

/** Of what is due, in one look. */
const dueAtOnce = 200
const mostPages = 5
/** Sessions that are taken on at the same time in one look. */
const claimedAtOnce = 8

export class Worker {
  readonly #world: World
  readonly #turns = new Map<string, { turn: Turn; done: Promise<void> }>()
  #isClosing = false
  /** How many stay due for others before the place where the next look goes on. */
  #passed = 0

  constructor(world: World) {
    this.#world = world
  }

  /** Nothing more is taken on. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Sessions that are worked on here. */
  get busy(): number {
    return this.#turns.size
  }

  /** Works on a run that this process holds, until it ends, is suspended or is lost. */
  take(turn: Turn): void {
    const { sessionId } = turn.run
    const before = this.#turns.get(sessionId)?.done
    const done = this.#work(turn, before).catch((error: unknown) => this.#world.onError(error, sessionId))
    this.#turns.set(sessionId, { turn, done })
    if (this.#isClosing) turn.halting.pull({ why: 'shutdown' })
  }

  /** The same for the run of a child, which just began with its first round. */
  begin(agentId: string, run: HeldRun, seq: number): void {
    const agent = this.#world.agents.get(agentId)
    if (!agent) return
    const turn = new Turn(this.#world, agent, run, { seq })
    turn.isChild = true
    this.take(turn)
  }

  /** Whether there was something to do for the session here. */
  async claim(sessionId: string): Promise<boolean> {
    if (this.#isClosing) return false
    const claimed = await claim(this.#world, sessionId)
    if (!claimed) return false
    if ('turn' in claimed) this.take(claimed.turn)
    else await this.claim(claimed.parent)
    return true
  }

  /** The system prompt of the turn that is worked on here. */
  promptOf(sessionId: string): PromptSnapshot | undefined {
    return this.#turns.get(sessionId)?.turn.prompt
  }

  /** Resolves to true when a compaction succeeded, to false when the turn ended before; undefined: it is not worked on here. */
  askToCompact(sessionId: string, instructions: string | undefined): Promise<boolean> | undefined {
    const work = this.#turns.get(sessionId)
    if (!work) return undefined
    const { promise, resolve } = Promise.withResolvers<boolean>()
    work.turn.askToCompact(instructions, () => resolve(true))
    return Promise.race([promise, work.done.then(() => false)])
  }

  /** Everything that is due, as far as it is nobody else's; of much that stays due for others, a stretch in each look. */
  async claimDue(): Promise<void> {
    for (let page = 0; page < mostPages; page++) {
      const due = await this.#world.holdfast.sessions.listDue({ limit: dueAtOnce, skip: this.#passed })
      const left = due.values()
      await Promise.all(Array.from({ length: claimedAtOnce }, () => this.#claimFrom(left)))
      if (this.#isClosing) return
      if (due.length < dueAtOnce) {
        this.#passed = 0
        return
      }
    }
  }

  /** Takes nothing more on, and leaves what is under way to others. */
  leave(halt: Halt): void {
    this.#isClosing = true
    for (const { turn } of this.#turns.values()) turn.halting.pull(halt)
  }

  /** Takes nothing more on. */
  close(): void {
    this.#isClosing = true
  }

  /** Resolves when nothing is worked on. */
  async idle(): Promise<void> {
    while (this.#turns.size > 0) await Promise.all([...this.#turns.values()].map(({ done }) => done))
  }

  /** One session's trouble never hides another's turn. */
  async claimSafely(sessionId: string): Promise<boolean> {
    try {
      return await this.claim(sessionId)
    } catch (error) {
      this.#world.onError(error, sessionId)
      return false
    }
  }

  /** Takes one after the other from what others take from too: a session that takes long holds up none but itself. */
  async #claimFrom(left: Iterable<string>): Promise<void> {
    for (const sessionId of left) {
      if (this.#isClosing) return
      if (!(await this.claimSafely(sessionId))) this.#passed += 1
    }
  }

  async #work(turn: Turn, before: Promise<void> | undefined): Promise<void> {
    await before
    const { leaseTtlMs: ttlMs, now } = this.#world
    const watching = new AbortController()
    const lease = new LeaseKeeper(turn.run, { ttlMs, now, onLost: () => turn.halting.pull({ why: 'lost' }) })
    const watched = Promise.all([watchRun(turn, watching.signal), watchParent(turn, watching.signal)]).catch(
      (error: unknown) => this.#world.onError(error, turn.run.sessionId),
    )
    try {
      await drive(turn)
    } finally {
      lease.end()
      watching.abort()
      await watched
      const { sessionId } = turn.run
      if (this.#turns.get(sessionId)?.turn === turn) this.#turns.delete(sessionId)
      this.#keepLate(turn)
      if (await this.#mayGoOn(turn)) await this.claimSafely(sessionId)
    }
  }

  /** Whether there may be more to do at once: what waits for the end of the run, or what its own wait ended with. */
  #mayGoOn(turn: Turn): boolean | Promise<boolean> {
    return turn.waitsForChildren ? this.#isDue(turn.run.sessionId) : turn.hasWaiting || turn.isChild
  }

  /** A parent is due at once when a child ended just as it came to rest. */
  async #isDue(sessionId: string): Promise<boolean> {
    try {
      for (let page = 0; page < mostPages; page++) {
        const due = await this.#world.holdfast.sessions.listDue({ limit: dueAtOnce, skip: page * dueAtOnce })
        if (due.includes(sessionId)) return true
        if (due.length < dueAtOnce) return false
      }
    } catch (error) {
      this.#world.onError(error, sessionId)
    }
    return false
  }

  #keepLate(turn: Turn): void {
    for (const coming of turn.late) void this.#noteLate(turn, coming)
  }

  /** The session may have ended meanwhile. */
  async #noteLate({ session, run }: Turn, coming: Turn['late'][number]): Promise<void> {
    try {
      const { callId, ...data } = await coming
      await session.addNote({ kind: 'late_tool_result', callId, data })
    } catch (error) {
      this.#world.onError(error, run.sessionId)
    }
  }
}
