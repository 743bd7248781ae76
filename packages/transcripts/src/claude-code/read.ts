/** Reads a Claude Code session file with the files of its sub-agents: each becomes a session, sub-agents as children. */
import { hash } from 'node:crypto'
import { basename } from 'node:path'
import { type JsonObject, limits } from '@holdfast/protocol'
import type { Step, Turn } from '../batch.ts'
import { DeletedSession, deletedSessions } from '../deleted-session.ts'
import type { Destination, SourceName } from '../destination.ts'
import type { ImportedSession, NewSession } from '../imported-session.ts'
import { isUnchanged } from '../line-position.ts'
import { LossReport } from '../loss-report.ts'
import type { Line } from '../read-lines.ts'
import { shortFacts } from '../short-facts.ts'
import { shortened } from '../short-title.ts'
import type { Source } from '../source.ts'
import { writeTurns } from '../write-turns.ts'
import { type AgentAbout, aboutAgent } from './agent-about.ts'
import { agentsOf, ownerOf } from './agent-files.ts'
import { objectOf, textOf } from './entry.ts'
import { type Branch, type ChildLink, type Outline, readOutline } from './outline.ts'
import { type Position, positionAt, positionOf } from './position.ts'
import { agentIdOf, readTurns } from './turns.ts'
import { providerId, usageSteps } from './usage.ts'

export const formatName = 'claude-code'

export async function readClaudeCode(source: Source, into: Destination): Promise<void> {
  const name = basename(source.plainName, '.jsonl')
  const isOwnName = uuidName.test(name)
  const begin = isOwnName ? undefined : await firstUuidIn(source)
  await into.alone(into.sessionIdOf(formatName, name), async () => {
    const from = await into.named(formatName, name, begin)
    const isTaken = isOwnName && (await isOfAnother(source, from.sourceId, into))
    await new ClaudeCodeReading(source, into, isTaken ? await apartFrom(from, source) : from).run()
  })
}

/**
 * When the user goes on in another folder the program takes the file of the session there, and may leave one of its name that
 * holds a few lines and nothing of what was said. Which of them was imported first does not matter.
 */
async function isOfAnother(source: Source, sourceId: string, into: Destination): Promise<boolean> {
  const session = await into.open(into.sessionIdOf(formatName, sourceId))
  const position = positionOf(session?.position)
  if (!session || !position || (await isUnchanged(source, position))) return false
  const said = await session.firstIds()
  for await (const { value } of source.lines()) if (said.has(textOf(value?.uuid) ?? '')) return false
  return true
}

async function apartFrom({ sourceId, ...from }: SourceName, source: Source): Promise<SourceName> {
  for await (const { bytes } of source.lines())
    return { ...from, sourceId: `${sourceId}#${hash('sha256', bytes, 'hex').slice(0, 16)}` }
  return { ...from, sourceId }
}

/** Claude Code names the file of a session by its id: there is no other conversation of that name. */
const uuidName = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

async function firstUuidIn(source: Source): Promise<string | undefined> {
  const uuid = (await source.head()).records.text('uuid')
  return uuid && hash('sha256', uuid, 'hex')
}

type Stretches = AsyncGenerator<Iterable<Line>>

/** One conversation: the main one, or a sub-agent's. */
interface Conversation {
  source: Source
  /** Undefined for the main one. */
  agentId: string | undefined
  agentType: string | undefined
  callId: string | undefined
  parent: Parent | undefined
}

/** A conversation that may have started sub-agents. */
interface Parent {
  session: ImportedSession
  source: Source
  outline: Outline
  /** Undefined for the main one. */
  parent: Parent | undefined
  depth: number
}

interface AgentFile {
  path: string
  about: AgentAbout | undefined
}

class ClaudeCodeReading {
  readonly #source: Source
  readonly #into: Destination
  readonly #from: SourceName
  readonly #sourceId: string
  /** Sub-agents with a file of their own. */
  readonly #agents: ReadonlyMap<string, AgentFile>
  readonly #done = new Set<string>()

  constructor(source: Source, into: Destination, from: SourceName) {
    this.#source = source
    this.#into = into
    this.#from = from
    this.#sourceId = from.sourceId
    this.#agents = new Map(
      [...agentsOf(source.path)].map(([agentId, path]) => [agentId, { path, about: aboutAgent(path) }]),
    )
  }

  async run(): Promise<void> {
    const main = {
      source: this.#source,
      agentId: undefined,
      agentType: undefined,
      callId: undefined,
      parent: undefined,
    }
    const read = await this.#readConversation(main)
    for (const agentId of [...this.#agentsByDepth(), ...read.outline.threads]) {
      const agentType = this.#agents.get(agentId)?.about?.agentType
      await this.#readChild(read, { agentId, callId: undefined, agentType })
    }
  }

  /** The conversation beside it goes on. */
  #leaveDeleted(error: unknown): void {
    if (!(error instanceof DeletedSession)) throw error
    this.#into.report.drop(deletedSessions)
  }

  /** A sub-agent of another one is read with that one, if it is there. */
  #agentsByDepth(): string[] {
    return [...this.#agents.keys()]
      .map((agentId) => ({ agentId, depth: this.#depthOf(agentId) }))
      .sort((a, b) => a.depth - b.depth)
      .map(({ agentId }) => agentId)
  }

  #depthOf(agentId: string): number {
    const way = new Set<string>()
    for (let at: string | undefined = agentId; at !== undefined && !way.has(at); ) {
      if (this.#agents.has(at)) way.add(at)
      at = this.#agents.get(at)?.about?.parentId
    }
    return Math.max(way.size, this.#agents.get(agentId)?.about?.depth ?? 1)
  }

  async #readConversation(conversation: Conversation): Promise<Parent> {
    const { source, agentId, parent } = conversation
    const whole = source !== this.#source || ownerOf(source.path) !== undefined
    const above = parent?.outline
    const outline = await readOutline(source.stretches(), { thread: agentId, whole, above })
    const session =
      (await this.#into.open(this.#idOf(agentId))) ?? (await this.#create(conversation, outline))
    if (agentId !== undefined) this.#done.add(agentId)
    const read = { session, source, outline, parent, depth: parent ? parent.depth + 1 : 0 }
    const isRead = await this.#readOn(read, conversation)
    for (const link of this.#linksOf(outline, agentId)) await this.#readChild(read, link)
    this.#into.done(session)
    if (isRead)
      for (const branch of outline.branches)
        await this.#readBranch(session, conversation, outline, branch).catch((error) =>
          this.#leaveDeleted(error),
        )
    return read
  }

  /**
   * A branch that was left is a fork of the session, from the last turn before they parted. What it cost is in the session,
   * and so are its lines, as notes: they are what is told of, and written back.
   */
  async #readBranch(
    trunk: ImportedSession,
    { source, agentId }: Conversation,
    outline: Outline,
    { first, firstAt, last }: Branch,
  ): Promise<void> {
    const branch = outline.through(last)
    const path = [this.#sourceId, agentId, branch.leaf].filter((part) => part !== undefined)
    const id = this.#into.sessionIdOf(formatName, path.join('/'))
    const session = (await this.#into.open(id)) ?? (await forkBefore(first, firstAt, trunk, id))
    const position = positionOf(session.position)
    const after = position?.said ?? 0
    const cut = position?.cut ?? false
    const seen = position && (cut || position.seen > position.line) ? position.seen : after
    const lines = linesOf(branch, { after, last }, source.stretches(branch.after(after)))
    const turns = readTurns(lines, {
      outline: branch,
      links: [],
      report: new LossReport(),
      file: source.name,
      after,
      seen,
      isCounted: (line) => line <= after,
      isNamed: after > 0 && !position?.unnamed,
      position: (read, isNamed, isUnfinished) =>
        positionAt(read, { leaf: branch.leaf, seen, isNamed, isUnfinished, cut }),
      childId: (agentId) => this.#idOf(agentId),
      spawned: new Set(),
      open: new Set(),
      isPart: true,
      putImage: (file, at) => session.putAttachment(file, at),
    })
    const origin = { format: formatName, sourceId: this.#sourceId, branch: branch.leaf ?? '' }
    await writeTurns(session, asBranch(turns, origin))
    this.#into.done(session)
  }

  /** False when the file no longer is what was read before. */
  async #readOn(self: Parent, { agentId }: Conversation): Promise<boolean> {
    const { session, source, outline } = self
    const { report } = this.#into
    const position = positionOf(session.position)
    if (position && !(await isUnchanged(source, position))) {
      const reason = 'the file no longer has the line that was imported last; nothing was added'
      this.#into.refuse({ file: source.name, line: position.line, reason })
      return false
    }
    const parting = position && partingSince(position, outline)
    const said = position && (await this.#goBack(session, position, outline, parting))
    const last = position && { byte: position.byte, line: position.line }
    const from = said === undefined ? last : outline.after(said)
    const after = said ?? position?.said ?? 0
    const seen = position?.seen ?? 0
    const cut = position?.cut === true || said !== undefined
    const links = isDeepest(self) ? [] : this.#linksOf(outline, agentId)
    const open = new Set<string>()
    const isDescribed = this.#aboutOf(agentId)?.description !== undefined
    const turns = readTurns(linesAfter(said ?? 0, source.stretches(from)), {
      outline,
      links,
      report,
      file: source.name,
      after,
      seen,
      isCounted: countedBefore(
        position,
        parting === undefined ? outline : outline.through(position?.line ?? 0),
      ),
      isNamed: isDescribed || (position !== undefined && !position.unnamed && after > 0),
      position: (read, isNamed, isUnfinished) =>
        positionAt(read, { leaf: outline.leaf, seen, isNamed, isUnfinished, cut }),
      childId: (agentId) => this.#idOf(agentId),
      spawned: await this.#spawned(links),
      open,
      isPart: source === this.#source && agentId !== undefined,
      putImage: (file, at) => session.putAttachment(file, at),
    })
    await writeTurns(session, withPaid(turns, outline, seen), async (written) => {
      for (const link of spawnedIn(written, links)) {
        await this.#readChild(self, link)
        open.delete(link.agentId)
      }
    })
    return true
  }

  /**
   * After the user went back in the source, the session is cut where the branches part, and before a message that was still
   * being written when it was imported; what is cut off stays readable. The line after which is to be read again; undefined:
   * nothing is.
   */
  async #goBack(
    session: ImportedSession,
    position: Position,
    outline: Outline,
    parting: number | undefined,
  ): Promise<number | undefined> {
    const { report } = this.#into
    const { isUnfinished, said } = position
    const open = session.isAsLeft ? (isUnfinished ? said : outline.wentOn(said)) : undefined
    if (parting !== undefined) report.repair('branches left since the last import, cut off')
    if (open !== undefined) report.repair('messages that went on after an earlier import, read anew')
    const first = Math.min(parting ?? Number.POSITIVE_INFINITY, open ?? Number.POSITIVE_INFINITY)
    if (first === Number.POSITIVE_INFINITY) return undefined
    const kept = await session.positionBefore((data) => (positionOf(data)?.said ?? 0) < first)
    session.cutAfter(kept.seq)
    return positionOf(kept.data)?.said ?? 0
  }

  /** A child's end is told to its parent once; telling it again changes nothing. */
  async #readChild(starter: Parent, link: ChildLink): Promise<void> {
    const { agentId } = link
    if (this.#done.has(agentId)) return
    const parent = isDeepest(starter) ? (starter.parent ?? starter) : starter
    const own = this.#agents.get(agentId)
    const within = parent.source
    const source = own === undefined ? within : await within.beside(own.path)
    try {
      const { session } = await this.#readConversation({ source, ...link, parent })
      await parent.session.finishChild(session)
    } catch (error) {
      this.#leaveDeleted(error)
      this.#done.add(agentId)
    } finally {
      if (source !== within) await source.close()
    }
  }

  async #create(conversation: Conversation, outline: Outline): Promise<ImportedSession> {
    const { agentId, agentType, callId, parent } = conversation
    const about = this.#aboutOf(agentId)
    const input: NewSession = {
      id: this.#idOf(agentId),
      conversationId: this.#idOf(undefined),
      agentId: agentId === undefined ? formatName : agentIdOf(agentType),
      channel: 'cli',
      modelPolicy: 'switchable',
      metadata: {
        ...metadataOf(
          agentId === undefined ? this.#from : { format: formatName, sourceId: this.#sourceId, agentId },
          outline,
        ),
        ...about?.facts,
      },
      ...(about?.description !== undefined && { title: shortened(about.description) }),
      ...(outline.model !== undefined && { providerId, model: outline.model }),
    }
    const at = outline.firstAt
    return parent ? parent.session.createChild(input, callId, at) : this.#into.create(input, at)
  }

  #idOf(agentId: string | undefined): string {
    const sourceId = agentId === undefined ? this.#sourceId : `${this.#sourceId}/${agentId}`
    return this.#into.sessionIdOf(formatName, sourceId)
  }

  #aboutOf(agentId: string | undefined): AgentAbout | undefined {
    return agentId === undefined ? undefined : this.#agents.get(agentId)?.about
  }

  /** Only sub-agents whose conversation we have. What their results tell comes before what is told beside their files. */
  #linksOf(outline: Outline, parentId: string | undefined): ChildLink[] {
    const told = outline.links
      .filter(({ agentId }) => this.#agents.has(agentId) || outline.threads.includes(agentId))
      .map((link) => ({ ...link, agentType: link.agentType ?? this.#aboutOf(link.agentId)?.agentType }))
    const known = new Set(told.map(({ agentId }) => agentId))
    const noted = [...this.#agents].flatMap(([agentId, { about }]) => {
      const isOthers = about?.parentId !== parentId && this.#agents.has(about?.parentId ?? '')
      const link = about && !isOthers && !known.has(agentId) && linkOf(agentId, about, outline, parentId)
      return link ? [link] : []
    })
    return [...told, ...noted]
  }

  async #spawned(links: readonly ChildLink[]): Promise<ReadonlySet<string>> {
    const known = new Set<string>()
    for (const { agentId } of links) if (await this.#into.has(this.#idOf(agentId))) known.add(agentId)
    return known
  }
}

/** What it starts is a child of its parent: a session has no deeper ones. */
function isDeepest({ depth }: Parent): boolean {
  return depth >= limits.spawnDepth
}

/** Undefined: neither the call that started the sub-agent is of this conversation, nor is it named as the parent. */
function linkOf(
  agentId: string,
  { callId, agentType, parentId: namedId }: AgentAbout,
  outline: Outline,
  parentId: string | undefined,
): ChildLink | undefined {
  const asked = callId === undefined ? undefined : outline.askedFor(callId)
  if (asked) return { agentId, callId, agentType: asked.agentType ?? agentType }
  const isNamed = namedId !== undefined && namedId === parentId && agentId !== parentId
  return isNamed ? { agentId, callId: undefined, agentType } : undefined
}

async function* linesAfter(line: number, stretches: Stretches): Stretches {
  for await (const lines of stretches) yield only(lines, ({ number }) => number > line)
}

/** Nothing that stands between them and is of another branch. */
async function* linesOf(
  branch: Outline,
  { after, last }: { after: number; last: number },
  stretches: Stretches,
): Stretches {
  const isOf = ({ number }: Line) => number > after && branch.place(number) === 'main'
  let read = 0
  function* upToLast(lines: Iterable<Line>): Generator<Line> {
    for (const line of lines) {
      read = line.number
      if (read > last) return
      yield line
    }
  }
  for await (const lines of stretches) {
    yield only(upToLast(lines), isOf)
    if (read > last) return
  }
}

function* only(lines: Iterable<Line>, is: (line: Line) => boolean): Generator<Line> {
  for (const line of lines) if (is(line)) yield line
}

/** The line where the conversation parts from the one that was imported. */
function partingSince({ leaf, line }: Position, outline: Outline): number | undefined {
  return leaf === undefined ? undefined : outline.divergence(leaf, line)
}

/** `then`: the outline as far as the file was read. What was on another branch became notes. */
function countedBefore(position: Position | undefined, then: Outline): (line: number) => boolean {
  return (line) => position !== undefined && line <= position.line && then.place(line) === 'main'
}

async function forkBefore(
  line: number,
  at: string | undefined,
  trunk: ImportedSession,
  id: string,
): Promise<ImportedSession> {
  return trunk.fork(id, await trunk.positionBefore((data) => (positionOf(data)?.said ?? 0) < line), at)
}

/** Told where it comes from in its first commit; paid for by the session that it was left in. */
async function* asBranch(turns: AsyncIterable<Turn>, source: JsonObject): AsyncGenerator<Turn> {
  let begin: Step[] = [{ command: { type: 'patchMetadata', values: { source } }, at: undefined }]
  for await (const { before, run, ...turn } of turns) {
    const rounds = run?.rounds.map((round) => ({ ...round, steps: round.steps.filter(isUnpaid) })) ?? []
    yield { ...turn, before: [...begin, ...before], run: run && { ...run, rounds } }
    begin = []
  }
}

/** What abandoned branches cost comes last. */
async function* withPaid(
  turns: AsyncIterable<Turn>,
  { abandonedCalls, callOf }: Outline,
  seen: number,
): AsyncGenerator<Turn> {
  yield* turns
  const steps = abandonedCalls.flatMap((call) => usageSteps(call, callOf(call.messageId, seen)))
  if (steps.length > 0) yield { before: steps, run: undefined, after: [], position: undefined }
}

function isUnpaid({ command }: Step): boolean {
  return command.type !== 'recordUsage'
}

function spawnedIn(turns: readonly Turn[], links: readonly ChildLink[]): ChildLink[] {
  if (links.length === 0) return []
  const steps = turns.flatMap(({ before, run }) => [
    ...before,
    ...(run?.rounds.flatMap((round) => round.steps) ?? []),
  ])
  const callIds = steps.flatMap(({ command }) => (command.type === 'spawnChild' ? [command.callId] : []))
  return links.filter(({ callId }) => callIds.includes(callId))
}

function metadataOf(source: JsonObject, { first }: Outline): JsonObject {
  const facts = {
    cwd: textOf(first?.raw.cwd),
    version: textOf(first?.raw.version),
    gitBranch: textOf(first?.raw.gitBranch),
    forkedFrom: first?.copied ? textOf(objectOf(first.raw.forkedFrom)?.sessionId) : undefined,
  }
  return { source, ...shortFacts(facts) }
}
