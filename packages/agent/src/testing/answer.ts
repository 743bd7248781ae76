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
  /** The conversation as it was sent, as JSON text. */
  conversation: string
}

export function answerOf(reply: ScriptedReply, { conversation, ...to }: AnswerTo): Answer {
  const stem = digestOf(conversation).slice(0, 10)
  const scripted = (reply.parts ?? []).map((part, i) => filledIn(part, `call_scripted_${stem}_${i + 1}`))
  const parts = distorted(scripted, reply.fault)
  const finish = finishOf(reply, parts)
  return { ...to, parts, finish, usage: { ...counted(conversation, parts), ...reply.usage } }
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

function filledIn(part: ScriptedPart, callId: string): AnswerPart {
  if (part.type === 'reasoning')
    return { signature: signatureOf(part.text), encrypted: encryptedOf(part.text), ...part }
  if (part.type === 'text') return part
  const { name, input } = part
  return { type: 'tool_call', callId: part.callId ?? callId, name, arguments: JSON.stringify(input) }
}

function finishOf(reply: ScriptedReply, parts: readonly AnswerPart[]): Answer['finish'] {
  if (reply.fault?.type === 'overlong') return 'length'
  return reply.finish ?? (parts.some(({ type }) => type === 'tool_call') ? 'tool_calls' : 'stop')
}

function counted(conversation: string, parts: readonly AnswerPart[]): Required<ScriptedUsage> {
  const reasoning = parts.filter(({ type }) => type === 'reasoning')
  return {
    promptTokens: tokensOf(conversation),
    completionTokens: sum(parts),
    reasoningTokens: sum(reasoning),
    cachedReadTokens: 0,
    cachedWriteTokens: 0,
  }
}

function sum(parts: readonly AnswerPart[]): number {
  return parts.reduce(
    (all, part) => all + tokensOf(part.type === 'tool_call' ? part.arguments : part.text),
    0,
  )
}
