/** Writes a session as a Codex rollout: `codex resume` goes on with it. */
import {
  type EventData,
  isKnown,
  type Json,
  type JsonObject,
  type Message,
  type SessionEvent,
  type UsageRecord,
} from '@holdfast/protocol'
import { compactionsOf, Standing } from '../compactions.ts'
import type { ExportedSession, Sink } from '../contract.ts'
import { dropNote } from '../drop-note.ts'
import type { LossReport } from '../loss-report.ts'
import { objectOf } from '../openai-responses/items.ts'
import { callIds, isOfItems, itemsOf } from '../openai-responses/write-items.ts'
import { PairedCalls } from '../paired-calls.ts'
import { walk } from '../walk.ts'
import { isBareMeta } from './bare.ts'
import { tellsOfTurn } from './prompts.ts'
import { turnsBackIn } from './rolled-back.ts'
import { TakenBack } from './taken-back.ts'

export async function writeCodex(session: ExportedSession, sink: Sink, report: LossReport): Promise<void> {
  const standing = new Standing<JsonObject[]>(await compactionsOf(session))
  const writer = new RolloutWriter(session, standing, sink, report, await isOfItems(session))
  const calls = new PairedCalls(callIds, report)
  for await (const { message, event } of walk(session)) {
    if (message) for (const each of calls.next(message)) await writer.message(each, event.at)
    else await writer.event(event)
  }
  for (const each of calls.end()) await writer.message(each, each.at)
  await writer.finish()
}

class RolloutWriter {
  readonly #session: ExportedSession
  readonly #standing: Standing<JsonObject[]>
  readonly #sink: Sink
  readonly #report: LossReport
  readonly #isOurs: boolean
  readonly #totals = {
    ...{ input_tokens: 0, cached_input_tokens: 0, cache_write_input_tokens: 0 },
    ...{ output_tokens: 0, reasoning_output_tokens: 0 },
  }
  #hasMeta = false
  /** A line of Codex's own says what the next compaction says. */
  #isCompacted = false
  /** Tells of a turn that may have been taken back. */
  #ahead: JsonObject[] = []
  /** Sought where a line of Codex's own is met first. */
  #takenBack: TakenBack | undefined

  constructor(
    session: ExportedSession,
    standing: Standing<JsonObject[]>,
    sink: Sink,
    report: LossReport,
    isOurs: boolean,
  ) {
    this.#session = session
    this.#standing = standing
    this.#sink = sink
    this.#report = report
    this.#isOurs = isOurs
  }

  async message(message: Message, at: string): Promise<void> {
    const items = await itemsOf(message, this.#session, this.#report, this.#isOurs)
    this.#report.line(items.length > 0 ? 'carried' : 'dropped')
    this.#standing.add(message, items)
    for (const payload of items) await this.#write({ timestamp: at, type: 'response_item', payload })
  }

  async event(event: SessionEvent): Promise<void> {
    if (this.#takenBack?.has(event.seq)) this.#leaveOut(this.#ahead.splice(0).length)
    if (isKnown(event, 'usage.recorded')) await this.#write(tokenCount(event.at, event.data, this.#totals))
    else if (isKnown(event, 'compaction.applied'))
      await this.#compaction(event.seq, event.at, event.data.summary)
    else if (isKnown(event, 'note.added')) await this.#note(event)
    else if (isKnown(event, 'child.spawned')) this.#report.drop('children, each a file of its own')
  }

  async finish(): Promise<void> {
    if (!this.#hasMeta) await this.#meta((await this.#session.view()).createdAt)
    await this.#writeAhead()
  }

  async #note({
    seq,
    at,
    data: { kind, data },
  }: SessionEvent & { data: EventData<'note.added'> }): Promise<void> {
    const kept = kind === 'codex.line' ? objectOf(data) : undefined
    const item = kind === 'codex.response_item' ? data : undefined
    if (kept && turnsBackIn(kept) > 0) this.#report.drop('turns that were taken back')
    else if (kept && (isOfSession(kept) || !(await this.#isTakenBack(seq)))) await this.#line(kept)
    else if (item !== undefined && !(await this.#isTakenBack(seq)))
      await this.#write({ timestamp: at, type: 'response_item', payload: item })
    else if (kept || item !== undefined) this.#leaveOut(1)
    else dropNote(this.#report, kind)
  }

  async #line(kept: JsonObject): Promise<void> {
    this.#report.line('opaque')
    this.#isCompacted = kept.type === 'compacted'
    if (tellsOfTurn(kept)) this.#ahead.push(kept)
    else await this.#write(kept)
  }

  async #isTakenBack(seq: number): Promise<boolean> {
    this.#takenBack ??= await TakenBack.of(this.#session)
    return this.#takenBack.has(seq)
  }

  #leaveOut(lines: number): void {
    if (lines > 0) this.#report.drop('lines of turns that were taken back', lines)
  }

  /** The summary, and beside it what stands in the context still: Codex itself would keep the words of users alone. */
  async #compaction(seq: number, at: string, summary: string): Promise<void> {
    const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text: summary }] }
    const standing = this.#standing.at(seq, [item])
    const isWritten = this.#isCompacted
    this.#isCompacted = false
    if (!standing) return this.#report.drop('compactions that were taken back')
    if (isWritten) return
    const history = [...standing.before.flat(), item, ...standing.after.flat()]
    const payload = { message: summary, replacement_history: history }
    await this.#write({ timestamp: at, type: 'compacted', payload })
  }

  async #write(line: JsonObject): Promise<void> {
    if (!this.#hasMeta && line.type !== 'session_meta') await this.#meta(String(line.timestamp))
    this.#hasMeta = true
    await this.#writeAhead()
    await this.#put(line)
  }

  async #writeAhead(): Promise<void> {
    for (const line of this.#ahead.splice(0)) await this.#put(line)
  }

  async #put(line: JsonObject): Promise<void> {
    await this.#sink.write(`${JSON.stringify(line)}\n`)
  }

  async #meta(at: string): Promise<void> {
    await this.#write(await metaOf(this.#session, at))
  }
}

/** It holds on where the turn that it came in was taken back. */
function isOfSession(line: JsonObject): boolean {
  const event = line.type === 'event_msg' ? (objectOf(line.payload)?.type ?? '') : ''
  return line.type === 'session_meta' || isBareMeta(line) || sessionEvents.includes(event)
}

const sessionEvents: readonly Json[] = ['thread_name_updated', 'thread_settings_applied']

/** Without a provider: Codex refuses to go on with another than the file names, and knows only those that it was told of. */
async function metaOf(session: ExportedSession, at: string): Promise<JsonObject> {
  const { id, metadata, createdAt } = await session.view()
  const payload = {
    id,
    timestamp: createdAt,
    cwd: typeof metadata?.cwd === 'string' ? metadata.cwd : '/',
    originator: 'holdfast',
    cli_version: '0.0.0',
    source: 'cli',
  }
  return { timestamp: at, type: 'session_meta', payload }
}

function tokenCount(at: string, usage: UsageRecord, totals: Record<string, number>): JsonObject {
  const call: Record<string, number> = {
    input_tokens: usage.promptTokens,
    cached_input_tokens: usage.cachedReadTokens,
    cache_write_input_tokens: usage.cachedWriteTokens,
    output_tokens: usage.completionTokens,
    reasoning_output_tokens: usage.reasoningTokens,
  }
  for (const [field, count] of Object.entries(call)) totals[field] = (totals[field] ?? 0) + count
  const withTotal = (counts: Record<string, number>): JsonObject => {
    return { ...counts, total_tokens: (counts.input_tokens ?? 0) + (counts.output_tokens ?? 0) }
  }
  const info = { total_token_usage: withTotal(totals), last_token_usage: withTotal(call) }
  return { timestamp: at, type: 'event_msg', payload: { type: 'token_count', info, rate_limits: null } }
}
