/** What was done about something a user said, as one recorded run: a round for each answer of the model. */
import { idPattern, type JsonObject, type MessageInput } from '@holdfast/protocol'
import type { Round, Step, Turn } from '../batch.ts'
import type { LossReport } from '../loss-report.ts'
import type { Line } from '../read-lines.ts'
import { type Entry, isSynthetic, modelOf, objectOf, textOf } from './entry.ts'
import type { Outline } from './outline.ts'
import { partOf } from './parts.ts'
import { providerId, usageSteps } from './usage.ts'

/** One message of the model: its lines, and what came after the first of them. */
export interface Reply {
  messageId: string
  entries: Entry[]
  /** Results, notes and children, in the order of the file. */
  after: Step[]
  openCalls: Set<string>
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
  position(read: Reach): JsonObject
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
    rounds: replies.map((reply) => roundOf(reply, context)),
    end: { command: endOf(replies.at(-1), context), at: endedAt(replies.at(-1), context) },
  }
}

function roundOf(reply: Reply, context: RunContext): Round {
  const first = reply.entries[0]
  const saidAt = reply.entries.at(-1)?.at ?? context.at
  const message = messageOf(reply, context)
  const inside: Step[] = [
    ...(message ? [{ command: { type: 'append' as const, message }, at: saidAt }] : []),
    ...usageIn(reply, context).map((step) => ({ ...step, at: saidAt })),
    ...reply.after,
    ...closing(reply, context),
  ]
  const position = context.position(reply.read)
  if (isSynthetic(first) || context.isCounted(firstLineOf(reply, context))) return { steps: inside, position }
  const started: Step = { command: { type: 'startRound' }, at: first?.at ?? context.at }
  const completed: Step = { command: { type: 'completeRound' }, at: inside.at(-1)?.at }
  return { steps: [started, ...inside, completed], position }
}

function closing({ openCalls }: Reply, { report, at }: RunContext): Step[] {
  if (openCalls.size === 0) return []
  report.repair('calls without a result, closed as unknown')
  return [{ command: { type: 'closeCalls', reason: 'no result in the transcript' }, at }]
}

function messageOf(reply: Reply, context: RunContext): MessageInput | undefined {
  const { after, seen, report, prompt } = context
  const parts = reply.entries.flatMap(({ blocks }) => blocks.map(partOf))
  if (parts.length === 0) return undefined
  const firstLine = firstLineOf(reply, context)
  if (firstLine <= after) report.repair('messages that went on after an earlier import')
  if (reply.entries.length > 1) report.repair('lines joined to one message')
  const id = firstLine > seen && idPattern.test(reply.messageId) ? reply.messageId : undefined
  const names = { ...(id && { id }), ...(prompt !== undefined && { replyTo: prompt }) }
  return { role: 'assistant', parts, ...names, finish: finishOf(reply.entries.at(-1)) }
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
