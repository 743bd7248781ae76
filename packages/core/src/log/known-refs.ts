/**
 * Every ref of a session that this process began, for as long as nobody else writes to it: whether an id was used is then
 * known without a read, where a commit of many messages asks for each of their ids. Bounded for each session, and together
 * with the tails for all. They may be behind another process as the cached head is: a commit that rests on them then fails, and
 * a refusal is believed only on a head that was read for it.
 */
import type { Ref } from '../session/projections.ts'
import type { Forgetful, TailMemory } from './tail-memory.ts'

/** About what a ref takes beside its id, in characters. */
const unitsOfRef = 192

/** Of one session: some five thousand refs. */
const mostUnits = 1024 * 1024

export class KnownRefs implements Forgetful {
  readonly #memory: TailMemory
  #seqs: Map<string, number[]> | undefined = new Map()
  #units = 0
  /** Seq of the last event whose refs are here, durable or decided. */
  #through = 0

  constructor(memory: TailMemory) {
    this.#memory = memory
  }

  add(refs: readonly Ref[], through: number): void {
    this.#through = through
    if (!this.#seqs || refs.length === 0) return
    for (const { kind, id, seq } of refs) {
      const name = nameOf(kind, id)
      const seqs = this.#seqs.get(name)
      if (seqs) seqs.push(seq)
      else this.#seqs.set(name, [seq])
      this.#units += id.length + unitsOfRef
    }
    if (this.#units > mostUnits) this.letGo()
    else this.#memory.holds(this, this.#units)
  }

  /** All of them of a log that ends with `seq`. */
  isOf(seq: number): boolean {
    return this.#seqs !== undefined && this.#through === seq
  }

  /** In the order of the log; undefined when they were let go. */
  seqsOf(kind: string, id: string): readonly number[] | undefined {
    return this.#seqs && (this.#seqs.get(nameOf(kind, id)) ?? [])
  }

  letGo(): void {
    this.#seqs = undefined
    this.#units = 0
    this.#memory.holds(this, 0)
  }
}

function nameOf(kind: string, id: string): string {
  return `${kind} ${id}`
}
