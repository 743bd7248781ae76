/** The compactions that a writer has to write, and what stands in the context beside each summary. */
import { isKnown, type Message, type SessionEvent } from '@holdfast/protocol'
import type { ExportedSession } from './contract.ts'
import { eventsOf } from './messages-of.ts'

/** `from` and `to` are the seqs that the summary stands for, both included; `seq` is its event's. */
export interface Place {
  from: number
  to: number
  seq: number
}

/** In their order, without those that a cut of the path took away. Sessions without one are not read. */
export async function compactionsOf(session: ExportedSession): Promise<Place[]> {
  const { compactions } = await session.view()
  const made = new MadeCompactions()
  if (compactions.length > 0) for await (const event of eventsOf(session)) made.read(event)
  return made.places
}

class MadeCompactions {
  places: Place[] = []
  /** By the seq of the undo that took them away. */
  readonly #undone = new Map<number, Place[]>()

  read({ seq, ...event }: SessionEvent): void {
    const known = { seq, ...event }
    if (isKnown(known, 'compaction.applied')) {
      const { from, to } = known.data
      this.places.push({ from, to, seq })
    } else if (isKnown(known, 'message.truncated') || isKnown(known, 'message.edited'))
      this.#cut(seq, known.data.keepThrough)
    else if (isKnown(known, 'message.restored')) this.#restore(known.data.undoSeq)
  }

  #cut(seq: number, keepThrough: number): void {
    this.#undone.set(
      seq,
      this.places.filter(({ to }) => to > keepThrough),
    )
    this.places = this.places.filter(({ to }) => to <= keepThrough)
  }

  /** What was made after the undo goes with what it was made of. */
  #restore(undoSeq: number): void {
    const standing = this.places.filter(({ to }) => to < undoSeq)
    const back = this.#undone.get(undoSeq) ?? []
    this.places = [...standing, ...back].sort((a, b) => a.seq - b.seq)
  }
}

interface Kept<T> {
  place: number
  isProtected: boolean
  value: T
}

/** Memory holds what stands at the next compaction; once the last one was written, nothing. */
export class Standing<T> {
  readonly #places: readonly Place[]
  #kept: Kept<T>[] = []
  #isCallProtected = false

  constructor(places: readonly Place[]) {
    this.#places = places
  }

  /** In the order of the log. A result stays with its call. */
  add({ seq, role, neverCompress = false }: Message, value: T): void {
    if (role !== 'tool') this.#isCallProtected = neverCompress || role === 'system'
    const isProtected = this.#isCallProtected
    this.#add({ place: seq, isProtected, value })
  }

  /** Undefined: this one is not to be written. `before` stands in the context before the summary, `after` behind it. */
  at(seq: number, summary: T): { before: T[]; after: T[] } | undefined {
    const made = this.#places.find((place) => place.seq === seq)
    if (!made) return undefined
    const standing = this.#kept.filter((kept) => !isCovered(kept, made))
    const before = standing.filter(({ place }) => place < made.from).map(({ value }) => value)
    const after = standing.filter(({ place }) => place >= made.from).map(({ value }) => value)
    this.#kept = []
    for (const kept of standing) this.#add(kept, seq)
    this.#add({ place: made.from, isProtected: false, value: summary }, seq)
    this.#kept.sort((a, b) => a.place - b.place)
    return { before, after }
  }

  #add(kept: Kept<T>, now = kept.place): void {
    const next = this.#places.find(({ seq }) => seq > now)
    if (next && !isCovered(kept, next)) this.#kept.push(kept)
  }
}

function isCovered({ place, isProtected }: Kept<unknown>, { from, to }: Place): boolean {
  return !isProtected && from <= place && place <= to
}
