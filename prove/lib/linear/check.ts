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
  apply(state: State, op: Op): readonly State[]
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
  return search.from(model.initial, 0, 0) ? undefined : search.stuck
}

class Search<State, Op> {
  readonly #history: readonly Recorded<Op>[]
  readonly #model: Model<State, Op>
  readonly #answered: number
  readonly #isPlaced: boolean[]
  readonly #seen = new Set<string>()
  stuck: Stuck<Op> = { placed: -1, next: [] }

  constructor(history: readonly Recorded<Op>[], model: Model<State, Op>) {
    this.#history = history.toSorted((a, b) => a.begin - b.begin)
    this.#model = model
    this.#answered = history.filter(({ end }) => end !== undefined).length
    this.#isPlaced = this.#history.map(() => false)
  }

  /** `low`: all before it are placed. `count`: how many of the answered ones are. */
  from(state: State, low: number, count: number): boolean {
    if (count === this.#answered) return true
    const first = this.#isPlaced.indexOf(false, low)
    const { next, placed } = this.#look(first)
    const key = `${first} ${placed} ${this.#model.digest(state)}`
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    for (const place of next) if (this.#place(place, state, { first, count })) return true
    if (count > this.stuck.placed)
      this.stuck = { placed: count, next: next.map((place) => this.#at(place).op) }
    return false
  }

  #place(place: number, state: State, { first, count }: { first: number; count: number }): boolean {
    const recorded = this.#at(place)
    const after = count + (recorded.end === undefined ? 0 : 1)
    this.#isPlaced[place] = true
    const found = this.#model.apply(state, recorded.op).some((left) => this.from(left, first, after))
    this.#isPlaced[place] = false
    return found
  }

  /** What began before anything that is not placed had ended: those of it that may be next, and which are placed. */
  #look(first: number): { next: number[]; placed: string } {
    const next: number[] = []
    let placed = ''
    let firstEnd = Number.POSITIVE_INFINITY
    for (let place = first; place < this.#history.length; place++) {
      const { begin, end = Number.POSITIVE_INFINITY } = this.#at(place)
      if (begin > firstEnd) break
      placed += this.#isPlaced[place] ? '1' : '0'
      if (this.#isPlaced[place]) continue
      next.push(place)
      firstEnd = Math.min(firstEnd, end)
    }
    // What ended first is tried first, what never did last.
    return { next: next.sort((a, b) => this.#endOf(a) - this.#endOf(b)), placed }
  }

  #at(place: number): Recorded<Op> {
    return this.#history[place] as Recorded<Op>
  }

  #endOf(place: number): number {
    return this.#at(place).end ?? Number.MAX_SAFE_INTEGER
  }
}

/** Adds a text to a running hash: digests of a growing log stay short. */
export function chain(hash: number, text: string): number {
  let mixed = hash
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193)
  return mixed >>> 0
}
