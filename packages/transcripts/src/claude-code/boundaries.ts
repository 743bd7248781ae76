/**
 * The compactions of a conversation. Each has a boundary, which may name lines that stay in the context beside the summary
 * after it: all of them, or, in files of earlier versions, the first and the last.
 */
import type { JsonObject } from '@holdfast/protocol'
import type { CoveredStretch } from '../batch.ts'
import { objectOf, textOf } from './entry.ts'

/** A line of the conversation. */
export interface SaidLine {
  line: number
  uuid: string
  /** Lines with the same one are one message. */
  messageId: string | undefined
  calls: readonly string[]
  results: readonly string[]
}

export interface SummedUp {
  /** What the boundary says of the compaction. */
  about: JsonObject
  /** Undefined: the summary stands for all that was said before it. */
  stretch: CoveredStretch | undefined
  /** Messages that were kept and stand inside the stretch, which is one: it covers them too. */
  inside: number
}

interface Boundary<Line extends SaidLine> {
  line: number
  about: JsonObject
  /** Empty: nothing stands beside the summary. */
  kept: ReadonlySet<string>
  summary: Line | undefined
}

/** Of the file so far: its lines by their uuids. */
interface Known {
  parentOf(uuid: string): string | undefined
  /** The uuid of the line that this one is a copy of; its own when it is none. */
  originalOf(uuid: string): string
}

/** Lines that a summary leaves behind it; a longer way back is not gone. */
const mostKept = 10_000

export class Boundaries<Line extends SaidLine> {
  readonly #all: Boundary<Line>[] = []
  /** By the last line that they keep. */
  readonly #byLast = new Map<string, Boundary<Line>[]>()

  add(line: number, raw: JsonObject, { parentOf, originalOf }: Known): void {
    const about = objectOf(raw.compactMetadata) ?? {}
    const uuids = listed(about) ?? walked(about, parentOf)
    const boundary = { line, about, kept: new Set(uuids.map(originalOf)), summary: undefined }
    this.#all.push(boundary)
    const last = uuids.at(-1)
    if (last !== undefined) this.#byLast.set(last, [...(this.#byLast.get(last) ?? []), boundary])
  }

  /** The summary of the boundary before it. */
  addSummary(summary: Line): void {
    const boundary = this.#all.at(-1)
    if (boundary) boundary.summary ??= summary
  }

  /** The summary that was made between two lines, the later of which goes on from the earlier, kept beside it. */
  between(earlier: SaidLine, later: SaidLine): Line | undefined {
    const made = this.#byLast.get(earlier.uuid)?.findLast(({ line, summary }) => {
      return earlier.line < line && summary !== undefined && summary.line < later.line
    })
    return made?.summary
  }

  /** `said`: the conversation without its summaries, in the order of the file. */
  summedUp(summaryLine: number, said: readonly Line[]): SummedUp | undefined {
    const boundary = this.#all.find(({ summary }) => summary?.line === summaryLine)
    if (!boundary) return undefined
    const { about, line } = boundary
    if (boundary.kept.size === 0) return { about, stretch: undefined, inside: 0 }
    const before = said.filter((each) => each.line < line)
    return { about, ...stretchOf(before, this.#goneBehind(boundary, before)) }
  }

  /** Lines before the boundary that neither stand in the context behind it nor are stood for by an earlier summary there. */
  #goneBehind({ line, kept }: Boundary<Line>, before: readonly Line[]): ReadonlySet<Line> {
    const isKept = ({ uuid }: SaidLine) => kept.has(uuid)
    const messages = new Set(before.filter(isKept).flatMap(({ messageId }) => messageId ?? []))
    const isOfMessage = (each: SaidLine) =>
      isKept(each) || (each.messageId !== undefined && messages.has(each.messageId))
    const calls = new Set(before.filter(isOfMessage).flatMap((each) => each.calls))
    const stoodFor = new Set<Line>()
    for (const earlier of this.#all) {
      if (earlier.line >= line) break
      if (!earlier.summary || !kept.has(earlier.summary.uuid)) continue
      const then = before.filter((each) => each.line < earlier.line)
      for (const each of this.#goneBehind(earlier, then)) stoodFor.add(each)
    }
    return new Set(
      before.filter(
        (each) => !isOfMessage(each) && !each.results.some((id) => calls.has(id)) && !stoodFor.has(each),
      ),
    )
  }
}

function listed(about: JsonObject): string[] | undefined {
  const uuids = objectOf(about.preservedMessages)?.uuids
  return Array.isArray(uuids) ? uuids.filter((uuid) => typeof uuid === 'string') : undefined
}

/** From the last back to the first; none when the way does not lead there. */
function walked(about: JsonObject, parentOf: (uuid: string) => string | undefined): string[] {
  const { headUuid, tailUuid } = objectOf(about.preservedSegment) ?? {}
  const uuids: string[] = []
  for (let uuid = textOf(tailUuid); uuid !== undefined && uuids.length < mostKept; uuid = parentOf(uuid)) {
    uuids.push(uuid)
    if (uuid === headUuid) return uuids.reverse()
  }
  return []
}

function stretchOf<Line extends SaidLine>(
  before: readonly Line[],
  gone: ReadonlySet<Line>,
): { stretch: CoveredStretch; inside: number } {
  const begins = messageBeginnings(before)
  const firstGone = before.findIndex((line) => gone.has(line))
  const from = firstGone > 0 && begins[firstGone] === undefined ? 0 : Math.max(firstGone, 0)
  const lastGone = before.findLastIndex((line) => gone.has(line))
  const next = begins.findIndex((id, at) => at > lastGone && id !== undefined)
  const through = next < 0 ? before.length : next
  const inside = before
    .slice(from, through)
    .filter((line, at) => begins[from + at] !== undefined && !gone.has(line))
  return {
    stretch: { first: from === 0 ? undefined : begins[from], next: begins[next] },
    inside: inside.length,
  }
}

/** By line the id of the message that it begins; undefined for one that goes on with a message, or is a result. */
function messageBeginnings(lines: readonly SaidLine[]): (string | undefined)[] {
  const begun = new Set<string>()
  return lines.map(({ uuid, messageId = uuid, results }) => {
    if (results.length > 0 || begun.has(messageId)) return undefined
    begun.add(messageId)
    return messageId
  })
}
