/** Which events hold erased content without being asked for: what we made from it ourselves, or copied. */
import { type EventData, isErased } from '@holdfast/protocol'
import type { FoldEvent } from '../session/state.ts'

/** Is shown the events in the order of the log, from the lowest one that is to be erased on. */
export class DerivedEvents {
  readonly #places: ReadonlySet<number>
  readonly #calls = new Set<string>()
  readonly #questions = new Set<string>()
  /** Items of the task list whose texts go; `all` after the list itself. */
  #tasks: Set<string> | 'all' = new Set()

  /** `places`: where the erased events stand in the view. */
  constructor(places: ReadonlySet<number>) {
    this.#places = places
  }

  /** Whether the event goes: it was chosen, or holds what goes. */
  goes(event: FoldEvent, isChosen: boolean): boolean {
    const goes = isChosen || (!isErased(event) && this.#holdsErased(event))
    if (goes) this.#note(event)
    else if (event.type === 'task.list_set') this.#tasks = new Set()
    return goes
  }

  #holdsErased({ type, data }: FoldEvent): boolean {
    switch (type) {
      case 'compaction.applied': {
        const { from, to } = data as EventData<'compaction.applied'>
        return [...this.#places].some((seq) => from <= seq && seq <= to)
      }
      case 'session.renamed':
        return (data as EventData<'session.renamed'>).automatic
      case 'note.added': {
        const { callId } = data as EventData<'note.added'>
        return callId !== undefined && this.#calls.has(callId)
      }
      // The whole item as it then stood, with what it had before.
      case 'task.updated':
        return this.#tasks === 'all' || this.#tasks.has((data as EventData<'task.updated'>).itemId)
      // With the answer that the question itself had ready.
      case 'question.expired': {
        const { questionId, answer } = data as EventData<'question.expired'>
        return answer !== undefined && this.#questions.has(questionId)
      }
      default:
        return false
    }
  }

  #note(event: FoldEvent): void {
    const { type, data } = event
    if (type === 'tool.finished') this.#calls.add((data as EventData<'tool.finished'>).callId)
    if (type === 'question.asked') this.#questions.add((data as EventData<'question.asked'>).questionId)
    // Of an item that was erased before it is not known any more which one it is.
    if (type === 'task.list_set' || (type === 'task.updated' && isErased(event))) this.#tasks = 'all'
    else if (type === 'task.updated' && this.#tasks !== 'all')
      this.#tasks.add((data as EventData<'task.updated'>).itemId)
  }
}
