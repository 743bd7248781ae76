/** Imports a Claude Code session file with the files of its sub-agents: each becomes a session, sub-agents as children. */
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import type { JsonObject } from '@holdfast/protocol'
import type { Turn } from './batch.ts'
import { textOf } from './claude-code/entry.ts'
import { type ChildLink, type Outline, readOutline } from './claude-code/outline.ts'
import { isUnchanged, type Position, positionAt, positionOf } from './claude-code/position.ts'
import { agentIdOf, readTurns } from './claude-code/turns.ts'
import { type PriceOf, providerId, usageOf } from './claude-code/usage.ts'
import { commitsOf } from './commits.ts'
import { ImportResult } from './import-result.ts'
import { type Line, readLines } from './read-lines.ts'
import { sessionIdOf } from './session-id.ts'
import { ImportedSession, type NewSession } from './write.ts'

const format = 'claude-code'

export interface ClaudeCodeOptions {
  /** Prices the calls, for the files name none. */
  price: PriceOf
}

/** Importing a file again appends what is new in it. */
export async function importClaudeCode(
  holdfast: Holdfast,
  path: string,
  options: ClaudeCodeOptions,
): Promise<ImportResult> {
  const importer = new ClaudeCodeImport(holdfast, path, options)
  await importer.run()
  return importer.result
}

/** One conversation: the main one, or a sub-agent's. */
interface Conversation {
  path: string
  /** Undefined for the main one. */
  agentId: string | undefined
  agentType: string | undefined
  callId: string | undefined
  parent: ImportedSession | undefined
}

class ClaudeCodeImport {
  readonly result = new ImportResult()
  readonly #holdfast: Holdfast
  readonly #path: string
  readonly #sourceId: string
  readonly #options: ClaudeCodeOptions
  /** Of sub-agents with a file of their own. */
  readonly #agentPaths: ReadonlyMap<string, string>
  readonly #done = new Set<string>()

  constructor(holdfast: Holdfast, path: string, options: ClaudeCodeOptions) {
    this.#holdfast = holdfast
    this.#path = path
    this.#options = options
    this.#sourceId = basename(path, '.jsonl')
    this.#agentPaths = agentPathsOf(path)
  }

  async run(): Promise<void> {
    const main = {
      path: this.#path,
      agentId: undefined,
      agentType: undefined,
      callId: undefined,
      parent: undefined,
    }
    const { session, outline } = await this.#importConversation(main)
    for (const agentId of [...this.#agentPaths.keys(), ...outline.threads]) {
      await this.#importChild(session, this.#path, { agentId, callId: undefined, agentType: undefined })
    }
  }

  async #importConversation(conversation: Conversation) {
    const { path, agentId } = conversation
    const whole = agentId !== undefined && this.#agentPaths.has(agentId)
    const outline = await readOutline(readLines(path), { thread: agentId, whole })
    const existing = await ImportedSession.open(this.#holdfast, this.#idOf(agentId))
    const session = existing ?? (await this.#create(conversation, outline))
    if (agentId !== undefined) this.#done.add(agentId)
    const before = session.events
    await this.#readOn(session, conversation, outline)
    await session.write({ steps: abandonedSteps(outline, this.#options.price), position: undefined })
    const links = this.#linksOf(outline)
    for (const link of links) await this.#importChild(session, path, link)
    this.result.sessions.push({ sessionId: session.id, isNew: !existing, events: session.events - before })
    return { session, outline }
  }

  async #readOn(session: ImportedSession, { path }: Conversation, outline: Outline): Promise<void> {
    const { report } = this.result
    const file = basename(path)
    const position = positionOf(session.position)
    if (position && !(await isUnchanged(path, position))) {
      const reason = 'the file no longer has the line that was imported last; nothing was added'
      return report.breakLine({ file, line: position.line, reason })
    }
    const said = position && (await this.#goBack(session, position, outline))
    const from = said === undefined && position ? position : { byte: 0, line: 0 }
    const after = said ?? position?.said ?? 0
    const seen = position?.seen ?? 0
    const links = this.#linksOf(outline)
    const turns = readTurns(linesAfter(said ?? 0, readLines(path, from)), {
      outline,
      links,
      report,
      file,
      price: this.#options.price,
      after,
      seen,
      position: (read) => positionAt(read, outline.leaf, seen),
      childId: (agentId) => this.#idOf(agentId),
      spawned: await this.#spawned(links),
    })
    for await (const turn of turns) {
      for (const batch of commitsOf(turn)) await session.write(batch)
      for (const link of spawnedIn(turn, links)) await this.#importChild(session, path, link)
    }
  }

  /**
   * After the user went back in the source, the session is cut where the branches part; what is cut off stays readable.
   * The line after which the other branch is to be read; undefined when there is none.
   */
  async #goBack(session: ImportedSession, position: Position, outline: Outline): Promise<number | undefined> {
    const parting = position.leaf === undefined ? undefined : outline.divergence(position.leaf, position.line)
    if (parting === undefined) return undefined
    this.result.report.repair('branches left since the last import, cut off')
    const kept = await session.positionBefore((data) => (positionOf(data)?.said ?? 0) < parting)
    session.cutAfter(kept.seq)
    return positionOf(kept.data)?.said ?? 0
  }

  /** A child's end is told to its parent once; telling it again changes nothing. */
  async #importChild(parent: ImportedSession, path: string, link: ChildLink): Promise<void> {
    const { agentId } = link
    if (this.#done.has(agentId)) return
    const own = this.#agentPaths.get(agentId)
    const { session } = await this.#importConversation({ path: own ?? path, ...link, parent })
    const { promptTokens, completionTokens, costMicrocents } = await session.counters()
    const spent = { tokens: promptTokens + completionTokens, costMicrocents, toolCalls: session.toolCalls }
    await parent.repeat({ type: 'finishChild', childId: session.id, outcome: 'completed', spent })
  }

  async #create(conversation: Conversation, outline: Outline): Promise<ImportedSession> {
    const { agentId, agentType, callId, parent } = conversation
    const input: NewSession = {
      id: this.#idOf(agentId),
      conversationId: this.#idOf(undefined),
      agentId: agentId === undefined ? format : agentIdOf(agentType),
      channel: 'cli',
      modelPolicy: 'switchable',
      metadata: metadataOf(this.#sourceId, agentId, outline),
      ...(outline.model !== undefined && { providerId, model: outline.model }),
    }
    const at = outline.firstAt
    return parent
      ? parent.createChild(this.#holdfast, input, callId, at)
      : ImportedSession.create(this.#holdfast, input, at)
  }

  #idOf(agentId: string | undefined): string {
    const sourceId = agentId === undefined ? this.#sourceId : `${this.#sourceId}/${agentId}`
    return sessionIdOf(this.#holdfast.tenantId, format, sourceId)
  }

  /** Only sub-agents whose conversation we have. */
  #linksOf(outline: Outline): ChildLink[] {
    return outline.links.filter(
      ({ agentId }) => this.#agentPaths.has(agentId) || outline.threads.includes(agentId),
    )
  }

  async #spawned(links: readonly ChildLink[]): Promise<ReadonlySet<string>> {
    const known = new Set<string>()
    for (const { agentId } of links) {
      if (await this.#holdfast.sessions.get(this.#idOf(agentId))) known.add(agentId)
    }
    return known
  }
}

async function* linesAfter(line: number, lines: AsyncIterable<Line>): AsyncGenerator<Line> {
  for await (const each of lines) if (each.number > line) yield each
}

function agentPathsOf(path: string): Map<string, string> {
  const folder = join(path.replace(/\.jsonl$/, ''), 'subagents')
  const files = globSync('agent-*.jsonl', { cwd: folder }).sort()
  return new Map(files.map((file) => [file.slice('agent-'.length, -'.jsonl'.length), join(folder, file)]))
}

function spawnedIn(turn: Turn, links: readonly ChildLink[]): ChildLink[] {
  const steps = [...turn.before, ...(turn.run?.rounds.flatMap((round) => round.steps) ?? [])]
  const callIds = steps.flatMap(({ command }) => (command.type === 'spawnChild' ? [command.callId] : []))
  return links.filter(({ callId }) => callIds.includes(callId))
}

function abandonedSteps({ abandonedCalls }: Outline, price: PriceOf): Turn['before'] {
  return abandonedCalls.flatMap((call) => {
    const usage = usageOf(call, price)
    return usage ? [{ command: { type: 'recordUsage' as const, usage }, at: call.at }] : []
  })
}

function metadataOf(sourceId: string, agentId: string | undefined, { first }: Outline): JsonObject {
  const facts = {
    cwd: textOf(first?.raw.cwd),
    version: textOf(first?.raw.version),
    gitBranch: textOf(first?.raw.gitBranch),
  }
  const known = Object.entries(facts).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))
  const source = { format, sourceId, ...(agentId !== undefined && { agentId }) }
  return { source, ...Object.fromEntries(known) }
}
