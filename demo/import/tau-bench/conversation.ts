/** One tau-bench conversation (OpenAI chat format) into turns. The file has no times, no usage and no prices. */
import { createHash } from 'node:crypto'
import type { Json, JsonObject, MessageInput, MessagePart } from '@holdfast/protocol'
import type { Round, Step, Turn } from '../batch.ts'
import type { LossReport } from '../loss-report.ts'

export interface Conversation {
  task_id: number
  trial: number
  reward?: number
  info?: { task?: { user_id?: string; instruction?: string }; user_cost?: number }
  traj: ChatMessage[]
}

export interface ChatMessage {
  role: string
  content?: Json
  name?: string
  tool_call_id?: string
  tool_calls?: { id: string; type?: string; function: { name: string; arguments: string } }[]
}

export function isConversation(value: Json | undefined): value is Json & Conversation {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  const { task_id, trial, traj } = value
  if (typeof task_id !== 'number' || typeof trial !== 'number' || !Array.isArray(traj)) return false
  return traj.every((message) => typeof (message as { role?: Json } | null)?.role === 'string')
}

/** How many messages were read and what they were, so that a changed source is noticed. */
export function positionAfter(conversation: Conversation, messages: number): JsonObject {
  const read = JSON.stringify(conversation.traj.slice(0, messages))
  return { messages, sha256: createHash('sha256').update(read).digest('hex') }
}

/** The turns after the first `after` messages. */
export function* turnsOf(conversation: Conversation, after: number, report: LossReport): Generator<Turn> {
  const reader = new ChatReader(conversation, report)
  for (let at = after; at < conversation.traj.length; at++)
    yield* reader.read(conversation.traj[at] as ChatMessage, at)
  yield* reader.finish()
}

interface Reply {
  message: MessageInput
  after: Step['command'][]
  open: Set<string>
  messages: number
}

class ChatReader {
  readonly #conversation: Conversation
  readonly #report: LossReport
  #before: Step[] = []
  #replies: Reply[] = []
  #messages = 0

  constructor(conversation: Conversation, report: LossReport) {
    this.#conversation = conversation
    this.#report = report
  }

  *read(message: ChatMessage, index: number): Generator<Turn> {
    if (message.role === 'user' && this.#replies.length > 0) yield* this.finish()
    this.#messages = index + 1
    if (message.role === 'assistant') this.#readReply(message)
    else if (message.role === 'tool') this.#readResult(message)
    else if (message.role === 'user' || message.role === 'system') this.#readInput(message, message.role)
    else this.#keep(message)
    const reply = this.#replies.at(-1)
    if (reply) reply.messages = this.#messages
  }

  *finish(): Generator<Turn> {
    if (this.#messages === 0) return
    const run = this.#replies.length > 0 ? this.#run() : undefined
    yield { before: this.#before, run, after: [], position: this.#position(this.#messages) }
    this.#before = []
    this.#replies = []
    this.#messages = 0
  }

  #readInput(message: ChatMessage, role: 'user' | 'system'): void {
    const input: MessageInput = { role, parts: partsOf(message.content) }
    this.#before.push(step({ type: 'append', message: input, policy: 'enqueue' }))
  }

  #readReply(message: ChatMessage): void {
    const calls = message.tool_calls ?? []
    const parts = [...(message.content == null ? [] : partsOf(message.content)), ...calls.map(callPart)]
    const open = new Set(calls.map(({ id }) => id))
    const reply: MessageInput = { role: 'assistant', parts, finish: 'complete' }
    if (parts.length === 0) this.#keep(message)
    else this.#replies.push({ message: reply, after: [], open, messages: 0 })
  }

  #readResult(message: ChatMessage): void {
    const { tool_call_id: callId = '', name, content = null } = message
    const reply = this.#replies.findLast(({ open }) => open.delete(callId))
    if (!reply) this.#keep(message)
    reply?.after.push({ type: 'finishTool', callId, output: content, outcome: 'ok', ...(name && { name }) })
  }

  /** A message that fits nowhere is kept as it is. */
  #keep(message: ChatMessage): void {
    this.#report.keep(`${message.role} message`)
    const note: Step['command'] = {
      type: 'addNote',
      kind: 'tau_bench.message',
      data: message as unknown as JsonObject,
    }
    const reply = this.#replies.at(-1)
    if (reply) reply.after.push(note)
    else this.#before.push(step(note))
  }

  /** A conversation may end with a call that hands the user over: no answer follows, and none is missing. */
  #run(): NonNullable<Turn['run']> {
    const rounds = this.#replies.map((reply) => this.#round(reply))
    return {
      start: [step({ type: 'startRun', recorded: true, owner: 'import', ttlMs: 1 })],
      rounds,
      end: step({ type: 'completeRun' }),
    }
  }

  #round(reply: Reply): Round {
    const isOpen = reply.open.size > 0
    if (isOpen) this.#report.repair('calls without a result, closed as unknown')
    const commands: Step['command'][] = [
      { type: 'startRound' },
      { type: 'append', message: reply.message, policy: 'reject' },
      ...reply.after,
      ...(isOpen ? [{ type: 'closeCalls' as const, reason: 'no result in the transcript' }] : []),
      { type: 'completeRound' },
    ]
    return { steps: commands.map(step), position: this.#position(reply.messages) }
  }

  #position(messages: number): JsonObject {
    return positionAfter(this.#conversation, messages)
  }
}

function step(command: Step['command']): Step {
  return { command, at: undefined }
}

function partsOf(content: Json | undefined): MessagePart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return [{ type: 'data', name: 'openai.content', data: content ?? null }]
}

function callPart({
  id,
  function: { name, arguments: text },
}: NonNullable<ChatMessage['tool_calls']>[number]): MessagePart {
  const input = parsed(text)
  const isExact = input !== undefined && JSON.stringify(input) === text
  return {
    type: 'tool_call',
    callId: id,
    name,
    input: input ?? text,
    ...(!isExact && { provider: { arguments: text } }),
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
