/** What is kept beside a session's own events so that they can be found, summed and resumed, against those events. */
import type { EventData } from '@holdfast/protocol'
import { refsOf } from '../../session/projections.ts'
import type { FoldEvent, State } from '../../session/state.ts'
import { usageRowOf } from '../../session/usage-row.ts'
import type { LogReads } from '../log-reads.ts'
import { KeptCheck } from './check-kept.ts'
import { RefCheck } from './check-refs.ts'
import { UsageCheck } from './check-usage.ts'
import type { Discovery } from './discovery.ts'

export class DerivedCheck {
  readonly #base: number
  readonly #refs: RefCheck
  readonly #kept: KeptCheck
  readonly #usage: UsageCheck
  /** The commit that the last event is of, and the seq before it. */
  #commit: { id: string; base: number } | undefined
  /** Of the last lease that was taken. */
  epoch = 0

  /** `base`: where the prefix of a fork ends. */
  constructor(reads: LogReads, sessionId: string, base: number) {
    this.#base = base
    this.#refs = new RefCheck(reads, sessionId, base)
    this.#kept = new KeptCheck(reads, sessionId)
    this.#usage = new UsageCheck(reads, sessionId)
  }

  async begin(): Promise<void> {
    await this.#refs.begin()
    await this.#kept.begin()
  }

  /** For each own event, in order, with the states around it. */
  async *add(
    { event, commitId }: { event: FoldEvent; commitId: string },
    before: State | undefined,
    after: State,
  ): AsyncGenerator<Discovery> {
    if (this.#commit?.id !== commitId) {
      await this.#commitEnded(before)
      this.#commit = { id: commitId, base: event.seq - 1 }
    }
    if (event.type === 'session.erased') this.#kept.erased()
    if (event.type === 'lease.taken') this.epoch = (event.data as EventData<'lease.taken'>).epoch
    yield* this.#refs.add(event.seq, refsOf(before?.head, event, after.head))
    const row = usageRowOf(event, after.head)
    if (row) yield* this.#usage.add(event.seq, row)
    yield* this.#kept.add(after)
  }

  /** After the last event. `isStill` tells whether nothing was written since: then what lies beyond it is stray. */
  async *end(state: State, isStill: () => Promise<boolean>): AsyncGenerator<Discovery> {
    const { seq } = state.head
    await this.#commitEnded(state)
    const nothingSince = await isStill()
    yield* this.#refs.end(seq, nothingSince)
    yield* this.#usage.end(seq, nothingSince)
    yield* this.#kept.end(state, nothingSince)
    for await (const found of this.#usage.checkSums()) if (await isStill()) yield found
  }

  async #commitEnded(state: State | undefined): Promise<void> {
    if (!this.#commit || !state) return
    const { base } = this.#commit
    await this.#kept.commitEnded(state, base, base > 0 && base === this.#base)
  }
}
