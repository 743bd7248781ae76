/** A summary that a model writes. Its call is a row of the ledger like any other, under a purpose of its own. */
import type { LanguageModelV4, LanguageModelV4CallOptions } from '@ai-sdk/provider'
import type { HostCommand } from '@holdfast/core'
import { toTime, type UsageInput } from '@holdfast/protocol'
import { type Reserved, settlement } from '../budget/reserve.ts'
import type { Agent } from '../define/agent.ts'
import { callModel } from '../model/call.ts'
import { Reply } from '../model/reply.ts'
import { resolveModel } from '../model/resolve.ts'
import { countsOf } from '../model/usage.ts'
import type { World } from '../turn/world.ts'

const instruction = `You summarise a part of a conversation between a user and an assistant, so that the assistant can go on without it.
Keep: what the user wants and decided, constraints, names, numbers, paths and identifiers exactly as they were written, what was
done with its result, what failed, and what is still open. Leave out: greetings, repetition, and output that led to nothing.
Write plain text, as short as that allows. Invent nothing.`

/** How long a summary may be: a part of the window, up to this. */
const longestTokens = 4_096
const partOfWindow = 8

/** Who asks for a summary: the worker of a run, or somebody while none is live. */
export interface Caller {
  readonly world: World
  readonly agent: Agent
  readonly signal: AbortSignal
  /** Nothing may be written any more. */
  isLost(): boolean
  write(commands: readonly HostCommand[]): Promise<unknown>
  reserve(promptTokens: number, maxOutputTokens: number, model: LanguageModelV4): Promise<Reserved>
}

export async function summarise(
  caller: Caller,
  windowTokens: number,
  transcript: string,
  instructions: string | undefined,
): Promise<{ text: string; model: string }> {
  const { world, agent, signal } = caller
  const [source] = agent.models
  const model = await resolveModel(source as NonNullable<typeof source>)
  const system = instructions === undefined ? instruction : `${instruction}\n\nBeyond that: ${instructions}`
  const count = await world.counter
  const tokens = count(system) + count(transcript)
  const outputTokens = Math.min(longestTokens, Math.floor(windowTokens / partOfWindow))
  if (tokens + outputTokens > windowTokens) throw new Error(`the stretch has ${tokens} tokens, more than fit`)
  const reserved = await caller.reserve(tokens, outputTokens, model)
  const options: LanguageModelV4CallOptions = {
    prompt: [
      { role: 'system', content: system },
      { role: 'user', content: [{ type: 'text', text: transcript }] },
    ],
    maxOutputTokens: Math.min(reserved.maxOutputTokens ?? outputTokens, outputTokens),
    abortSignal: signal,
  }
  const reply = new Reply()
  const made = { at: toTime(world.now()), providerId: model.provider, model: model.modelId }
  const estimate = () =>
    reply.isEmpty
      ? { promptTokens: 0, completionTokens: 0 }
      : { promptTokens: tokens, completionTokens: count(reply.text), ...reply.promptUsage }
  try {
    await callModel(model, options, reply, { onDelta: () => undefined })
  } catch (error) {
    const status = signal.aborted ? 'aborted' : 'failed'
    if (!caller.isLost())
      await settle(caller, reserved, { ...made, status, ...countsOf(reply.usage, estimate) })
    throw signal.aborted ? signal.reason : error
  }
  await settle(caller, reserved, { ...made, status: 'ok', ...countsOf(reply.usage, estimate) })
  return { text: spoken(reply), model: model.modelId }
}

function spoken(reply: Reply): string {
  return reply
    .parts()
    .flatMap((part) => (part.type === 'text' ? [part.text] : []))
    .join('')
}

async function settle(
  { world, write }: Caller,
  reserved: Reserved,
  usage: Omit<UsageInput, 'attemptId' | 'purpose'>,
): Promise<void> {
  const attemptId = world.ids.next()
  const rated = await world.holdfast.priceBooks.rate({ ...usage, attemptId, purpose: 'compaction' })
  await write([{ type: 'recordUsage', usage: rated }, ...settlement(reserved)])
}
