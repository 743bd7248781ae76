/**
 * Kept heads and parts against the fold. Parts are read as of the head and as of kept heads and at no other place, so
 * there they must be right; a row between that nobody reads is no matter.
 */
import { HoldfastError, isHoldfastError, limits } from '@holdfast/protocol'
import { type PartName, partNames, type State } from '../../session/state.ts'
import { encodeHead } from '../head-codec.ts'
import type { LogReads } from '../log-reads.ts'
import { type Discovery, discovery, type RebuiltRows, toRebuild } from './discovery.ts'
import { isSameJson } from './same-json.ts'
import { unlessCorrupt } from './unless-corrupt.ts'

export class KeptCheck {
  readonly #reads: LogReads
  readonly #sessionId: string
  /** Seqs of the kept heads; a few bytes for each thousand events. */
  #seqs = new Set<number>()
  /** Places where a head should be kept and is not. */
  #missing: { seq: number; rows: RebuiltRows }[] = []

  constructor(reads: LogReads, sessionId: string) {
    this.#reads = reads
    this.#sessionId = sessionId
  }

  async begin(): Promise<void> {
    let at: number | undefined = Number.MAX_SAFE_INTEGER
    while (at !== undefined) {
      at = await this.#seqBefore(at)
      if (at === undefined) return
      this.#seqs.add(at)
      at -= 1
    }
  }

  /** After each own event. */
  async *add(state: State): AsyncGenerator<Discovery> {
    const { seq } = state.head
    if (!this.#seqs.has(seq)) return
    const body = await this.#bodyAt(seq)
    if (body === undefined || !isSameHead(body, state))
      yield this.#wrongWaypoint(seq, this.#waypointRows(state))
    yield* this.#checkParts(state)
  }

  /** After each own commit: many events since the last kept head, or the first of a fork. */
  async commitEnded(state: State, baseSeq: number, isForked: boolean): Promise<void> {
    const { seq } = state.head
    const every = limits.waypointEvents
    const isDue = isForked || Math.floor(seq / every) > Math.floor(baseSeq / every)
    if (!isDue || this.#seqs.has(seq)) return
    const rows = this.#waypointRows(state)
    const parts = (await this.#wrongParts(state)).map((name) => partRow(state, name))
    this.#missing.push({ seq, rows: { ...rows, parts } })
  }

  /** An erasure takes kept heads with it that are not made anew. */
  erased(): void {
    this.#missing = []
  }

  /** After the last event; `isStill`: nothing was written since. */
  async *end(state: State, isStill: boolean): AsyncGenerator<Discovery> {
    const lastSeq = state.head.seq
    if (!this.#seqs.has(lastSeq)) yield* this.#checkParts(state)
    for (const { seq, rows } of this.#missing) yield this.#wrongWaypoint(seq, rows)
    if (!isStill) return
    const beyond = [...this.#seqs].some((seq) => seq > lastSeq)
    if (beyond) yield this.#wrongWaypoint(lastSeq, {}, `a head is kept of beyond the last event`)
    const newest = await this.#texts(partNames)
    const known = await this.#texts(partNames, lastSeq)
    for (const name of partNames) {
      if (newest.get(name) === known.get(name)) continue
      yield this.#wrongPart(lastSeq, {}, `part ${name} has a row of beyond the last event`)
    }
  }

  async *#checkParts(state: State): AsyncGenerator<Discovery> {
    for (const name of await this.#wrongParts(state)) {
      const message = `part ${name} as of seq ${state.head.seq} is damaged, missing, or not the fold of the log`
      yield this.#wrongPart(state.head.seq, { parts: [partRow(state, name)] }, message)
    }
  }

  async #wrongParts({ head, parts }: State): Promise<PartName[]> {
    const texts = await this.#texts(partNames, head.seq)
    return partNames.filter((name) => {
      const text = texts.get(name)
      return text === damaged || !isSameJson(parseOr(text), parts[name] ?? null)
    })
  }

  /** One damaged part must not hide the others. */
  async #texts(
    names: readonly PartName[],
    atSeq?: number,
  ): Promise<ReadonlyMap<PartName, string | typeof damaged>> {
    const { store, tenantId } = this.#reads
    try {
      return (await store.readParts(tenantId, this.#sessionId, names, atSeq)) as ReadonlyMap<PartName, string>
    } catch (error) {
      if (!isHoldfastError(error, 'store_corrupt')) throw error
      const [name, ...rest] = names
      if (name === undefined || rest.length === 0) return new Map(names.map((one) => [one, damaged]))
      return new Map([...(await this.#texts([name], atSeq)), ...(await this.#texts(rest, atSeq))])
    }
  }

  /** Seq of the newest kept head at or before `at`, damaged or not. */
  async #seqBefore(at: number): Promise<number | undefined> {
    const { store, tenantId } = this.#reads
    try {
      return (await store.readWaypoint(tenantId, this.#sessionId, at))?.seq
    } catch (error) {
      if (!(error instanceof HoldfastError) || typeof error.details.seq !== 'number') throw error
      return error.details.seq
    }
  }

  async #bodyAt(seq: number): Promise<string | undefined> {
    const { store, tenantId } = this.#reads
    return (await unlessCorrupt(() => store.readWaypoint(tenantId, this.#sessionId, seq)))?.body
  }

  #waypointRows({ head }: State): RebuiltRows {
    return { waypoints: [{ seq: head.seq, body: encodeHead(head) }] }
  }

  #wrongWaypoint(seq: number, rows: RebuiltRows, message?: string): Discovery {
    const text = message ?? `the head kept at seq ${seq} is damaged, missing, or not the fold of the log`
    return discovery('waypoint_wrong', this.#sessionId, text, { seq, fix: toRebuild(rows) })
  }

  #wrongPart(seq: number, rows: RebuiltRows, message: string): Discovery {
    return discovery('part_wrong', this.#sessionId, message, { seq, fix: toRebuild(rows) })
  }
}

const damaged = Symbol('damaged')

export function isSameHead(body: string, { head }: State): boolean {
  return isSameJson(parseOr(body), JSON.parse(encodeHead(head)))
}

/** null for nothing; undefined for what is no JSON. */
function parseOr(text: string | symbol | undefined): unknown {
  if (typeof text !== 'string') return null
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function partRow(state: State, name: PartName): { part: string; seq: number; body: string | undefined } {
  const value = state.parts[name]
  const body = value === null || value === undefined ? undefined : JSON.stringify(value)
  return { part: name, seq: state.head.seq, body }
}
