/**
 * The writes of one session that go into its next commit. Writes that arrive while a commit is under way are decided
 * on the state it will leave, and join here, so that one busy session too pays one sync for many writes. What has a
 * key, a lease change or another epoch stands alone: the store judges those for a commit as a whole.
 */
import { limits, type TenantId } from '@holdfast/protocol'
import type { Lease } from '../session/deciding.ts'
import type { Ref } from '../session/projections.ts'
import type { FoldEvent, LoadedParts, PartName, State } from '../session/state.ts'
import { usageRowOf } from '../session/usage-row.ts'
import type { Commit, LeaseChange, NewEvent, PartRow, UsageRow } from '../store/store.ts'
import { headRow } from './head-codec.ts'
import { draftsNamed, type Plan } from './plan.ts'
import type { Request } from './request.ts'

export class Group {
  readonly baseSeq: number
  readonly epoch: number | undefined
  readonly requests: Request[] = []
  /** How many of `events` each request made. */
  readonly shares: number[] = []
  readonly events: FoldEvent[] = []
  readonly rows: NewEvent[] = []
  readonly refs: Ref[] = []
  /** Drafts that end with this commit. */
  readonly dropDrafts: string[] = []
  readonly alone: boolean
  /** Parts as the store has them, as far as they were read. */
  readonly stored: LoadedParts
  after: State
  lease: Lease
  move: LeaseChange | undefined
  bytes = 0
  /** Set once it was handed to the store: nothing joins any more. */
  commit: Commit | undefined

  constructor(before: State | undefined, request: Request, plan: Plan) {
    this.baseSeq = request.start ? (request.start.source?.head.seq ?? 0) : (before as State).head.seq
    this.epoch = epochOf(request, plan)
    this.alone = standsAlone(request, plan)
    this.stored = request.start ? {} : { ...before?.parts }
    this.after = plan.state
    this.lease = plan.lease
    this.move = plan.move
  }

  /** Whether the write may be a part of this group's commit. */
  takes(request: Request, plan: Plan, bytes: number): boolean {
    return (
      this.commit === undefined &&
      !this.alone &&
      !standsAlone(request, plan) &&
      request.terms.epoch === this.epoch &&
      this.events.length + plan.events.length <= limits.commitEvents &&
      this.bytes + bytes <= limits.commitBytes
    )
  }

  add(request: Request, plan: Plan, rows: readonly NewEvent[], bytes: number): void {
    this.requests.push(request)
    this.shares.push(plan.events.length)
    this.events.push(...plan.events)
    this.rows.push(...rows)
    if (plan.refs.length > 0) this.refs.push(...plan.refs)
    this.dropDrafts.push(...plan.dropDrafts, ...draftsNamed(plan.events))
    this.bytes += bytes
    Object.assign(this.stored, plan.loaded)
    this.after = plan.state
    this.lease = plan.lease
  }

  /** The commit, made once: when its outcome is unknown the very same one is sent again. */
  seal(tenantId: TenantId, commitId: string, keyExpiresAtMs: number): Commit {
    const lastSeq = this.baseSeq + this.rows.length
    const { head } = this.after
    const first = this.requests[0] as Request
    const { key, erase } = first.terms
    const commit: Commit = {
      tenantId,
      sessionId: head.id,
      commitId,
      baseSeq: this.baseSeq,
      create: first.start !== undefined,
      events: this.rows,
      head: headRow(head),
      parts: this.#parts(erase !== undefined),
      refs: this.refs,
      usage: this.#usage(),
      attachments: this.#collect((request) => request.terms.attachments),
      waypoint: this.#isWaypoint(lastSeq),
      dropDrafts: [...new Set(this.dropDrafts)],
    }
    if (first.start && first.start.segments.length > 0) commit.segments = first.start.segments
    if (this.epoch !== undefined) commit.epoch = this.epoch
    if (this.move) commit.lease = this.move
    if (key) commit.key = { key: key.key, hash: key.hash, expiresAtMs: keyExpiresAtMs }
    if (erase) commit.erase = erase
    this.commit = commit
    return commit
  }

  #collect<T>(of: (request: Request) => readonly T[] | undefined): readonly T[] {
    const found: T[] = []
    for (const request of this.requests) {
      const items = of(request)
      if (items) found.push(...items)
    }
    return found
  }

  #usage(): UsageRow[] {
    const rows: UsageRow[] = []
    for (const event of this.events) {
      const row = event.type === 'usage.recorded' ? usageRowOf(event, this.after.head) : undefined
      if (row) rows.push(row)
    }
    return rows
  }

  /** Parts that are not the object they were: a fold replaces a part, it never changes one. `all` after an erasure. */
  #parts(all: boolean): PartRow[] {
    const changed: PartRow[] = []
    const { parts } = this.after
    for (const name in parts) {
      const value = parts[name as PartName]
      const stored = this.stored[name as PartName]
      const same = value === stored || (value === null && stored === undefined)
      if (!all && same) continue
      changed.push({
        part: name,
        body: value === null || value === undefined ? undefined : JSON.stringify(value),
      })
    }
    return changed
  }

  /** Every so many events, and where a fork begins: its own rows then answer for every later position. */
  #isWaypoint(lastSeq: number): boolean {
    const { start, terms } = this.requests[0] as Request
    if (start?.source || terms.erase) return true
    return Math.floor(lastSeq / limits.waypointEvents) > Math.floor(this.baseSeq / limits.waypointEvents)
  }
}

function standsAlone(request: Request, plan: Plan): boolean {
  const { key, erase } = request.terms
  return key !== undefined || erase !== undefined || request.start !== undefined || plan.move !== undefined
}

/** A release without an epoch comes from someone who may end another's run: it names the epoch that it ends. */
function epochOf(request: Request, plan: Plan): number | undefined {
  if (request.terms.epoch !== undefined) return request.terms.epoch
  return plan.move?.type === 'release' ? plan.lease.epoch : undefined
}
