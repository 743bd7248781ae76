/** Reads of one tenant's logs, decoded: heads, events, parts, and the state as it was after any event. */
import { HoldfastError, limits, type TenantId } from '@holdfast/protocol'
import type { Lease } from '../session/deciding.ts'
import { fold } from '../session/fold/index.ts'
import { type FoldEvent, type LoadedParts, type PartName, partNames, type State } from '../session/state.ts'
import type { EventRange, Segment, Store, StoredEvent } from '../store/store.ts'
import { decodeEvent } from './event-codec.ts'
import { decodeHead } from './head-codec.ts'
import type { Upcasters } from './upcast.ts'

export interface Loaded {
  state: State
  lease: Lease
}

export class LogReads {
  readonly store: Store
  readonly tenantId: TenantId
  readonly upcasters: Upcasters

  constructor(store: Store, tenantId: TenantId, upcasters: Upcasters) {
    this.store = store
    this.tenantId = tenantId
    this.upcasters = upcasters
  }

  /** The head with no part loaded; undefined when there is no such session. */
  async getHead(sessionId: string): Promise<Loaded | undefined> {
    const row = await this.store.readHead(this.tenantId, sessionId)
    if (!row) return undefined
    const head = decodeHead(row.body)
    if (head.seq !== row.seq) {
      throw new HoldfastError(
        'store_corrupt',
        `the head of session ${sessionId} is of seq ${head.seq}, its log ends at ${row.seq}`,
      )
    }
    return { state: { head, parts: {} }, lease: row.lease }
  }

  async requireHead(sessionId: string): Promise<Loaded> {
    return (await this.getHead(sessionId)) ?? missing(sessionId)
  }

  /** Head and all parts of one moment. */
  async requireState(sessionId: string): Promise<Loaded> {
    const { state, lease } = await this.requireHead(sessionId)
    return {
      state: { head: state.head, parts: await this.readParts(sessionId, partNames, state.head.seq) },
      lease,
    }
  }

  async readParts(sessionId: string, names: readonly PartName[], atSeq: number): Promise<LoadedParts> {
    const rows = await this.store.readParts(this.tenantId, sessionId, names, atSeq)
    const parts: Record<string, unknown> = {}
    for (const name of names) {
      const body = rows.get(name)
      parts[name] = body === undefined ? null : JSON.parse(body)
    }
    return parts as LoadedParts
  }

  async getEvent(sessionId: string, seq: number): Promise<FoldEvent | undefined> {
    const [row] = await this.readRows(sessionId, { after: seq - 1, through: seq, limit: 1 })
    return row && decodeEvent(row, this.upcasters)
  }

  readRows(
    sessionId: string,
    range: Omit<EventRange, 'maxBytes' | 'direction'> & Partial<EventRange>,
  ): Promise<readonly StoredEvent[]> {
    return this.store.readEvents(this.tenantId, sessionId, {
      maxBytes: limits.pageBytes,
      direction: 'forward',
      ...range,
    })
  }

  /** Every event after `after` through `through`, page by page. */
  async *events(sessionId: string, after: number, through: number): AsyncGenerator<FoldEvent> {
    let last = after
    while (last < through) {
      const rows = await this.readRows(sessionId, { after: last, through, limit: limits.pageItems })
      for (const row of rows) yield decodeEvent(row, this.upcasters)
      const end = rows.at(-1)
      if (!end) throw new HoldfastError('store_corrupt', `session ${sessionId} has no event ${last + 1}`)
      last = end.seq
    }
  }

  /** Head and all parts as they were after `atSeq`: the newest kept head before it, and the folds from there. */
  async stateAt(sessionId: string, atSeq: number): Promise<State> {
    const segments = await this.store.readSegments(this.tenantId, sessionId)
    const segment = segments.find(({ from, to }) => from <= atSeq && atSeq <= to)
    if (segment) return this.#ownStateAt(segment.sessionId, atSeq)
    return this.#ownStateAt(sessionId, atSeq, segments)
  }

  async #ownStateAt(sessionId: string, atSeq: number, known?: readonly Segment[]): Promise<State> {
    let state = (await this.#waypoint(sessionId, atSeq)) ?? (await this.#beginning(sessionId, known))
    for await (const event of this.events(sessionId, state?.head.seq ?? 0, atSeq)) state = fold(state, event)
    if (!state) throw new Error(`session ${sessionId} has no state at seq ${atSeq}`)
    return state
  }

  async #waypoint(sessionId: string, atSeq: number): Promise<State | undefined> {
    const kept = await this.store.readWaypoint(this.tenantId, sessionId, atSeq)
    if (!kept) return undefined
    return { head: decodeHead(kept.body), parts: await this.readParts(sessionId, partNames, kept.seq) }
  }

  /** What a session's own events are folded on: for a fork, its source where the fork leaves it. */
  async #beginning(sessionId: string, known?: readonly Segment[]): Promise<State | undefined> {
    const segments = known ?? (await this.store.readSegments(this.tenantId, sessionId))
    const last = segments.at(-1)
    return last && (await this.#ownStateAt(last.sessionId, last.to))
  }
}

/** What was asked for may be anything: it is shown in part. */
export function missing(sessionId: string): never {
  throw new HoldfastError('not_found', `there is no session ${sessionId.slice(0, 300).toWellFormed()}`)
}
