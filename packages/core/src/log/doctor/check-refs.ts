/**
 * The refs of a session against those that its events carry. Stored refs have no order by seq, so they are read for a
 * stretch of many events at once: the memory is that of a stretch, and the whole of them is looked through once for each.
 */
import type { Ref } from '../../session/projections.ts'
import type { RawRef, RefRow } from '../../store/store.ts'
import type { LogReads } from '../log-reads.ts'
import { type Discovery, discovery, toRebuild } from './discovery.ts'

const stretch = 20_000

export class RefCheck {
  readonly #reads: LogReads
  readonly #sessionId: string
  #through: number
  /** By seq: what is stored and was not met yet. */
  #stored = new Map<number, RawRef[]>()

  /** `base`: where the prefix of a fork ends; own refs are beyond it. */
  constructor(reads: LogReads, sessionId: string, base: number) {
    this.#reads = reads
    this.#sessionId = sessionId
    this.#through = base
  }

  async begin(): Promise<void> {
    this.#stored = await this.#load(Number.MIN_SAFE_INTEGER, this.#through)
  }

  /** For each own event, in order. */
  async *add(seq: number, expected: readonly Ref[]): AsyncGenerator<Discovery> {
    if (seq > this.#through) {
      yield* this.#strays()
      this.#through = seq + stretch - 1
      this.#stored = await this.#load(seq, this.#through)
    }
    const stored = this.#stored.get(seq) ?? []
    this.#stored.delete(seq)
    const lacking = expected.filter((ref) => !stored.some((other) => isSame(ref, other)))
    const strays = stored.filter((ref) => !expected.some((other) => isSame(other, ref)))
    if (lacking.length + strays.length > 0) yield this.#wrong(seq, lacking, strays)
  }

  /** After the last event; `isStill`: nothing was written since the walk began, so what lies beyond is stray. */
  async *end(lastSeq: number, isStill: boolean): AsyncGenerator<Discovery> {
    for (const seq of this.#stored.keys()) if (seq > lastSeq) this.#stored.delete(seq)
    yield* this.#strays()
    if (!isStill) return
    this.#stored = await this.#load(lastSeq + 1, Number.MAX_SAFE_INTEGER)
    yield* this.#strays()
  }

  *#strays(): Generator<Discovery> {
    for (const [seq, refs] of this.#stored) yield this.#wrong(seq, [], refs)
    this.#stored.clear()
  }

  #wrong(seq: number, refs: readonly Ref[], strayRefs: readonly RefRow[]): Discovery {
    const message = `${refs.length} ids of event ${seq} are not found, ${strayRefs.length} are found that it does not carry`
    return discovery('refs_wrong', this.#sessionId, message, { seq, fix: toRebuild({ refs, strayRefs }) })
  }

  async #load(from: number, through: number): Promise<Map<number, RawRef[]>> {
    const { store, tenantId } = this.#reads
    const bySeq = new Map<number, RawRef[]>()
    for (const ref of await store.listRefs(tenantId, this.#sessionId, from, through)) {
      bySeq.set(ref.seq, [...(bySeq.get(ref.seq) ?? []), ref])
    }
    return bySeq
  }
}

/** What fails its checksum is stray, and the ref that it was is lacking. */
function isSame(carried: Ref, { kind, id, damaged }: RawRef): boolean {
  return !damaged && carried.kind === kind && carried.id === id
}
