/** What was done about something a user said, as one recorded run: a round for each answer of the model. */
import { idPattern, type JsonObject, type MessageInput } from '@holdfast/protocol'
import type { Round, Step, Turn } from '../batch.ts'
import type { LossReport } from '../loss-report.ts'
import type { Line } from '../read-lines.ts'
import { isRepeatedCall, repeatedCalls } from '../repeated-call.ts'
import { type Entry, isSynthetic, modelOf, objectOf, textOf } from './entry.ts'
import type { Outline } from './outline.ts'
import { type Piece, piecesOf } from './pieces.ts'
import { providerId, usageSteps } from './usage.ts'

/** One message of the model: its lines, and what came after the first of them. */
export interface Reply {
  messageId: string
  entries: Entry[]
  /** Results, notes and children, in the order of the file. */
  after: Step[]
  openCalls: Set<string>
  /** Messages that its calls put in: the model sees them behind all results. */
  putIn: Step[]
  /** Its first line. */
  first: Reach
  /** How far the file was read before the next reply. */
  read: Reach
}

/** The last line read, and the last one of the conversation among them. */
export interface Reach {
  line: Line
  said: number
}

export interface RunContext {
  outline: Outline
  report: LossReport
  after: number
  seen: number
  isCounted(line: number): boolean
  /** `isUnfinished`: the message that begins there is written in part. */
  position(read: Reach, isUnfinished?: boolean): JsonObject
  /** Ids that messages of this reading have. */
  used: Set<string>
  /** The message that is answered, when it has an id of its own. */
  prompt: string | undefined
  interrupted: boolean
  /** Time of what has none. */
  at: string | undefined
}

export function runOf(replies: readonly Reply[], context: RunContext): NonNullable<Turn['run']> {
  const at = replies[0]?.entries[0]?.at ?? context.at
  const model = replies.map(({ entries }) => modelOf(entries[0])).find((name) => name !== undefined)
  const choice: Step[] = model === undefined ? [] : [{ command: { type: 'setModel', providerId, model }, at }]
  const start: Step['command'] = {
    type: 'startRun',
    recorded: true,
    owner: 'import',
    ttlMs: 1,
    ...(context.prompt !== undefined && { answers: context.prompt }),
    ...(model !== undefined && { providerId, model }),
  }
  return {
    start: [...choice, { command: start, at }],
    rounds: replies.flatMap((reply) => roundsOf(reply, context)),
    end: { command: endOf(replies.at(-1), context), at: endedAt(replies.at(-1), context) },
  }
}

/**
 * One for each piece, and for each message that was put in, since a commit may have no room for the next. If an import ends between two of them, the next one reads
 * the message again from its first line: so what it cost is told with the last piece.
 */
function roundsOf(reply: Reply, context: RunContext): Round[] {
  const pieces = piecesOf(reply)
  tellRepairs(reply, pieces, context)
  const at = reply.entries.at(-1)?.at ?? context.at
  const usage = usageIn(reply, context)
  const unfinished = context.position(reply.first, true)
  const rounds = pieces.map((piece, nth): Round => {
    const isLast = nth === pieces.length - 1
    const { parts } = piece
    const finish = isLast ? finishOf(reply.entries.at(-1)) : 'complete'
    const names = namesOf(reply, nth === 0, context)
    const message: MessageInput = { role: 'assistant', parts, ...names, finish }
    const said: Step[] = [{ command: { type: 'append', message }, at }]
    if (isLast) said.push(...usage.map((step) => ({ ...step, at })))
    const steps = [...said, ...piece.after, ...closing(piece, context)]
    return { steps: nth === 0 ? counted(steps, reply, context) : steps, position: unfinished }
  })
  rounds.push(...reply.putIn.map((step) => ({ steps: [step], position: unfinished })))
  const last = rounds.at(-1)
  if (last) last.position = context.position(reply.read)
  return rounds
}

export function countRounds(reply: Reply): number {
  return piecesOf(reply).length + reply.putIn.length
}

/** As the steps of a round, unless it is none of ours or was one before. */
function counted(steps: Step[], reply: Reply, context: RunContext): Step[] {
  const first = reply.entries[0]
  if (isSynthetic(first) || context.isCounted(firstLineOf(reply, context))) return steps
  const started: Step = { command: { type: 'startRound' }, at: first?.at ?? context.at }
  const completed: Step = { command: { type: 'completeRound' }, at: steps.at(-1)?.at }
  return [started, ...steps, completed]
}

/** A step for each of them: by its steps a commit is measured. */
function closing({ open }: Piece, { report, at }: RunContext): Step[] {
  if (open.size > 0) report.repair('calls without a result, closed as unknown', open.size)
  const reason = 'no result in the transcript'
  return [...open].map((callId) => ({ command: { type: 'closeCalls', reason, callIds: [callId] }, at }))
}

function tellRepairs(reply: Reply, pieces: readonly Piece[], context: RunContext): void {
  const { after, report } = context
  if (firstLineOf(reply, context) <= after) report.repair('messages that went on after an earlier import')
  if (reply.entries.length > 1) report.repair('lines joined to one message')
  if (pieces.length > 1) report.repair('messages with more calls or parts than one may have, split')
  const repeated = pieces.flatMap(({ parts }) => parts.filter(isRepeatedCall)).length
  if (repeated > 0) report.repair(repeatedCalls, repeated)
}

/** An answer that somebody spoke into is several messages: the first has its id. */
function namesOf(reply: Reply, isFirst: boolean, context: RunContext): Pick<MessageInput, 'id' | 'replyTo'> {
  const { seen, prompt, used } = context
  const { messageId } = reply
  const isNew = isFirst && firstLineOf(reply, context) > seen && !used.has(messageId)
  const id = isNew && idPattern.test(messageId) ? messageId : undefined
  if (id !== undefined) used.add(id)
  return { ...(id && { id }), ...(prompt !== undefined && { replyTo: prompt }) }
}

function firstLineOf({ messageId, read }: Reply, { outline }: RunContext): number {
  return outline.firstLineOf(messageId) ?? read.line.number
}

function usageIn(reply: Reply, { outline, report, seen }: RunContext): Step[] {
  const last = reply.entries.at(-1)
  const usage = objectOf(last?.message?.usage)
  if (usage === undefined || isSynthetic(last)) return []
  if (last?.copied) {
    report.drop('usage of messages that were copied from another session')
    return []
  }
  const call = { messageId: reply.messageId, model: modelOf(last), usage, at: last?.at }
  return usageSteps(call, outline.callOf(reply.messageId, seen))
}

/** A run is completed by an answer. One that was cut off says so, and is no turn. */
function endOf(last: Reply | undefined, { interrupted }: RunContext): Step['command'] {
  const entry = last?.entries.at(-1)
  const words = textOf(entry?.blocks[0]?.text) ?? 'no answer from the provider'
  if (isApiError(entry)) return { type: 'failRun', error: words.slice(0, 8_192) }
  if (isSynthetic(entry)) return { type: 'cancelRun', reason: words.slice(0, 1_024) }
  const kinds = last?.entries.flatMap(({ blocks }) => blocks.map(({ type }) => type)) ?? []
  if (kinds.includes('text') && !kinds.includes('tool_use')) return { type: 'completeRun' }
  return {
    type: 'cancelRun',
    reason: interrupted ? 'interrupted by the user' : 'the transcript has no answer',
  }
}

function endedAt(last: Reply | undefined, { at }: RunContext): string | undefined {
  return last?.after.at(-1)?.at ?? last?.entries.at(-1)?.at ?? at
}

function isApiError(entry: Entry | undefined): boolean {
  return isSynthetic(entry) && entry?.raw.isApiErrorMessage === true
}

function finishOf(entry: Entry | undefined): NonNullable<MessageInput['finish']> {
  if (isSynthetic(entry)) return isApiError(entry) ? 'error' : 'interrupted'
  const reason = entry?.message?.stop_reason
  if (reason === 'max_tokens' || reason === 'model_context_window_exceeded') return 'length'
  return reason === 'refusal' ? 'filtered' : 'complete'
}
