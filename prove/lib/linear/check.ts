/**
 * Is there one order of the operations that respects time and that a plain sequential machine would have answered the
 * same? The search of Wing and Gong, with Lowe's memory of what was tried: a set of placed operations and the state that
 * they led to are looked at once.
 */

/** An operation as its client saw it. */
export interface Recorded<Op> {
  op: Op
  /** Nanoseconds of one clock. An operation that ended before another began comes before it. */
  begin: number
  /** Absent: no answer came. It may have taken effect at any time from then on, or never. */
  end?: number
}

/** A sequential machine. */
export interface Model<State, Op> {
  initial: State
  /**
   * The states that the operation may leave, given the answer it had; none: it cannot have had that answer here. Without
   * an answer: what it may leave behind.
   */
  apply(state: State, op: Op, recorded: Recorded<Op>): readonly State[]
  /** Equal for equal states. */
  digest(state: State): string
}

/** Nothing, or where the longest order ended: how many were placed, and what could come next but did not fit. */
export interface Stuck<Op> {
  placed: number
  next: Op[]
}

export function whyNotLinear<State, Op>(
  history: readonly Recorded<Op>[],
  model: Model<State, Op>,
): Stuck<Op> | undefined {
  const search = new Search(history, model)
  return search.from(model.initial, 0n, 0) ? undefined : search.stuck
}

class Search<State, Op> {
  readonly #history: readonly Recorded<Op>[]
  readonly #model: Model<State, Op>
  readonly #answered: number
  readonly #seen = new Set<string>()
  stuck: Stuck<Op> = { placed: -1, next: [] }

  constructor(history: readonly Recorded<Op>[], model: Model<State, Op>) {
    this.#history = [...history].sort((a, b) => a.begin - b.begin)
    this.#model = model
    this.#answered = history.filter(({ end }) => end !== undefined).length
  }

  /** `placed`: one bit for each operation; `count`: how many of the answered ones that are. */
  from(state: State, placed: bigint, count: number): boolean {
    if (count === this.#answered) return true
    const key = `${placed.toString(36)} ${this.#model.digest(state)}`
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    const next = this.#mayBeNext(placed)
    for (const place of next) {
      const recorded = this.#history[place] as Recorded<Op>
      const after = count + (recorded.end === undefined ? 0 : 1)
      for (const left of this.#model.apply(state, recorded.op, recorded))
        if (this.from(left, placed | (1n << BigInt(place)), after)) return true
    }
    if (count > this.stuck.placed)
      this.stuck = { placed: count, next: next.map((place) => (this.#history[place] as Recorded<Op>).op) }
    return false
  }

  /** What began before anything that is not placed had ended; what ended first is tried first, what never did last. */
  #mayBeNext(placed: bigint): number[] {
    const next: number[] = []
    let firstEnd = Number.POSITIVE_INFINITY
    for (const [place, { begin, end = Number.POSITIVE_INFINITY }] of this.#history.entries()) {
      if (begin > firstEnd) break
      if ((placed >> BigInt(place)) & 1n) continue
      next.push(place)
      firstEnd = Math.min(firstEnd, end)
    }
    return next.sort((a, b) => this.#endOf(a) - this.#endOf(b))
  }

  #endOf(place: number): number {
    return this.#history[place]?.end ?? Number.MAX_SAFE_INTEGER
  }
}

/** Adds a text to a running hash: digests of a growing log stay short. */
export function chain(hash: number, text: string): number {
  let mixed = hash
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193)
  return mixed >>> 0
}
