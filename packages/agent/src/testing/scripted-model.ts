/**
 * A model of the AI SDK that says what a script says, without a network: streamed in pieces, the same each time, with
 * the faults of the provider stub. It calls itself scripted.
 */
import { APICallError, type LanguageModelV4, type LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { utf8Bytes } from '@holdfast/protocol'
import { type Answer, answerOf } from './answer.ts'
import type { AnswerPart } from './answer-part.ts'
import { type Fault, faultStatus, isRefusing } from './faults.ts'
import { piecesOf } from './pieces.ts'
import { askedOf } from './prompt.ts'
import { replyTo, type Script } from './script.ts'
import { whenRead } from './when-read.ts'

export interface ScriptedModelOptions {
  script: Script
  /** Default `scripted`, as the next. */
  provider?: string
  modelId?: string
  /** Milliseconds; when answers say that they were made. Default: one and the same time. */
  clock?: () => number
  /** Code points in one piece of a stream; default 16. */
  pieceSize?: number
  /** Waited for before each piece. Default: nothing. */
  pause?: () => Promise<void>
}

type CallOptions = Parameters<LanguageModelV4['doStream']>[0]
type Part = LanguageModelV4StreamPart

const heldTimeMs = 1_790_000_000_000

export function scriptedModel(options: ScriptedModelOptions): LanguageModelV4 {
  const { provider = 'scripted', modelId = 'scripted', pieceSize = 16 } = options
  let count = 0
  const next = async (call: CallOptions) => {
    const index = count++
    call.abortSignal?.throwIfAborted()
    const reply = await replyTo(options.script, askedOf(call, { index, model: modelId }))
    const createdAt = Math.floor((options.clock?.() ?? heldTimeMs) / 1_000)
    const to = { id: `scripted_${index + 1}`, model: modelId, createdAt }
    const answer = answerOf(reply, { ...to, conversation: () => JSON.stringify(call.prompt) })
    if (reply.fault && isRefusing(reply.fault)) throw errorOf(reply.fault)
    return { answer, fault: reply.fault }
  }
  return {
    ...{ specificationVersion: 'v4', provider, modelId, supportedUrls: {} },
    async doGenerate(call) {
      const { answer, fault } = await next(call)
      if (fault?.type === 'hang') return untilAborted(call.abortSignal)
      if (fault?.type === 'cut' || fault?.type === 'stream_error') throw errorOf(fault)
      return {
        content: answer.parts.map(contentOf),
        ...{ finishReason: finishOf(answer), usage: usageOf(answer), warnings: [] },
        response: { ...metadataOf(answer), headers: { 'x-scripted': 'true' } },
      }
    },
    async doStream(call) {
      const { answer, fault } = await next(call)
      const parts = streamed(answer, fault, pieceSize, call.abortSignal)
      return {
        stream: toStream(parts, options.pause, call.abortSignal),
        response: { headers: { 'x-scripted': 'true' } },
      }
    },
  }
}

/** The parts of a stream; one that fails or hangs does so where the fault says, in bytes of what was said. */
async function* streamed(
  answer: Answer,
  fault: Fault | undefined,
  pieceSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Part> {
  yield { type: 'stream-start', warnings: [] }
  yield { type: 'response-metadata', ...metadataOf(answer) }
  let said = 0
  const parts = answer.parts.flatMap((part, i) => partsOf(part, String(i), pieceSize))
  for (const [i, part] of parts.entries()) {
    if (fault?.type === 'stream_error' && i >= parts.length / 2) {
      yield { type: 'error', error: errorOf(fault) }
      return
    }
    if ((fault?.type === 'cut' || fault?.type === 'hang') && said >= fault.afterBytes)
      await endEarly(fault, signal)
    if ('delta' in part) said += utf8Bytes(part.delta)
    yield part
  }
  if (fault?.type === 'cut' || fault?.type === 'hang') await endEarly(fault, signal)
  yield { type: 'finish', finishReason: finishOf(answer), usage: usageOf(answer) }
}

async function endEarly(fault: Fault, signal: AbortSignal | undefined): Promise<never> {
  if (fault.type === 'hang') return untilAborted(signal)
  await whenRead()
  throw errorOf(fault)
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason)
    else signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function toStream(
  parts: AsyncGenerator<Part>,
  pause: (() => Promise<void>) | undefined,
  signal: AbortSignal | undefined,
): ReadableStream<Part> {
  const pull = async (controller: ReadableStreamDefaultController<Part>) => {
    await pause?.()
    signal?.throwIfAborted()
    const { done, value } = await parts.next()
    if (done) controller.close()
    else controller.enqueue(value)
  }
  return new ReadableStream({ pull }, { highWaterMark: 0 })
}

function partsOf(part: AnswerPart, id: string, pieceSize: number): Part[] {
  switch (part.type) {
    case 'text':
      return [
        { type: 'text-start', id },
        ...piecesOf(part.text, pieceSize).map((delta): Part => ({ type: 'text-delta', id, delta })),
        { type: 'text-end', id },
      ]
    case 'reasoning':
      return [
        { type: 'reasoning-start', id },
        ...piecesOf(part.text, pieceSize).map((delta): Part => ({ type: 'reasoning-delta', id, delta })),
        { type: 'reasoning-end', id, providerMetadata: { scripted: { signature: part.signature } } },
      ]
    case 'tool_call': {
      const { callId, name: toolName, arguments: input } = part
      return [
        { type: 'tool-input-start', id: callId, toolName },
        ...piecesOf(input, pieceSize).map((delta): Part => ({ type: 'tool-input-delta', id: callId, delta })),
        { type: 'tool-input-end', id: callId },
        { type: 'tool-call', toolCallId: callId, toolName, input },
      ]
    }
  }
}

type Content = Awaited<ReturnType<LanguageModelV4['doGenerate']>>['content'][number]

function contentOf(part: AnswerPart): Content {
  switch (part.type) {
    case 'text':
      return part
    case 'reasoning':
      return {
        type: 'reasoning',
        text: part.text,
        providerMetadata: { scripted: { signature: part.signature } },
      }
    case 'tool_call':
      return { type: 'tool-call', toolCallId: part.callId, toolName: part.name, input: part.arguments }
  }
}

const finishes = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content-filter',
  tool_calls: 'tool-calls',
} as const

function finishOf({ finish }: Answer) {
  return { unified: finishes[finish], raw: finish }
}

function usageOf({ usage }: Answer) {
  const { promptTokens, completionTokens, reasoningTokens, cachedReadTokens, cachedWriteTokens } = usage
  return {
    inputTokens: {
      total: promptTokens,
      noCache: promptTokens - cachedReadTokens - cachedWriteTokens,
      cacheRead: cachedReadTokens,
      cacheWrite: cachedWriteTokens,
    },
    outputTokens: {
      total: completionTokens,
      text: completionTokens - reasoningTokens,
      reasoning: reasoningTokens,
    },
    raw: { scripted: true, ...usage },
  }
}

function metadataOf({ id, model, createdAt }: Answer) {
  return { id, modelId: model, timestamp: new Date(createdAt * 1_000) }
}

/** As the provider packages give it: with a status, and whether another try is worth it. */
function errorOf(fault: Fault): APICallError {
  const statusCode = isRefusing(fault) ? faultStatus[fault.type] : undefined
  const isTold = fault.type === 'rate_limit' && fault.retryAfterSecs !== undefined
  return new APICallError({
    message: `${fault.type.replace('_', ' ')} (scripted)`,
    ...{ url: 'scripted:', requestBodyValues: {}, isRetryable: fault.type !== 'context_length' },
    ...(statusCode !== undefined && { statusCode }),
    ...(isTold && { responseHeaders: { 'retry-after': String(fault.retryAfterSecs) } }),
  })
}
