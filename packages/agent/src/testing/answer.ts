/** A scripted reply with everything filled in, from which each wire format is written. */
import { createHash } from 'node:crypto'
import { utf8Bytes } from '@holdfast/protocol'
import type { AnswerPart } from './answer-part.ts'
import { distorted } from './faults.ts'
import type { ScriptedPart, ScriptedReply, ScriptedUsage } from './script.ts'

export interface Answer {
  /** Not yet in the manner of a provider. */
  id: string
  model: string
  /** Seconds. */
  createdAt: number
  parts: AnswerPart[]
  finish: 'stop' | 'length' | 'content_filter' | 'tool_calls'
  usage: Required<ScriptedUsage>
}

export interface AnswerTo {
  id: string
  model: string
  createdAt: number
  /** The conversation as it was sent, as JSON text; asked for only when something is made from it. */
  conversation(): string
}

export function answerOf(reply: ScriptedReply, { conversation, ...to }: AnswerTo): Answer {
  const parts = distorted(filledIn(reply.parts ?? [], conversation), reply.fault)
  return { ...to, parts, finish: finishOf(reply, parts), usage: usageOf(reply, parts, conversation) }
}

/** About four bytes make a token. */
export function tokensOf(text: string): number {
  return Math.ceil(utf8Bytes(text) / 4)
}

/** The signature that reasoning is given when the script has none, so that a changed text is found out. */
export function signatureOf(text: string): string {
  return `scripted-signature-${digestOf(text)}`
}

export function encryptedOf(text: string): string {
  return `scripted-encrypted-${digestOf(text)}`
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function filledIn(parts: readonly ScriptedPart[], conversation: () => string): AnswerPart[] {
  const isOpen = parts.some((part) => part.type === 'tool_call' && part.callId === undefined)
  const stem = isOpen ? digestOf(conversation()).slice(0, 10) : ''
  return parts.map((part, i) => {
    if (part.type === 'text') return part
    if (part.type === 'reasoning')
      return { signature: signatureOf(part.text), encrypted: encryptedOf(part.text), ...part }
    const { name, input, callId = `call_scripted_${stem}_${i + 1}` } = part
    return { type: 'tool_call', callId, name, arguments: JSON.stringify(input) }
  })
}

function finishOf(reply: ScriptedReply, parts: readonly AnswerPart[]): Answer['finish'] {
  if (reply.fault?.type === 'overlong') return 'length'
  return reply.finish ?? (parts.some(({ type }) => type === 'tool_call') ? 'tool_calls' : 'stop')
}

function usageOf(
  { usage = {} }: ScriptedReply,
  parts: readonly AnswerPart[],
  conversation: () => string,
): Answer['usage'] {
  const reasoning = parts.filter(({ type }) => type === 'reasoning')
  return {
    promptTokens: usage.promptTokens ?? tokensOf(conversation()),
    completionTokens: usage.completionTokens ?? sum(parts),
    reasoningTokens: usage.reasoningTokens ?? sum(reasoning),
    cachedReadTokens: usage.cachedReadTokens ?? 0,
    cachedWriteTokens: usage.cachedWriteTokens ?? 0,
  }
}

function sum(parts: readonly AnswerPart[]): number {
  return parts.reduce(
    (all, part) => all + tokensOf(part.type === 'tool_call' ? part.arguments : part.text),
    0,
  )
}
