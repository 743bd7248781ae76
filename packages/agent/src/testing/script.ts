/** What a scripted model or provider says, written by whoever tests with it. Nothing here comes from a model. */
import { HoldfastError, type Json } from '@holdfast/protocol'
import type { Fault } from './faults.ts'

export type ScriptedPart =
  | { type: 'text'; text: string }
  /** Without a `signature` or `encrypted` of its own it has one that the stub makes and knows again. */
  | { type: 'reasoning'; text: string; signature?: string; encrypted?: string }
  /** `callId` is made from the conversation when it is absent: the same one for the same history. */
  | { type: 'tool_call'; name: string; input: Json; callId?: string }

/** Tokens. What is absent is counted from the bytes of the request and of the reply. */
export interface ScriptedUsage {
  promptTokens?: number
  completionTokens?: number
  /** Inside `completionTokens`. */
  reasoningTokens?: number
  /** Inside `promptTokens`, as the next. */
  cachedReadTokens?: number
  cachedWriteTokens?: number
}

export interface ScriptedReply {
  parts?: readonly ScriptedPart[]
  usage?: ScriptedUsage
  /** Default: `tool_calls` when there is one, else `stop`. */
  finish?: 'stop' | 'length' | 'content_filter'
  fault?: Fault
}

/** The conversation as it was sent, in the words that all providers share. */
export interface Asked {
  /** Of the request, from 0; retries count, refused ones do not. */
  index: number
  model: string
  /** Text of the last user message; empty without one. */
  lastUserText: string
  /** Results after the last message of the assistant, in order. */
  results: readonly { callId: string; output: string }[]
  toolNames: readonly string[]
}

/** A text is a reply that says just that. */
export type ScriptEntry = string | ScriptedReply

/** Replies in order, or a function that gives one for what was asked. */
export type Script = readonly ScriptEntry[] | ((asked: Asked) => ScriptEntry | Promise<ScriptEntry>)

/** The reply to what was asked; `invalid_input` when the list has no more. */
export async function replyTo(script: Script, asked: Asked): Promise<ScriptedReply> {
  const entry = typeof script === 'function' ? await script(asked) : script[asked.index]
  if (entry !== undefined)
    return typeof entry === 'string' ? { parts: [{ type: 'text', text: entry }] } : entry
  throw new HoldfastError(
    'invalid_input',
    `the script has ${script.length} replies and was asked for one more; add it, or give a function`,
  )
}
