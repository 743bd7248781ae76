/**
 * Lines of one conversation into turns. A turn is what a user said and what was done about it, up to the next thing
 * a user said; each answered turn becomes one recorded run. Memory holds one turn.
 */
import { externalIdPattern, type JsonObject, limits, type MessageInput, messageId } from '@holdfast/protocol'
import type { Step, Turn } from '../batch.ts'
import type { LineFate, LossReport } from '../loss-report.ts'
import { parted } from '../open-turn.ts'
import { countOf, type Line } from '../read-lines.ts'
import { shortened } from '../short-title.ts'
import { compactionOf } from './compaction.ts'
import { callsOf, droppedFields, type Entry, entryOf, objectOf, resultsOf, textOf } from './entry.ts'
import { hasImages, type PutImage, withImages } from './images.ts'
import type { ChildLink, Outline } from './outline.ts'
import { partOf, resultOf } from './parts.ts'
import { countRounds, type Reach, type Reply, runOf } from './run.ts'
import { namesAnother, titleOf } from './titles.ts'

export interface TurnOptions {
  outline: Outline
  /** The sub-agents of this conversation. */
  links: readonly ChildLink[]
  report: LossReport
  /** Name of the file in the report. */
  file: string
  /** Last line of the conversation that an earlier import read; 0 for none. */
  after: number
  /** Lines up to this one were imported before, on another branch perhaps: their notes and ids are there already. */
  seen: number
  /** Whether the round of an answer that begins with this line was counted by an earlier import. */
  isCounted(line: number): boolean
  /** Something that was said has named the session. */
  isNamed: boolean
  /** What a later import goes on from; `isNamed` as above. */
  position(read: Reach, isNamed: boolean, isUnfinished: boolean): JsonObject
  childId(agentId: string): string
  /** Sub-agents that the session has spawned before. */
  spawned: ReadonlySet<string>
  /** Sub-agents that it spawns now, until each was read: there is room for few. The others are spawned when they are read. */
  open: Set<string>
  putImage: PutImage
  /** Another conversation of the same file tells of the lines that are nobody's. */
  isPart: boolean
}

export async function* readTurns(
  stretches: AsyncIterable<Iterable<Line>>,
  options: TurnOptions,
): AsyncGenerator<Turn> {
  const reader = new TurnReader(options)
  for await (const lines of stretches) {
    for (const line of lines) {
      const entry = line.value && entryOf(line.value)
      if (entry && options.outline.heard.has(line.number)) entry.copied = true
      const read = entry && hasImages(entry) ? await withImages(entry, options.putImage) : entry
      for (const turn of reader.read(line, read)) yield turn
    }
  }
  yield* reader.finish()
}

class TurnReader {
  readonly #options: TurnOptions
  readonly #answered = new Set<string>()
  readonly #used = new Set<string>()
  #before: Step[] = []
  #replies: Reply[] = []
  /** How far the file was read before the first of them. */
  #begun: Reach | undefined
  #prompt: string | undefined
  #interrupted = false
  #named: boolean
  #title: string | undefined
  #at: string | undefined
  #read: Reach | undefined
  /** The line that is being read was imported before. */
  #isSeen = false
  /** It was said in the conversation that this one comes from. */
  #isHeard = false
  #lineUnits = 0
  #fate: LineFate = 'carried'

  constructor(options: TurnOptions) {
    this.#options = options
    this.#at = options.outline.firstAt
    this.#named = options.isNamed
  }

  *read(line: Line, entry: Entry | undefined): Generator<Turn> {
    this.#isSeen = line.number <= this.#options.seen
    this.#isHeard = this.#options.outline.heard.has(line.number)
    this.#lineUnits = line.bytes.length + 64
    this.#fate = 'carried'
    if (entry === undefined) this.#readBroken(line)
    else yield* this.#readEntry(line, entry)
    this.#tellFate(line)
    const isSaid = line.value !== undefined && this.#options.outline.place(line.number) === 'main'
    this.#read = { line, said: isSaid ? line.number : (this.#read?.said ?? this.#options.after) }
    const reply = this.#replies.at(-1)
    if (reply) reply.read = this.#read
  }

  *finish(): Generator<Turn> {
    if (this.#read === undefined) return
    const open = this.#replies.findIndex(({ openCalls }) => openCalls.size > 0)
    const settled = this.#replies
      .slice(0, Math.max(0, open))
      .reduce((sum, reply) => sum + countRounds(reply), 0)
    const begun = open < 0 ? undefined : this.#begun && this.#positionAt(this.#begun)
    const turn = this.#takeTurn(this.#read)
    if (open < 0) yield turn
    else yield* parted(turn, settled, begun)
  }

  /** A line is told of once: by the conversation it belongs to, when it is first read. */
  #tellFate(line: Line): void {
    const { outline, report, seen, isPart } = this.#options
    if (this.#isSeen) return
    if (line.value === undefined && isPart) return
    if (line.value !== undefined && outline.place(line.number) === 'elsewhere') return
    report.line(this.#fate, countOf(line, seen))
  }

  *#readEntry(line: Line, entry: Entry): Generator<Turn> {
    const { outline, report } = this.#options
    const place = outline.place(line.number)
    if (place === 'elsewhere') return
    if (line.repaired !== undefined) report.repair('lines with text no store can hold')
    const adopted = outline.adopted.get(line.number)
    if (adopted !== undefined) report.repair(adopted)
    if (outline.renamed.has(line.number) && !this.#isSeen)
      report.repair('lines with the uuid of another line, read as lines of their own')
    this.#at = entry.at ?? this.#at
    if (place === 'copy') return this.#dropCopy()
    if (place === 'abandoned') return this.#keep('abandoned_branch', entry.raw)
    if (place === 'beside') return this.#readBeside(entry)
    if (entry.blocks.length === 0) return this.#keep(entry.type, entry.raw)
    if (!this.#isSeen) for (const field of droppedFields(entry)) report.drop(field)
    if (entry.type === 'assistant') this.#readReply(line, entry)
    else if (entry.compactSummary) yield* this.#readSummary(line, entry)
    else yield* this.#readUser(line, entry)
  }

  #dropCopy(): void {
    this.#fate = 'dropped'
    if (!this.#isSeen) this.#options.report.drop('copies of earlier lines')
  }

  #readBroken({ number, broken, text = '' }: Line): void {
    this.#fate = broken === undefined ? 'blank' : 'broken'
    if (broken === undefined || this.#isSeen || this.#options.isPart) return
    this.#options.report.breakLine({ file: this.#options.file, line: number, reason: broken })
    const kept = text.toWellFormed().slice(0, 64 * 1024)
    this.#push({ type: 'addNote', kind: 'claude_code.broken_line', text: kept, data: { line: number } })
  }

  #readBeside(entry: Entry): void {
    this.#keep(entry.type, entry.raw)
    const { raw } = entry
    if (entry.type === 'summary' && !namesAnother(entry, this.#options.outline))
      this.#rename(textOf(raw.summary))
    else if (entry.type === 'ai-title') this.#rename(textOf(raw.aiTitle))
    else if (entry.type === 'custom-title') this.#rename(textOf(raw.customTitle), false)
  }

  /** The program says a title again and again. */
  #rename(told: string | undefined, automatic = true): void {
    const title = told?.trim() ? shortened(told.trim()) : undefined
    if (title === undefined || title === this.#title) return
    this.#named = true
    this.#title = title
    if (!this.#isSeen) this.#push({ type: 'rename', title, automatic })
  }

  *#readUser(line: Line, entry: Entry): Generator<Turn> {
    const results = resultsOf(entry)
    for (const block of results) this.#readResult(entry, block)
    if (entry.raw.toolUseResult !== undefined && results.length > 0) this.#readToolUseResult(entry)
    const said = entry.blocks.filter((block) => block.type !== 'tool_result')
    if (said.length === 0) return
    const reply = entry.ofCall === undefined ? undefined : this.#replyThatCalled(entry.ofCall)
    if (reply) return void reply.putIn.push(this.#putIn(said.map(partOf), this.#idOf(line, entry)))
    this.#interrupted = textOf(said[0]?.text)?.startsWith('[Request interrupted by user') ?? false
    if (this.#replies.length > 0) yield this.#takeTurn(this.#read ?? { line, said: line.number })
    this.#interrupted = false
    this.#readPrompt(entry, said.map(partOf), this.#idOf(line, entry))
  }

  /** What was said before is summed up from here on, but for what its boundary names. */
  *#readSummary(line: Line, entry: Entry): Generator<Turn> {
    const { outline, report } = this.#options
    const summed = outline.summedUp.get(line.number)
    const compaction = compactionOf(entry, summed)
    if (!compaction || this.#isSeen) return this.#keep('compact_summary', entry.raw)
    if (summed && summed.inside > 0)
      report.repair('lines kept beside a summary, covered by it', summed.inside)
    if (this.#read) yield this.#takeTurn(this.#read)
    const position = this.#positionAt({ line, said: line.number })
    yield { before: [], run: undefined, after: [], compaction, position }
  }

  /** Its uuid, where that can be an id and is of no other message of the session. */
  #idOf({ number }: Line, { uuid }: Entry): string | undefined {
    const isTaken = this.#isSeen || this.#options.outline.renamed.has(number)
    return isTaken || !messageId.safeParse(uuid).success ? undefined : uuid
  }

  #replyThatCalled(callId: string): Reply | undefined {
    const isOf = ({ entries }: Reply) =>
      entries.some((entry) => callsOf(entry).some(({ id }) => id === callId))
    return this.#replies.findLast(isOf) ?? this.#replies.at(-1)
  }

  #putIn(parts: MessageInput['parts'], id: string | undefined): Step {
    const message = { role: 'user' as const, parts, ...(id && { id }), author: 'claude-code' }
    return this.#step({ type: 'append', message, policy: 'enqueue' })
  }

  #readPrompt(entry: Entry, parts: MessageInput['parts'], id: string | undefined): void {
    const author = entry.meta ? 'claude-code' : undefined
    if (!entry.meta) this.#prompt = id
    this.#nameSession(entry)
    const message = { role: 'user' as const, parts, ...(id && { id }), ...(author && { author }) }
    this.#push({ type: 'append', message, policy: 'enqueue' })
  }

  /** The first thing a person said names the session, until a summary does. */
  #nameSession(entry: Entry): void {
    if (entry.meta || this.#isHeard || this.#named) return
    this.#rename(titleOf(textOf(entry.blocks[0]?.text) ?? ''))
  }

  #readReply(line: Line, entry: Entry): void {
    const messageId = this.#options.outline.ownIds.get(line.number) ?? entry.messageId ?? entry.uuid ?? ''
    const open = this.#replies.find((reply) => reply.messageId === messageId)
    const here = { line, said: line.number }
    const reply = open ?? {
      messageId,
      entries: [],
      after: [],
      openCalls: new Set<string>(),
      putIn: [],
      first: here,
      read: here,
    }
    reply.entries.push(entry)
    for (const block of entry.blocks)
      if (block.type === 'tool_use' && typeof block.id === 'string') reply.openCalls.add(block.id)
    if (open) return
    if (this.#replies.length === 0) this.#begun = this.#read
    this.#replies.push(reply)
  }

  #readResult(entry: Entry, block: Entry['blocks'][number]): void {
    const result = resultOf(block, entry.raw.toolUseResult)
    const reply = this.#replies.find(({ openCalls }) => openCalls.has(result.callId))
    if (reply === undefined && !this.#isAnswerable(entry, result.callId)) return
    if (!this.#isSeen && isElsewhere(block)) this.#options.report.drop('whole outputs, kept in files beside')
    const steps = reply?.after ?? this.#before
    const link = this.#options.links.find(({ callId }) => callId === result.callId)
    if (link) steps.push(...this.#spawn(link))
    steps.push(this.#step({ type: 'finishTool', ...result }))
    reply?.openCalls.delete(result.callId)
    this.#answered.add(result.callId)
  }

  #spawn(link: ChildLink): Step[] {
    const { spawned, open, childId } = this.#options
    if (spawned.has(link.agentId) || open.size === mostOpen) return []
    open.add(link.agentId)
    return [this.#step(spawn(link, childId(link.agentId)))]
  }

  /** A result that comes after its turn, for a call of an earlier one. */
  #isAnswerable(entry: Entry, callId: string): boolean {
    if (this.#answered.has(callId)) {
      this.#options.report.drop('second results of a call')
      return false
    }
    const isKnown = this.#options.outline.hasCall(callId)
    if (!isKnown) this.#keep('orphan_result', entry.raw)
    return isKnown
  }

  /** The program's own record of a result: more than the model saw. */
  #readToolUseResult(entry: Entry): void {
    if (this.#isSeen) return
    const data = entry.raw.toolUseResult
    const callId = textOf(resultsOf(entry)[0]?.tool_use_id)
    this.#options.report.keep('tool_use_result')
    this.#push({
      type: 'addNote',
      kind: 'claude_code.tool_use_result',
      data: data ?? null,
      ...(callId !== undefined && { callId }),
    })
  }

  #keep(kind: string, raw: JsonObject): void {
    this.#fate = 'opaque'
    if (this.#isSeen) return
    this.#options.report.keep(kind)
    this.#push({ type: 'addNote', kind: `claude_code.${kind}`.slice(0, 256), data: raw }, this.#lineUnits)
  }

  /** `units` of a command that holds the whole line. */
  #push(command: Step['command'], units?: number): void {
    const reply = this.#replies.at(-1)
    const steps = reply?.after ?? this.#before
    steps.push({ ...this.#step(command), ...(units !== undefined && { units }) })
  }

  #step(command: Step['command']): Step {
    return { command, at: this.#at }
  }

  #positionAt(read: Reach, isUnfinished = false): JsonObject {
    return this.#options.position(read, this.#named, isUnfinished)
  }

  #takeTurn(read: Reach): Turn {
    const after = this.#replies.at(-1)?.after
    const lastResult = after?.findLastIndex(({ command }) => command.type === 'finishTool') ?? -1
    const trailing = after?.splice(lastResult + 1) ?? []
    const told = { prompt: this.#prompt, interrupted: this.#interrupted, at: this.#at }
    const position = (read: Reach, isUnfinished?: boolean) => this.#positionAt(read, isUnfinished)
    const context = { ...this.#options, ...told, position, used: this.#used }
    const run = this.#replies.length > 0 ? runOf(this.#replies, context) : undefined
    const turn: Turn = { before: this.#before, run, after: trailing, position: this.#positionAt(read) }
    this.#before = []
    this.#replies = []
    this.#prompt = undefined
    return turn
  }
}

/** The model was shown the beginning, and where the rest is. */
function isElsewhere({ content }: Entry['blocks'][number]): boolean {
  const first = Array.isArray(content) ? objectOf(content[0])?.text : content
  return (
    typeof first === 'string' &&
    /^<persisted-output>|saved to:? \S*tool-results[/\\]/.test(first.slice(0, 1_024))
  )
}

/** Others of the session may be open from before. */
const mostOpen = limits.openChildren / 2

function spawn(link: ChildLink, childId: string): Step['command'] {
  return {
    type: 'spawnChild',
    childId,
    agentId: agentIdOf(link.agentType),
    grant: {},
    ...(link.callId !== undefined && { callId: link.callId }),
  }
}

export function agentIdOf(agentType: string | undefined): string {
  const named = `claude-code ${agentType}`.slice(0, 256).toWellFormed()
  return agentType !== undefined && externalIdPattern.test(named) ? named : 'claude-code sub-agent'
}
