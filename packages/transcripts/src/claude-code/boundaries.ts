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
  /** Of what was said before: nobody said it. */
  isSummary: boolean
}

export interface SummedUp {
  /** What the boundary says of the compaction. */
  about: JsonObject
  /** Undefined: the summary stands for all that was said before it. */
  stretch: CoveredStretch | undefined
  /** Lines that were kept and that the summary covers all the same: it stands for one stretch. */
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

/** Steps of all ways from a last line back to a first, in one file; ways beyond them are not gone. */
const mostSteps = 1_000_000

export class Boundaries<Line extends SaidLine> {
  readonly #all: Boundary<Line>[] = []
  /** By the last line that they keep. */
  readonly #byLast = new Map<string, Boundary<Line>[]>()
  #steps = 0

  add(line: number, raw: JsonObject, { parentOf, originalOf }: Known): void {
    const about = objectOf(raw.compactMetadata) ?? {}
    const uuids = listed(about) ?? this.#walked(about, parentOf)
    const boundary = { line, about, kept: new Set(uuids.map(originalOf)), summary: undefined }
    this.#all.push(boundary)
    const last = uuids.at(-1)
    if (last !== undefined) this.#byLast.set(last, [...(this.#byLast.get(last) ?? []), boundary])
  }

  /** From the last back to the first; none when the way does not lead there. */
  #walked(about: JsonObject, parentOf: Known['parentOf']): string[] {
    const { headUuid, tailUuid } = objectOf(about.preservedSegment) ?? {}
    const uuids: string[] = []
    for (let uuid = textOf(tailUuid); uuid !== undefined; uuid = parentOf(uuid)) {
      if (this.#steps++ >= mostSteps) return []
      uuids.push(uuid)
      if (uuid === headUuid) return uuids.reverse()
    }
    return []
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

  /** By the line of each summary in the conversation, whose lines are in the order of the file. */
  summedUp(conversation: ReadonlySet<Line>): ReadonlyMap<number, SummedUp> {
    const found = new Map<number, SummedUp>()
    const said = [...conversation].filter(({ isSummary }) => !isSummary)
    const context = new Context()
    let at = 0
    for (const { line, about, kept, summary } of this.#all) {
      if (!summary || !conversation.has(summary)) continue
      for (let next = said[at]; next && next.line < line; next = said[++at]) context.add(next)
      found.set(summary.line, { about, ...context.sumUp(summary.uuid, kept) })
    }
    return found
  }
}

function listed(about: JsonObject): string[] | undefined {
  const uuids = objectOf(about.preservedMessages)?.uuids
  return Array.isArray(uuids) ? uuids.filter((uuid) => typeof uuid === 'string') : undefined
}

/** A line in the context, or a summary in the place of the first that it stands for. */
interface Standing extends Pick<SaidLine, 'uuid' | 'messageId' | 'calls' | 'results'> {
  /** Id of the message that begins here; undefined for a line that goes on with one, or is a result. */
  begins: string | undefined
}

/** What stands in the context, from summary to summary. */
class Context {
  #standing: Standing[] = []
  readonly #begun = new Set<string>()
  readonly #said = new Set<string>()

  add({ uuid, messageId, calls, results }: SaidLine): void {
    const id = messageId ?? uuid
    const begins = results.length > 0 || this.#begun.has(id) ? undefined : id
    this.#begun.add(id)
    this.#said.add(uuid)
    this.#standing.push({ uuid, messageId, calls, results, begins })
  }

  /** Puts the summary in the place of the one stretch around what is not kept. */
  sumUp(uuid: string, kept: ReadonlySet<string>): Omit<SummedUp, 'about'> {
    const all = this.#standing
    const gone = all.map(isGoneBeside(kept, all))
    const firstGone = gone.indexOf(true)
    const from = all[firstGone]?.begins === undefined ? 0 : firstGone
    const next = all.findIndex(({ begins }, at) => at > gone.lastIndexOf(true) && begins !== undefined)
    const through = next < 0 ? all.length : next
    const first = from === 0 ? undefined : all[from]?.begins
    const summary = { uuid, messageId: undefined, calls: [], results: [], begins: first }
    this.#standing = [...all.slice(0, from), summary, ...all.slice(through)]
    const there = new Set(this.#standing.map((each) => each.uuid))
    const inside = [...kept].filter((each) => this.#said.has(each) && !there.has(each)).length
    if (kept.size === 0) return { stretch: undefined, inside }
    return { stretch: { first, next: all[next]?.begins }, inside }
  }
}

/** Further lines of a message that is kept stay with it, as do the results of its calls. */
function isGoneBeside(kept: ReadonlySet<string>, all: readonly Standing[]): (each: Standing) => boolean {
  const isNamed = ({ uuid }: Standing) => kept.has(uuid)
  const messages = new Set(all.filter(isNamed).flatMap(({ messageId }) => messageId ?? []))
  const isKept = (each: Standing) =>
    isNamed(each) || (each.messageId !== undefined && messages.has(each.messageId))
  const calls = new Set(all.filter(isKept).flatMap((each) => each.calls))
  return (each) => !isKept(each) && !each.results.some((id) => calls.has(id))
}
