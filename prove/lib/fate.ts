/**
 * What a forgetting must take, and what it may take along, told from what was written where. A file's note goes with
 * the last event that shows the file, and what was made after it with the note: whether that is so is not judged here,
 * so what hangs on it may go and need not.
 */
import type { Canary, Spot } from './canaries.ts'
import type { CanaryStore, File } from './canary-store.ts'
import type { Forgetting } from './forgetting.ts'

type Events = readonly { session: string; seq: number }[]

export class Fate {
  readonly #store: CanaryStore
  readonly deleted: ReadonlySet<string>
  readonly #erased: Erased
  readonly #perhaps: Erased

  /** `pruned`: what a dry run named. */
  constructor(store: CanaryStore, all: readonly Forgetting[], pruned: readonly string[]) {
    this.#store = store
    this.deleted = new Set([...pruned, ...deletedBy(store, all)])
    this.#erased = new Erased(store)
    this.#perhaps = new Erased(store)
    for (const events of [this.#erased, this.#perhaps]) events.add(erasedBy(store, all))
    const touched = store.files.filter(({ shownBy, session, note }) => {
      return [...shownBy, { session, seq: note }].some((event) => this.#isGone({ ...event }, this.#erased))
    })
    this.#perhaps.add(touched.map(({ session, note }) => ({ session, seq: note })))
  }

  isGone(canary: Canary): boolean {
    return !this.#mayRest(canary) && this.#areGone(spotsOf(this.#store, canary), this.#erased)
  }

  mayBeGone(canary: Canary): boolean {
    return this.#areGone(spotsOf(this.#store, canary), this.#perhaps)
  }

  /** Deleting a fork writes nothing to its source: a file that it alone showed stays with the note there. */
  #mayRest(canary: Canary): boolean {
    const file = fileOf(this.#store, canary)
    if (!file || this.deleted.has(file.session)) return false
    return file.shownBy.some(({ session }) => this.deleted.has(session))
  }

  #areGone(spots: readonly Spot[], erased: Erased): boolean {
    return spots.every((spot) => this.#isGone(spot, erased))
  }

  #isGone({ session, seq, from, to, copied }: Spot, erased: Erased): boolean {
    if (this.deleted.has(session)) return true
    if (seq !== undefined && erased.has(session, seq, seq)) return true
    if (copied && erased.has(copied.session, copied.seq, copied.seq)) return true
    return from !== undefined && to !== undefined && erased.has(session, from, to)
  }
}

/** A file lives as long as an event shows it; one that none ever showed, as long as its note. */
function spotsOf(store: CanaryStore, canary: Canary): readonly Spot[] {
  const file = fileOf(store, canary)
  if (!file) return canary.spots
  return file.shownBy.length > 0 ? file.shownBy : [{ session: file.session, seq: file.note }]
}

function fileOf({ files }: CanaryStore, canary: Canary): File | undefined {
  return files.find(({ bytes, name }) => bytes === canary || name === canary)
}

/** Seqs as a session reads them, through its segments. */
class Erased {
  readonly #store: CanaryStore
  readonly #seqs: { session: string; seq: number }[] = []

  constructor(store: CanaryStore) {
    this.#store = store
  }

  /** Each by a session that reads it. */
  add(events: Events): void {
    for (const { session, seq } of events) this.#seqs.push({ session: this.#ownerOf(session, seq), seq })
  }

  has(session: string, from: number, to: number): boolean {
    return this.#seqs.some((one) => {
      return from <= one.seq && one.seq <= to && this.#ownerOf(session, one.seq) === one.session
    })
  }

  #ownerOf(session: string, seq: number): string {
    const segments = this.#store.segments.get(session) ?? []
    return segments.find(({ from, to }) => from <= seq && seq <= to)?.session ?? session
  }
}

function erasedBy(store: CanaryStore, all: readonly Forgetting[]): Events {
  return all.flatMap((one) => {
    if (one.do === 'erase') return one.seqs.map((seq) => ({ session: one.session, seq }))
    if (one.do === 'erase user') return store.byPerson.filter(({ session }) => session !== 'held')
    if (one.do !== 'erase message') return []
    const message = store.messages.find(({ session, messageId }) => {
      return session === one.session && messageId === one.messageId
    })
    return (message?.seqs ?? []).map((seq) => ({ session: one.session, seq }))
  })
}

/** With what goes along: children, and what is based on it. */
function deletedBy({ sessions }: CanaryStore, all: readonly Forgetting[]): string[] {
  const roots = all.flatMap((one) => {
    if (one.do === 'delete') return [one.session]
    return one.do === 'erase user' ? ['owned'] : []
  })
  const along = [...sessions].filter(([, { goesWith }]) => goesWith.some((id) => roots.includes(id)))
  return [...roots, ...along.map(([id]) => id)]
}
