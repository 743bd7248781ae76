/** Is a fork's prefix read from where the fork says it was made: a row of segments may be whole and of another prefix. */
import type { EventData } from '@holdfast/protocol'
import type { FoldEvent } from '../../session/state.ts'
import type { Segment } from '../../store/store.ts'
import { segmentsThrough } from '../create-session.ts'
import type { TenantLog } from '../tenant-log.ts'
import { isSameJson } from './same-json.ts'
import { unlessCorrupt } from './unless-corrupt.ts'

/** `event`: the first own one of the session. Undefined: there is nothing wrong. */
export async function segmentsFault(
  log: TenantLog,
  segments: readonly Segment[],
  event: FoldEvent,
): Promise<string | undefined> {
  const isFork = event.type === 'session.forked'
  if (!isFork) return segments.length > 0 ? 'it has a prefix and is no fork' : undefined
  const { origin } = event.data as EventData<'session.forked'>
  const base = segments.at(-1)?.to
  if (base !== origin.seq) return `its prefix ends at ${base}, and it was made at ${origin.seq}`
  // The source may be gone when what it had for a prefix is all that the fork reads.
  if (!(await log.store.readRawSession(log.tenantId, origin.sessionId))) return undefined
  const expected = await unlessCorrupt(() => segmentsThrough(log, origin.sessionId, origin.seq))
  // What is wrong with the source is told there.
  return !expected || isSameJson(segments, expected)
    ? undefined
    : 'its prefix is not that of the session it was made from'
}
