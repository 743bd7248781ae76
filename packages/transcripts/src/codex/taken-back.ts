/** What was taken back, by a user of Codex or of Holdfast: it is in the log of a session still, and not on its visible path. */
import { isKnown, type SessionEvent } from '@holdfast/protocol'
import type { ExportedSession } from '../contract.ts'
import { positionKind } from '../imported-session.ts'
import { eventsOf } from '../messages-of.ts'
import { objectOf } from '../openai-responses/items.ts'
import { tellsOfTurn } from './prompts.ts'
import { turnsBackIn } from './rolled-back.ts'

/** Seqs, both included. */
interface Stretch {
  from: number
  to: number
}

/** Must be asked in the order of the log. */
export class TakenBack {
  readonly #stretches: readonly Stretch[]
  #next = 0

  constructor(stretches: readonly Stretch[]) {
    this.#stretches = stretches
  }

  static async of(session: ExportedSession): Promise<TakenBack> {
    const cuts = new Cuts()
    for await (const event of eventsOf(session)) cuts.read(event)
    return new TakenBack(cuts.stretches)
  }

  has(seq: number): boolean {
    while ((this.#stretches[this.#next]?.to ?? seq) < seq) this.#next += 1
    const stretch = this.#stretches[this.#next]
    return stretch !== undefined && stretch.from <= seq
  }
}

class Cuts {
  /** In their order; none is in another. */
  stretches: Stretch[] = []
  readonly #beforeUndo = new Map<number, Stretch[]>()
  /** Where a turn is told of, or something is said. */
  readonly #begins: number[] = []
  #isOpen = false
  /** Cut by the event before this one: by an import that reads an open turn again, unless Codex says why. */
  #unsure: Stretch | undefined

  read(event: SessionEvent): void {
    const unsure = this.#unsure
    this.#unsure = undefined
    if (beginsTurn(event)) this.#begins.push(event.seq)
    if (isKnown(event, 'message.edited')) this.#cut(stretchCutBy(event.seq, event.data))
    else if (isKnown(event, 'message.truncated')) {
      const stretch = stretchCutBy(event.seq, event.data)
      if (event.data.mode === 'undo') this.#beforeUndo.set(event.seq, [...this.stretches])
      else if (this.#isOpen) this.#unsure = stretch
      if (!this.#unsure) this.#cut(stretch)
    } else if (isKnown(event, 'message.restored')) this.#restore(event.data.undoSeq, event.seq)
    else if (isKnown(event, 'note.added')) {
      const data = objectOf(event.data.data) ?? {}
      if (unsure && event.data.kind === 'codex.line' && turnsBackIn(data) > 0) this.#cut(unsure)
      if (event.data.kind === positionKind) this.#isOpen = data.open === true
    }
  }

  /** What comes before the first turn in it is of the turn before: it was written after an import had read that one. */
  #cut({ from, to }: Stretch): void {
    while ((this.stretches.at(-1)?.from ?? 0) >= from) this.stretches.pop()
    let first = to + 1
    while ((this.#begins.at(-1) ?? 0) >= from) first = this.#begins.pop() ?? first
    this.stretches.push({ from: first, to })
  }

  /** What came after the undo goes in its place. */
  #restore(undoSeq: number, seq: number): void {
    const before = this.#beforeUndo.get(undoSeq)
    if (before) this.stretches = [...before, { from: undoSeq, to: seq - 1 }]
  }
}

function beginsTurn(event: SessionEvent): boolean {
  if (isKnown(event, 'message.appended')) return true
  if (!isKnown(event, 'note.added') || event.data.kind !== 'codex.line') return false
  return tellsOfTurn(objectOf(event.data.data) ?? {})
}

function stretchCutBy(seq: number, { keepThrough }: { keepThrough: number }): Stretch {
  return { from: keepThrough + 1, to: seq - 1 }
}
