/**
 * The shape of a whole file, from a first reading that keeps only ids: which lines are the conversation as it ended,
 * which are copies or abandoned branches, and which tool call started which sub-agent.
 *
 * The file is a tree by `parentUuid`. The conversation is the path from its last message back to the root, and then
 * what that path passes by: parallel calls of a message and their results hang beside it as siblings. After a rewind
 * the program may write the path anew, with new uuids and without the parallel calls; such copies are recognised by
 * message id, call id or time, and the path goes on through the originals.
 */
import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { JsonObject } from '@holdfast/protocol'
import type { From, Line } from '../read-lines.ts'
import { Answers, inputOf } from './answers.ts'
import { Boundaries, type SaidLine, type SummedUp } from './boundaries.ts'
import {
  type Block,
  callsOf,
  type Entry,
  entryOf,
  isSynthetic,
  modelOf,
  objectOf,
  resultsOf,
  textOf,
} from './entry.ts'
import { isSameUsage, type ModelCall } from './usage.ts'

/** `beside`: no message, kept as a note. `elsewhere`: of another conversation in the same file. */
export type Place = 'main' | 'copy' | 'abandoned' | 'beside' | 'elsewhere'

/** A sub-agent, by the tool call that started it. */
export interface ChildLink {
  agentId: string
  /** Undefined: nobody knows which. */
  callId: string | undefined
  agentType: string | undefined
}

export interface Branch {
  /** Its first line that is not of the conversation as it ended. */
  first: number
  /** When that was said. */
  firstAt: string | undefined
  last: number
}

export interface Outline {
  place(line: number): Place
  /** Whether a line of the file has this uuid. */
  knows(uuid: string): boolean
  /** Line of the first part of a message on the path. */
  firstLineOf(messageId: string): number | undefined
  /** Whether this conversation has said what the line says: its blocks have these digests. */
  holds(entry: Entry, digests: readonly string[]): boolean
  /** Lines of the conversation above that stand in this file too: said, and paid for, there. */
  heard: ReadonlySet<number>
  /** Of lines of an answer that has the id of an earlier one: its own. */
  ownIds: ReadonlyMap<number, string>
  /** Whether a message of the path made this call. */
  hasCall(callId: string): boolean
  /** What each summary stands for that has a boundary, by its line. */
  summedUp: ReadonlyMap<number, SummedUp>
  links: readonly ChildLink[]
  /** What kind of sub-agent a call asked for; undefined: the file has no such call. */
  askedFor(callId: string): Pick<ChildLink, 'agentType'> | undefined
  /** Model calls of abandoned branches: they were paid for all the same. */
  abandonedCalls: readonly ModelCall[]
  /** What the lines up to `through` tell of a call; undefined when they tell nothing. */
  callOf(messageId: string, through: number): ModelCall | undefined
  /** Sub-agents whose conversation is in this file. */
  threads: readonly string[]
  firstAt: string | undefined
  model: string | undefined
  /** The first entry of the conversation: where and with what it ran. */
  first: Entry | undefined
  /** The last message: the conversation is the path that leads to it. */
  leaf: string | undefined
  /**
   * The first line up to `through` that the conversation had when it led to `leaf` and has no more, or the other way
   * round: since then the user went back and took another branch.
   */
  divergence(leaf: string, through: number): number | undefined
  /**
   * The first line of the messages up to `through` that go on behind it in the same turn: with further lines, or with
   * results of their calls.
   */
  wentOn(through: number): number | undefined
  /** Lines that were taken as going on from what was said before them, by what is wrong with the parent that they name. */
  adopted: ReadonlyMap<number, string>
  /** Lines that say something else than the line before them with the same uuid. */
  renamed: ReadonlySet<number>
  /** What was left for another branch, in the order of its last lines. */
  branches: readonly Branch[]
  /** The same as long as the file ended with this line: what is main then may be abandoned now. */
  through(line: number): Outline
  /** Where to begin reading so that no line after this one is missed that belongs to a conversation. */
  after(line: number): From
}

/** Its uuid is that of the file, and with its digest when an earlier line has that one and says something else. */
interface Node extends SaidLine {
  /** Its first byte. */
  start: number
  at: string | undefined
  parent: string | undefined
  /** Stands in for a parent that did not come before it. */
  joined: string | undefined
  thread: string
  /** Of what it says: under one uuid the same is the same line again. */
  digest: string
  isMessage: boolean
  /** Words of a user: what was said before is answered no more. */
  isPrompt: boolean
  /** It has no uuid, so no line goes on from it: it belongs to what was said last before it. */
  isAside: boolean
  /** The call that put it in. */
  ofCall: string | undefined
  copyOf: Node | undefined
}

export interface OutlineOptions {
  /** Which conversation of the file is wanted; undefined: the one that is no sub-agent's. */
  thread: string | undefined
  /** The whole file is one sub-agent's conversation. */
  whole: boolean
  /** The conversation that a sub-agent was started from. */
  above?: Outline | undefined
}

export async function readOutline(
  stretches: AsyncIterable<Iterable<Line>>,
  options: OutlineOptions,
): Promise<Outline> {
  const reader = new OutlineReader(options)
  for await (const lines of stretches)
    for (const line of lines) if (line.value) reader.read(line, entryOf(line.value))
  return reader.finish()
}

/** What a file has beyond these stays in the notes alone. */
const mostBranches = 100

/** Lines that may stand between one and an earlier one that goes on from it. */
const mostAhead = 1_000

class OutlineReader {
  readonly #options: OutlineOptions
  /** In the order of the file. */
  readonly #nodes = new Map<string, Node>()
  /** By thread and uuid of the file, where that is the uuid of several lines: the node of the last of them. */
  readonly #namesakes = new Map<string, Node>()
  readonly #places = new Map<number, Place>()
  readonly #keys = new Map<string, Node>()
  readonly #boundaries = new Boundaries<Node>()
  readonly #answers = new Answers()
  readonly #ownIds = new Map<number, string>()
  readonly #heard = new Set<number>()
  readonly #adopted = new Map<number, string>()
  /** Those whose parent had not come when they were read. */
  readonly #early: Node[] = []
  readonly #renamed = new Set<number>()
  readonly #callInputs = new Map<string, { agentType: string | undefined; prompt: string | undefined }>()
  readonly #linked: { agentId: string; callId: string }[] = []
  /** By message: each time that its figures changed, with the line. */
  readonly #modelCalls = new Map<string, (ModelCall & { line: number })[]>()
  /** By an id that several answers have: what those after the first were made from. */
  readonly #inputs = new Map<string, Set<number>>()
  readonly #threadPrompts = new Map<string, string | undefined>()
  #last: Node | undefined
  #lastSaid: Node | undefined
  #lastBoundary = 0
  #found: readonly Node[] | undefined
  #firstAt: string | undefined
  #firstOwnAt: string | undefined
  #first: Entry | undefined
  #model: string | undefined

  constructor(options: OutlineOptions) {
    this.#options = options
  }

  read({ number: line, start, bytes }: Line, entry: Entry): void {
    const thread = this.#threadOf(entry)
    const isWanted = thread === (this.#options.thread ?? '')
    const parts = entry.blocks.map((block) => hash('sha256', JSON.stringify(block), 'base64'))
    this.#noteThread(entry, thread)
    if (isWanted && this.#options.above?.holds(entry, parts)) this.#heard.add(line)
    else if (isWanted) this.#noteAgents(entry)
    this.#places.set(line, isWanted ? 'beside' : 'elsewhere')
    if (isWanted) this.#firstAt ??= entry.at
    const uuid = entry.uuid ?? (entry.queued ? `line ${line}` : undefined)
    if (uuid === undefined) return
    const digest = entry.message
      ? [thread, entry.type, ...parts].join(' ')
      : `${bytes.length} ${crc32(bytes)}`
    const node = this.#nodeOf({ line, start, thread, digest }, entry, uuid)
    if (this.#isRepeated(node, uuid)) {
      if (isWanted) this.#places.set(line, 'copy')
      return
    }
    this.#nodes.set(node.uuid, node)
    if (isWanted) this.#readNode(node, entry, parts)
  }

  #readNode(node: Node, entry: Entry, parts: readonly string[]): void {
    if (node.isAside) node.parent = this.#lastSaid?.uuid
    else if (node.uuid !== entry.uuid) this.#renamed.add(node.line)
    this.#readParent(node, entry)
    this.#last = node
    if (node.isMessage) this.#lastSaid = node
    if (entry.raw.subtype === 'compact_boundary') this.#addBoundary(node.line, entry.raw)
    if (entry.compactSummary) this.#boundaries.addSummary(node)
    if (!node.isMessage) return
    this.#first ??= entry
    this.#model ??= modelOf(entry)
    this.#findCopy(node, entry, parts)
    if (!this.#heard.has(node.line)) this.#firstOwnAt ??= entry.at
    this.#noteModelCall(node, entry)
  }

  finish(): Outline {
    for (const node of this.#early)
      if (!this.#isParentAhead(node))
        this.#adopt(node, node.joined, 'lines whose parent is missing, joined to the line before')
    return this.#outlineThrough(Number.POSITIVE_INFINITY)
  }

  /** A branch is asked for little more than its places, and there may be many: the rest is found when it is asked for. */
  #outlineThrough(last: number): Outline {
    const leaf = this.#messages().findLast((node) => node.line <= last)
    const main = this.#conversationOf(leaf, last)
    const places = new Map(this.#places)
    for (const node of this.#messages()) {
      const place = main.nodes.has(node) ? 'main' : node.copyOf ? 'copy' : 'abandoned'
      places.set(node.line, place)
    }
    const isAbandoned = ({ line }: Node) => places.get(line) === 'abandoned'
    const summedUp = remembered(() => this.#boundaries.summedUp(main.nodes))
    const links = remembered(() => this.#links())
    const abandonedCalls = remembered(() => this.#callsBeside(main.messages))
    const branches = remembered(() => this.#branches(isAbandoned))
    return {
      place: (line) => places.get(line) ?? 'elsewhere',
      knows: (uuid) => this.#nodes.has(uuid),
      firstLineOf: (messageId) => main.messages.get(messageId),
      holds: (entry, digests) => this.#holds(entry, digests),
      heard: this.#heard,
      ownIds: this.#ownIds,
      hasCall: (callId) => main.calls.has(callId),
      get summedUp() {
        return summedUp()
      },
      get links() {
        return links()
      },
      askedFor: (callId) => this.#callInputs.get(callId),
      get abandonedCalls() {
        return abandonedCalls()
      },
      callOf: (messageId, through) =>
        this.#modelCalls.get(messageId)?.findLast(({ line }) => line <= through),
      threads: [...this.#threadPrompts.keys()],
      firstAt: this.#heard.size > 0 ? (this.#firstOwnAt ?? this.#firstAt) : this.#firstAt,
      model: this.#model,
      first: this.#first,
      leaf: leaf?.uuid,
      divergence: (leaf, through) => {
        const before = this.#conversationOf(this.#nodes.get(leaf), through).nodes
        const isChanged = (node: Node) => node.line <= through && before.has(node) !== main.nodes.has(node)
        return [...this.#nodes.values()].find(isChanged)?.line
      },
      wentOn: (through) => firstThatWentOn([...main.nodes], main.messages, through),
      adopted: this.#adopted,
      renamed: this.#renamed,
      get branches() {
        return branches()
      },
      through: (line) => this.#outlineThrough(line),
      after: (line) => {
        const next = [...this.#nodes.values()].find((node) => node.line > line)
        return next ? { byte: next.start, line: next.line - 1 } : { byte: 0, line: 0 }
      },
    }
  }

  /** Of the conversation and its branches, in the order of the file; to be asked when every line was read. */
  #messages(): readonly Node[] {
    this.#found ??= [...this.#nodes.values()].filter(
      ({ isMessage, line }) => isMessage && this.#places.get(line) !== 'elsewhere',
    )
    return this.#found
  }

  #callsBeside(said: ReadonlyMap<string, number>): ModelCall[] {
    const calls = [...this.#modelCalls.values()].flatMap((told) => told.at(-1) ?? [])
    return calls.filter(({ messageId }) => !said.has(messageId))
  }

  /** Of two where one goes on from the other, the longer. */
  #branches(isAbandoned: (node: Node) => boolean): Branch[] {
    const nodes = this.#messages().filter((node) => !node.copyOf && isAbandoned(node))
    const ends = nodes.filter((node, at) => {
      const next = nodes[at + 1]
      return !next || this.#parentOf(next) !== node
    })
    const found = ends
      .slice(0, mostBranches)
      .map((end) => ({ end, nodes: this.#conversationOf(end, end.line).nodes }))
    const goesOn = (end: Node, at: number) => found.slice(at + 1).some((later) => later.nodes.has(end))
    return found
      .filter(({ end }, at) => !goesOn(end, at))
      .map(({ end, nodes }) => {
        const { line: first, at: firstAt } = [...nodes].find(isAbandoned) ?? end
        return { first, firstAt, last: end.line }
      })
  }

  /** As the lines up to `last` tell it. */
  #conversationOf(leaf: Node | undefined, last: number) {
    const path = new Set<Node>()
    for (let node = original(leaf); node && !path.has(node); node = this.#parentOf(node)) path.add(node)
    return this.#withSiblings(path, last)
  }

  /** Beside the path itself: further lines of its messages, the results of their calls, and what these put in. */
  #withSiblings(path: ReadonlySet<Node>, last: number) {
    const onPath = new Set([...path].flatMap(({ messageId }) => messageId ?? []))
    const messages = new Map<string, number>()
    const calls = new Set<string>()
    const nodes = new Set<Node>()
    for (const node of this.#messages()) {
      if (node.copyOf || node.line > last) continue
      const ofMessage = node.messageId !== undefined && onPath.has(node.messageId)
      const answers = node.results.some((callId) => calls.has(callId))
      const isPutIn = node.ofCall !== undefined && calls.has(node.ofCall)
      const isBeside = node.isAside && isIn(nodes, this.#parentOf(node))
      if (!path.has(node) && !ofMessage && !answers && !isPutIn && !isBeside) continue
      nodes.add(node)
      for (const callId of node.calls) calls.add(callId)
      if (node.messageId !== undefined && !messages.has(node.messageId))
        messages.set(node.messageId, node.line)
    }
    return { nodes, messages, calls }
  }

  #nodeOf(place: Pick<Node, 'line' | 'start' | 'thread' | 'digest'>, entry: Entry, uuid: string): Node {
    const { digest, thread } = place
    const first = this.#nodes.get(uuid)
    return {
      ...place,
      uuid: first && first.digest !== digest ? `${uuid} ${digest}` : uuid,
      parent: entry.parent && this.#nameOf(entry.parent, thread),
      joined: undefined,
      at: entry.at,
      isMessage: entry.message !== undefined,
      isPrompt:
        entry.ofCall === undefined &&
        entry.type === 'user' &&
        entry.blocks.some(({ type }) => type !== 'tool_result'),
      isAside: entry.uuid === undefined,
      ofCall: entry.ofCall,
      isSummary: entry.compactSummary,
      messageId: entry.messageId,
      calls: callsOf(entry).flatMap((block) => textOf(block.id) ?? []),
      results: resultsOf(entry).flatMap((block) => textOf(block.tool_use_id) ?? []),
      copyOf: undefined,
    }
  }

  /** Whether the line stands in the file before, as a whole: what goes on from it goes on from there. */
  #isRepeated(node: Node, uuid: string): boolean {
    const known = this.#nodes.get(node.uuid)
    const name = `${node.thread} ${uuid}`
    if (node.uuid !== uuid || this.#namesakes.has(name)) this.#namesakes.set(name, known ?? node)
    return known !== undefined
  }

  /** The uuid in the outline of the line that the file names, in the same thread if it can be. */
  #nameOf(uuid: string, thread: string): string {
    return this.#namesakes.get(`${thread} ${uuid}`)?.uuid ?? uuid
  }

  /** What was said after a compaction came after its summary, also where it goes on from a line that was kept beside it. */
  #parentOf(node: Node): Node | undefined {
    const parent = node.parent === undefined ? undefined : this.#nodes.get(node.parent)
    return original(parent && (this.#boundaries.between(parent, node) ?? parent))
  }

  #addBoundary(line: number, raw: JsonObject): void {
    this.#lastBoundary = line
    this.#boundaries.add(line, raw, {
      parentOf: (uuid) => this.#nodes.get(uuid)?.parent,
      originalOf: (uuid) => original(this.#nodes.get(uuid))?.uuid ?? uuid,
    })
  }

  /** A line lost or broken before this one must not cut off the conversation before it. */
  #adopt(node: Node, parent: string | undefined, why: string): void {
    node.parent = parent
    this.#adopted.set(node.line, why)
  }

  #readParent(node: Node, entry: Entry): void {
    const parent = node.parent === undefined ? undefined : this.#nodes.get(node.parent)
    if (this.#isLost(parent, node, entry))
      this.#adopt(
        node,
        this.#lastSaid?.uuid,
        'lines of a compaction that name no line before it, joined to that',
      )
    else if (node.parent !== undefined && !parent) {
      node.joined = this.#last?.uuid
      this.#early.push(node)
    }
  }

  /** From its second compaction on the program may take what began the session for what came last, or name nothing. */
  #isLost(parent: Node | undefined, { parent: named }: Node, { type, raw, compactSummary }: Entry): boolean {
    if (!this.#lastSaid) return false
    if (named === undefined) return compactSummary || raw.subtype === 'compact_boundary'
    const isBehind = parent !== undefined && parent.line < this.#lastBoundary
    return type === 'system' && isBehind && !this.#isAnswered(parent)
  }

  /** Whoever went back goes on from behind an answer. */
  #isAnswered(node: Node): boolean {
    let at: Node | undefined = node
    for (let steps = 0; at && steps < mostAhead; steps++) {
      if (at.messageId !== undefined) return true
      at = this.#nodeBefore(at)
    }
    return at !== undefined
  }

  /** What goes on from its parent there goes on from before the node in the end: so no line leads to itself. */
  #isParentAhead({ parent, line }: Node): boolean {
    let ahead = parent === undefined ? undefined : this.#nodes.get(parent)
    if (!ahead) return false
    for (let steps = 0; ahead && ahead.line > line; steps++) {
      if (steps === mostAhead || ahead.joined !== undefined) return false
      ahead = ahead.parent === undefined ? undefined : this.#nodes.get(ahead.parent)
    }
    return ahead?.line !== line
  }

  /**
   * A line all of whose parts were seen before is a copy of the line that had the first of them. It is not when it goes on
   * from what was said since, and is of another answer or of nobody knows which: then somebody said the same again.
   */
  #findCopy(node: Node, entry: Entry, parts: readonly string[]): void {
    const keys = entry.blocks.map((block, at) => keyOf(entry, block, parts[at]))
    const seen = keys.map((key) => this.#keys.get(key))
    const [first] = seen
    const { messageId } = entry
    const before = this.#nodeBefore(node)?.messageId
    const isAnother = messageId !== undefined && this.#answers.isAnother(messageId, entry, before)
    const isSeen = first !== undefined && seen.every((earlier) => earlier !== undefined)
    const isOfSame =
      messageId !== undefined && this.#answers.isOf(first?.messageId, messageId, entry, isAnother)
    const isSaidAgain = isSeen && !isOfSame && this.#goesOnFrom(first, node)
    if (isSeen && !isSaidAgain) node.copyOf = first
    for (const key of keys) if (isSaidAgain || !this.#keys.has(key)) this.#keys.set(key, node)
    if (node.copyOf) {
      node.messageId = node.copyOf.messageId
      return
    }
    if (entry.type === 'user') this.#answers.said(entry)
    if (messageId === undefined) return
    node.messageId = this.#answers.read(messageId, entry, isAnother)
    if (node.messageId !== messageId) this.#ownIds.set(node.line, node.messageId)
  }

  /** Of answers with one id and the same words one that was made from as much is meant. */
  #holds(entry: Entry, digests: readonly string[]): boolean {
    const said = entry.blocks.map((block, at) => this.#keys.get(keyOf(entry, block, digests[at])))
    if (said.length === 0 || said.includes(undefined)) return false
    const id = entry.messageId ?? ''
    const told = this.#modelCalls.get(id)?.map(({ usage }) => inputOf(usage)) ?? []
    const ours = inputOf(objectOf(entry.message?.usage))
    return told.length === 0 || [0, ...told].includes(ours) || this.#inputs.get(id)?.has(ours) === true
  }

  /** Of a path that was written anew the message before is a copy too, or one that came before it all. */
  #goesOnFrom(earlier: Node, node: Node): boolean {
    let before = this.#nodeBefore(node)
    while (before && !before.isMessage && before.line > earlier.line) before = this.#nodeBefore(before)
    return before !== undefined && before.copyOf === undefined && before.line >= earlier.line
  }

  /** The parent, when its line is before this one. */
  #nodeBefore({ parent, joined = parent, line }: Node): Node | undefined {
    const node = joined === undefined ? undefined : this.#nodes.get(joined)
    return node && node.line < line ? node : undefined
  }

  /** The last line of a message has its final figures. */
  #noteModelCall({ line, messageId }: Node, entry: Entry): void {
    const usage = objectOf(entry.message?.usage)
    const isPaidElsewhere = entry.copied || this.#heard.has(line)
    if (messageId === undefined || usage === undefined || isSynthetic(entry) || isPaidElsewhere) return
    const { messageId: id = messageId } = entry
    if (id !== messageId) this.#inputs.set(id, (this.#inputs.get(id) ?? new Set()).add(inputOf(usage)))
    const call = { messageId, model: modelOf(entry), usage, at: entry.at }
    const told = this.#modelCalls.get(messageId) ?? []
    const last = told.at(-1)
    if (last && isSameUsage(last.usage, usage)) told[told.length - 1] = { ...call, line: last.line }
    else told.push({ ...call, line })
    this.#modelCalls.set(messageId, told)
  }

  #threadOf(entry: Entry): string {
    if (this.#options.whole) return this.#options.thread ?? ''
    if (!entry.sidechain) return ''
    const parent = entry.parent === undefined ? undefined : this.#nodes.get(entry.parent)
    return entry.agentId ?? parent?.thread ?? entry.uuid ?? ''
  }

  #noteThread(entry: Entry, thread: string): void {
    if (entry.sidechain && !this.#options.whole && !this.#threadPrompts.has(thread))
      this.#threadPrompts.set(thread, textOf(entry.blocks[0]?.text))
  }

  #noteAgents(entry: Entry): void {
    for (const call of callsOf(entry)) {
      const input = objectOf(call.input)
      if (typeof call.id === 'string') {
        const known = { agentType: textOf(input?.subagent_type), prompt: textOf(input?.prompt) }
        this.#callInputs.set(call.id, known)
      }
    }
    const agentId = textOf(objectOf(entry.raw.toolUseResult)?.agentId)
    const callId = textOf(resultsOf(entry)[0]?.tool_use_id)
    if (agentId !== undefined && callId !== undefined) this.#linked.push({ agentId, callId })
  }

  /** By the agent id in a tool's result; else by the prompt that a sub-agent in this file began with. */
  #links(): ChildLink[] {
    const taken = new Set(this.#linked.map(({ callId }) => callId))
    const byPrompt = [...this.#threadPrompts].flatMap(([agentId, prompt]) => {
      if (prompt === undefined || this.#linked.some((link) => link.agentId === agentId)) return []
      const isOf = ([callId, input]: [string, { prompt: string | undefined }]) =>
        input.prompt === prompt && !taken.has(callId)
      const callId = [...this.#callInputs].find(isOf)?.[0]
      if (callId === undefined) return []
      taken.add(callId)
      return [{ agentId, callId }]
    })
    const first = new Map([...this.#linked, ...byPrompt].reverse().map((link) => [link.agentId, link]))
    return [...first.values()].reverse().map((link) => ({
      ...link,
      agentType: this.#callInputs.get(link.callId)?.agentType,
    }))
  }
}

function remembered<T>(find: () => T): () => T {
  let found: { value: T } | undefined
  return () => {
    found ??= { value: find() }
    return found.value
  }
}

/** `nodes` of a conversation in the order of the file, `messages` with the first line of each. */
function firstThatWentOn(
  nodes: readonly Node[],
  messages: ReadonlyMap<string, number>,
  through: number,
): number | undefined {
  const begin = nodes.findLast(({ isPrompt, line }) => isPrompt && line <= through)?.line ?? 0
  const end = nodes.find(({ isPrompt, line }) => isPrompt && line > through)?.line ?? Number.POSITIVE_INFINITY
  const before = nodes.filter(({ line }) => begin < line && line <= through)
  const after = nodes.filter(({ line }) => through < line && line < end)
  const known = new Set(before.flatMap(({ results }) => results))
  const answered = new Set(after.flatMap(({ results }) => results).filter((callId) => !known.has(callId)))
  const goingOn = new Set(after.flatMap(({ messageId }) => messageId ?? []))
  const lines = before.flatMap(({ messageId, calls, line }) => {
    const isOpen = calls.some((callId) => answered.has(callId))
    const isLonger = messageId !== undefined && goingOn.has(messageId)
    return isOpen || isLonger ? [messages.get(messageId ?? '') ?? line] : []
  })
  return lines.length > 0 ? Math.min(...lines) : undefined
}

function isIn(nodes: ReadonlySet<Node>, node: Node | undefined): boolean {
  return node !== undefined && nodes.has(node)
}

function original(node: Node | undefined): Node | undefined {
  return node?.copyOf ?? node
}

function keyOf(entry: Entry, block: Block, digest: string | undefined): string {
  if (block.type === 'tool_result') return `result ${block.tool_use_id}`
  const owner = entry.messageId ?? entry.at ?? entry.uuid
  if (block.type === 'tool_use') return `use ${owner} ${block.id}`
  return `${entry.type} ${owner} ${digest}`
}
