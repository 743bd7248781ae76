/** Deaths one after another on one file, each seen to by a worker that has seen nothing of what was done before. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { Child } from '../child.ts'
import { inputs, type Plant, type PlayerReport, type PlayerTask, type WireName, wireNames } from './task.ts'
import { type TurnFaults, turnFaults } from './turn-audit.ts'

export interface LaneTerms {
  /** Path of its files, without their endings. */
  place: string
  baseUrl: string
  planted: Plant
  blame(kind: keyof TurnFaults | 'left running', found: readonly string[]): void
}

type Player = Child<PlayerReport>
export type Point = NonNullable<PlayerTask['death']>

const ttlMs = 30_000

/** A file of its own, with a player that is not killed and sees to what the others leave. */
export class Lane {
  readonly #terms: LaneTerms
  readonly #store: Store
  readonly #survivor = start()
  #next = start()
  #deaths = 0
  #wire = 0

  static async open(terms: LaneTerms): Promise<Lane> {
    return new Lane(terms, await sqlite(`${terms.place}.db`).open({}))
  }

  private constructor(terms: LaneTerms, store: Store) {
    this.#terms = terms
    this.#store = store
  }

  async close(): Promise<void> {
    await this.#store.close()
    for (const player of [this.#survivor, this.#next]) player.kill()
  }

  /** Whether it came to its point. */
  async playToDeath(sessions: readonly string[], death: Point): Promise<boolean> {
    const player = this.#begin(sessions, { death })
    let hasDied = false
    for await (const report of told(player)) {
      if ('dying' in report) hasDied = true
      if ('done' in report) break
    }
    await this.#bury(player)
    return hasDied
  }

  /** Whether it was killed before it was done. */
  async playUntilKilled(sessions: readonly string[], steps: number, laterMs: number): Promise<boolean> {
    const player = this.#begin(sessions)
    let left = steps
    let isDone = false
    for await (const report of told(player)) {
      if ('done' in report) isDone = true
      // One step may be a step of several sessions.
      if ('step' in report) left -= report.step.split(' | ').length
      if (isDone || left < 0) break
    }
    if (!isDone) await sleep(laterMs)
    await this.#bury(player)
    return !isDone
  }

  /** To the end, by a worker that has seen nothing of it; then looks at what there is. The steps that it took. */
  async playOut(sessions: readonly string[]): Promise<string[]> {
    const player = this.#survivor
    player.send(this.#task(sessions))
    const steps: string[] = []
    for (let report = await player.require(); !('done' in report); report = await player.require()) {
      if ('step' in report) steps.push(report.step)
      if ('unheld' in report) this.#terms.blame('left running', report.unheld)
      if ('stuck' in report) this.#terms.blame('left running', [report.stuck])
    }
    for (const session of sessions) await this.#audit(session)
    this.#wire += 1
    return steps
  }

  #begin(sessions: readonly string[], more: Partial<PlayerTask> = {}): Player {
    const player = this.#next
    this.#next = start()
    player.send({ ...this.#task(sessions), ...more })
    return player
  }

  /** Each death is two leases long ago for the next process. */
  #task(sessions: readonly string[]): PlayerTask {
    const { place, baseUrl, planted } = this.#terms
    const wire = wireNames[this.#wire % wireNames.length] as WireName
    return {
      ...{ file: `${place}.db`, effects: `${place}.effects`, baseUrl, wire, sessions, planted },
      ...{ aheadMs: this.#deaths * 2 * ttlMs, ttlMs, pollMs: 0 },
    }
  }

  async #bury(player: Player): Promise<void> {
    this.#deaths += 1
    player.kill()
    for await (const report of told(player))
      if ('stuck' in report) this.#terms.blame('left running', [report.stuck])
    if ((await player.end()) !== 'SIGKILL' || player.errors) this.#terms.blame('wrong', [player.errors])
  }

  async #audit(session: string): Promise<void> {
    const effects = `${this.#terms.place}.effects`
    const found = await turnFaults(this.#store, { session, inputs: inputs.length, effects })
    for (const kind of ['ran twice', 'ends amiss', 'wrong'] as const) this.#terms.blame(kind, found[kind])
  }
}

function start(): Player {
  return new Child(new URL('./player.ts', import.meta.url))
}

async function* told(player: Player): AsyncGenerator<PlayerReport> {
  for (let report = await player.next(); report; report = await player.next()) yield report
}
