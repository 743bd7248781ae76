/**
 * What a provider is sent, valid on any prefix of any log: every tool call is answered exactly once, directly after its
 * message, in call order. An open call is closed as `interrupted, outcome unknown`; what cannot be paired becomes a text
 * note. The user speaks first, no call id comes twice, and nothing is sent that says nothing: no blank text, no
 * reasoning that led to nothing. Nothing here throws: a damaged or foreign history too can be gone on with.
 */
import type { Message, MessagePart, ToolCallPart, ToolResultPart } from '@holdfast/protocol'
import { interruptedOutput } from '../session/decide/run-end.ts'
import { DistinctCalls } from './distinct-calls.ts'
import type { ViewItem } from './view.ts'

export interface ProviderMessage {
  role: Message['role']
  parts: MessagePart[]
  /** The stored message that this is; absent for a summary, a note and a closing result. */
  messageId?: string
  /** Of a summary: the compaction that it was made by. */
  compactionId?: string
}

export function providerView(items: readonly ViewItem[]): ProviderMessage[] {
  return new GrowingView().with(items)
}

/** A view to whose end items are added: what stood before its last step is not made again. */
export class GrowingView {
  readonly #calls = new DistinctCalls()
  /** Messages of the steps that nothing can be added to any more. */
  readonly #sent: ProviderMessage[] = []
  /** Items of the last step. */
  #open: readonly ViewItem[] = []

  /** The view with these items after those before; messages that stood in it are the same objects. */
  with(added: readonly ViewItem[]): ProviderMessage[] {
    const items = [...this.#open, ...added]
    let at = 0
    for (let end = endOfStep(items, at); end < items.length; end = endOfStep(items, at)) {
      for (const message of step(items.slice(at, end))) this.#sent.push(this.#calls.next(message))
      at = end
    }
    this.#open = items.slice(at)
    // Not spread: a long view would be walked item by item.
    return opened(this.#sent.concat(this.#calls.peek(step(this.#open))))
  }
}

const opening: ProviderMessage = {
  role: 'user',
  parts: [{ type: 'text', text: '[The assistant begins the conversation.]' }],
}

/** A greeting of the assistant, or what a truncation left of a round, does not stand first. */
function opened(sent: ProviderMessage[]): ProviderMessage[] {
  const first = sent.findIndex(({ role }) => role !== 'system')
  if (sent[first]?.role === 'assistant') sent.splice(first, 0, opening)
  return sent
}

/** A step begins with an assistant message and ends before the next one; results of its calls are looked for within it. */
function endOfStep(items: readonly ViewItem[], start: number): number {
  for (let next = start + 1; next < items.length; next++) if (isAssistant(items[next])) return next
  return items.length
}

function isAssistant(item: ViewItem | undefined): boolean {
  return item?.type === 'message' && item.message.role === 'assistant'
}

function step(items: readonly ViewItem[]): ProviderMessage[] {
  const [first, ...rest] = items
  if (first?.type !== 'message' || first.message.role !== 'assistant')
    return items.flatMap((item) => outside(item, new Set()))
  const calls = ownCalls(first.message)
  const answers = firstAnswers(calls, rest)
  const answered = [...calls.values()].map((call) => answers.get(call.callId)?.sent ?? closing(call))
  const used = new Set([...answers.values()].map((answer) => answer.item))
  const told = [...assistantMessage(first.message, calls), ...answered]
  const after = rest.flatMap((item) => outside(item, used))
  const isCutOff = first.message.finish === 'interrupted' && told.length === 1 && after.length === 0
  return isCutOff ? [...told, cutOff] : [...told, ...after]
}

/** An answer that was cut off and went on without a word of the user: a provider would take the end for its own beginning. */
const cutOff: ProviderMessage = {
  role: 'user',
  parts: [{ type: 'text', text: '[The answer was interrupted here. Go on from where it stopped.]' }],
}

function ownCalls({ parts }: Message): Map<string, ToolCallPart> {
  const calls = new Map<string, ToolCallPart>()
  for (const part of parts)
    if (part.type === 'tool_call' && !calls.has(part.callId)) calls.set(part.callId, part)
  return calls
}

interface Answer {
  item: ViewItem
  sent: ProviderMessage
}

/** The first result of each call wins; what comes after it is no answer. */
function firstAnswers(
  calls: ReadonlyMap<string, ToolCallPart>,
  items: readonly ViewItem[],
): Map<string, Answer> {
  const answers = new Map<string, Answer>()
  for (const item of items) {
    const result = resultOf(item)
    if (!result || !calls.has(result.callId) || answers.has(result.callId)) continue
    answers.set(result.callId, { item, sent: { role: 'tool', parts: [result], ...idOf(item) } })
  }
  return answers
}

function resultOf(item: ViewItem): ToolResultPart | undefined {
  if (item.type !== 'message' || item.message.role !== 'tool') return undefined
  return item.message.parts.find((part) => part.type === 'tool_result')
}

function closing({ callId }: ToolCallPart): ProviderMessage {
  return {
    role: 'tool',
    parts: [{ type: 'tool_result', callId, output: interruptedOutput, outcome: 'unknown' }],
  }
}

/** The message with one part per call; a call that repeats an id of its own message is told as text. */
function assistantMessage(message: Message, calls: ReadonlyMap<string, ToolCallPart>): ProviderMessage[] {
  const parts = message.parts.map((part) => {
    if (part.type === 'tool_result') return note(`Result of tool call ${part.callId}`, part.output)
    return part.type === 'tool_call' && calls.get(part.callId) !== part
      ? note(`Tool call ${part.callId} was repeated`, part.input)
      : part
  })
  return said(message, parts)
}

/** Anything but a step's assistant message and its answers. */
function outside(item: ViewItem, used: ReadonlySet<ViewItem>): ProviderMessage[] {
  if (used.has(item)) return []
  switch (item.type) {
    case 'summary':
      return [
        {
          role: 'user',
          parts: [{ type: 'text', text: `Summary of the conversation so far:\n\n${item.text}` }],
          compactionId: item.compactionId,
        },
      ]
    case 'late_result':
      return [
        {
          role: 'user',
          parts: [note(`The result of the interrupted tool call ${item.callId} arrived late`, item.data)],
        },
      ]
    case 'message':
      return said(item.message, item.message.parts.map(unpaired))
  }
}

/** Calls and results that nothing pairs with: their content stays readable, as text. */
function unpaired(part: MessagePart): MessagePart {
  if (part.type === 'tool_call') return note(`Tool call ${part.callId} (${part.name})`, part.input)
  return part.type === 'tool_result'
    ? note(`Result of tool call ${part.callId}, which is not in view`, part.output)
    : part
}

/** A message that has nothing left to say is left out, unless it was erased: then its place is told. */
function said(message: Message, stored: readonly MessagePart[]): ProviderMessage[] {
  const role = message.role === 'tool' ? 'user' : message.role
  const parts = telling(stored)
  if (parts.length > 0) return [{ role, parts, messageId: message.id }]
  return message.erased ? [{ role, parts: [{ type: 'text', text: '[erased]' }], messageId: message.id }] : []
}

/** Providers refuse blank text, and reasoning without what it led to: what an interrupted answer often ends with. */
function telling(parts: readonly MessagePart[]): MessagePart[] {
  const told = parts.filter((part) => part.type !== 'text' || part.text.trim() !== '')
  return told.slice(0, told.findLastIndex((part) => part.type !== 'reasoning') + 1)
}

function note(about: string, value: unknown): MessagePart {
  return { type: 'text', text: `[${about}: ${typeof value === 'string' ? value : JSON.stringify(value)}]` }
}

function idOf(item: ViewItem): { messageId?: string } {
  return item.type === 'message' ? { messageId: item.message.id } : {}
}
