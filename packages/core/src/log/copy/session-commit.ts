/** A commit of the source as the target is to write it: the same events, and what is derived from them folded anew. */
import type { TenantId } from '@holdfast/protocol'
import { limits } from '@holdfast/protocol'
import { fold } from '../../session/fold/index.ts'
import { refsOf } from '../../session/projections.ts'
import type { FoldEvent, PartName, State } from '../../session/state.ts'
import type {
  Attachment,
  Commit,
  NewSegment,
  PartRow,
  RefRow,
  StoredEvent,
  UsageRow,
} from '../../store/store.ts'
import { headRow } from '../head-codec.ts'
import { draftsNamed } from '../plan.ts'

export interface SourceCommit {
  tenantId: TenantId
  sessionId: string
  rows: readonly StoredEvent[]
  /** The same events, decoded. */
  events: readonly FoldEvent[]
  usage: readonly UsageRow[]
  files: readonly Attachment[]
  /** The target has no such session yet. */
  create: boolean
  segments: readonly NewSegment[]
  key?: Commit['key']
  /** Drafts that end in the target with it, whatever its events say. */
  endedDrafts: readonly string[]
  erasure?: Erasure | undefined
}

/** What an earlier copy wrote, and the source has erased since. */
export interface Erasure {
  erase: NonNullable<Commit['erase']>
  /** Refs as they are now, from the first erased event on. */
  refs: readonly RefRow[]
}

/** With the state after it. `before`: undefined before a session's first event; with all its parts loaded. */
export function commitOf(source: SourceCommit, before: State | undefined): { commit: Commit; after: State } {
  const { tenantId, sessionId, rows, events, usage, files, create, segments, erasure, key } = source
  const [first] = rows as readonly [StoredEvent]
  const refs: RefRow[] = []
  let state = before
  for (const event of events) {
    const next: State = fold(state, event)
    refs.push(...refsOf(state?.head, event, next.head))
    state = next
  }
  const after = state as State
  const baseSeq = first.seq - 1
  const lastSeq = baseSeq + rows.length
  const commit: Commit = {
    tenantId,
    sessionId,
    commitId: first.commitId,
    baseSeq,
    create,
    events: rows.map(({ type, v, at, body }) => ({ type, v, at, body })),
    head: headRow(after.head),
    parts: partsOf(after, create || erasure ? undefined : before),
    refs: erasure ? erasure.refs : refs,
    usage,
    attachments: files,
    waypoint: isWaypoint(baseSeq, lastSeq) || (create && segments.length > 0) || erasure !== undefined,
    dropDrafts: [...new Set([...draftsNamed([...events]), ...source.endedDrafts])],
    ...(create && segments.length > 0 && { segments }),
    ...(key && { key }),
    ...(erasure && { erase: erasure.erase }),
  }
  return { commit, after }
}

/** Those that are another object than before: a fold replaces a part, it never changes one. */
function partsOf(after: State, before: State | undefined): PartRow[] {
  return Object.entries(after.parts).flatMap(([part, value]) => {
    const stored = before?.parts[part as PartName] ?? null
    if (before ? value === stored || (value ?? null) === stored : (value ?? null) === null) return []
    return [{ part, body: value === null || value === undefined ? undefined : JSON.stringify(value) }]
  })
}

function isWaypoint(baseSeq: number, lastSeq: number): boolean {
  return Math.floor(lastSeq / limits.waypointEvents) > Math.floor(baseSeq / limits.waypointEvents)
}
