/**
 * What a compaction of Claude Code leaves in the context beside its summary: its boundary names the lines, or, in files of
 * earlier versions, the first and the last of them.
 */
import type { JsonObject } from '@holdfast/protocol'
import type { Stretch } from '../batch.ts'
import { objectOf, textOf } from './entry.ts'

export interface KeptLines {
  uuids: ReadonlySet<string>
  /** What is said next goes on from here. */
  last: string | undefined
}

/** `parentOf` of a line by its uuid. Undefined: nothing is left but the summary. */
export function keptLinesOf(
  boundary: JsonObject,
  parentOf: (uuid: string) => string | undefined,
): KeptLines | undefined {
  const about = objectOf(boundary.compactMetadata)
  const uuids = listed(about) ?? walked(about, parentOf)
  return uuids.length === 0 ? undefined : { uuids: new Set(uuids), last: uuids.at(-1) }
}

function listed(about: JsonObject | undefined): string[] | undefined {
  const uuids = objectOf(about?.preservedMessages)?.uuids
  return Array.isArray(uuids) ? uuids.filter((uuid) => typeof uuid === 'string') : undefined
}

/** From the last back to the first; none when the way does not lead there. */
function walked(about: JsonObject | undefined, parentOf: (uuid: string) => string | undefined): string[] {
  const { headUuid, tailUuid } = objectOf(about?.preservedSegment) ?? {}
  const uuids = new Set<string>()
  for (let uuid = textOf(tailUuid); uuid !== undefined && !uuids.has(uuid); uuid = parentOf(uuid)) {
    uuids.add(uuid)
    if (uuid === headUuid) return [...uuids].reverse()
  }
  return []
}

/** A line of the conversation, in so far as it tells where a message begins. */
interface SaidLine {
  uuid: string
  /** Of the message that it begins; undefined: it goes on with one, or is a result. */
  begins: string | undefined
}

/**
 * The stretch that is no more in the context. `between`: messages that were kept and stand inside it, which a summary of
 * one stretch stands for too.
 */
export function stretchOf(
  lines: readonly SaidLine[],
  { uuids }: KeptLines,
): { stretch: Stretch; between: number } | undefined {
  const isGone = ({ uuid }: SaidLine) => !uuids.has(uuid)
  const first = lines.findIndex(isGone)
  if (first < 0) return undefined
  const from = lines[first]?.begins === undefined ? 0 : first
  const last = lines.findLastIndex(isGone)
  const next = lines.findIndex(({ begins }, at) => at > last && begins !== undefined)
  const through = next < 0 ? lines.length : next
  const between = lines.slice(from, through).filter((line) => line.begins !== undefined && !isGone(line))
  return {
    stretch: { first: from === 0 ? undefined : lines[from]?.begins, next: lines[next]?.begins },
    between: between.length,
  }
}
