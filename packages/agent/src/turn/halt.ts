import type { LimitReached } from '../budget/limit.ts'

/** Why a turn is to stop before its end: it is the reason of the turn's abort signal. */
export type Halt =
  /** Somebody asked the run to stop. */
  | { why: 'stop'; reason?: string }
  /** Another worker has the run, or may have it: nothing may be written any more. */
  | { why: 'lost' }
  /** This process goes: the run is left for another worker. */
  | { why: 'shutdown' }
  /** Its time is up. */
  | { why: 'limit'; reached: LimitReached }

/** Thrown out of work that the signal of a turn ended. */
export class Halted extends Error {
  override readonly name = 'Halted'
  readonly halt: Halt

  constructor(halt: Halt) {
    super(`the turn was halted: ${halt.why}`)
    this.halt = halt
  }
}

/** One halt for each turn; a lost lease goes before everything else. */
export class HaltSwitch {
  readonly #controller = new AbortController()
  #halt: Halt | undefined

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get halt(): Halt | undefined {
    return this.#halt
  }

  pull(halt: Halt): void {
    if (this.#halt === undefined || halt.why === 'lost') this.#halt = halt
    this.#controller.abort(new Halted(halt))
  }

  /** Throws once the turn is to stop. */
  check(): void {
    if (this.#halt) throw new Halted(this.#halt)
  }
}
