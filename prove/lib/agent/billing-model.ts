/** A model that sends a bill: it says what a plan tells it to, and writes down what each attempt has used, whatever came of it. */
import {
  APICallError,
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4StreamPart,
} from '@ai-sdk/provider'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

/** What one attempt does. Tokens as the provider counts them. */
export interface Planned {
  text: string
  calls?: readonly { id: string; name: string; input: unknown }[]
  promptTokens: number
  cachedReadTokens: number
  completionTokens: number
  /**
   * `busy`, `unknown`: refused, and another try is worth it or not. `cut`: the connection ends after the text. `broken`: an
   * error comes after it. `hang`: nothing comes after it, until the call is aborted.
   */
  end: 'whole' | 'busy' | 'unknown' | 'cut' | 'broken' | 'hang'
}

/** A line of the bill. An answer that never ended costs its prompt, and the tokens of what was heard of it. */
export interface Served {
  model: string
  promptTokens: number
  cachedReadTokens: number
  completionTokens: number
}

export interface BillingOptions {
  modelId: string
  plan(options: LanguageModelV4CallOptions): Planned
  serve(options: LanguageModelV4CallOptions, served: Served): void
  /** Nothing more comes of this one by itself. */
  hangs?(options: LanguageModelV4CallOptions): void
  /** Waited for before an answer. */
  pause?(): Promise<void>
}

export const provider = 'billing'

export function billingModel({ modelId, plan, serve, hangs, pause }: BillingOptions): LanguageModelV4 {
  return {
    ...{ specificationVersion: 'v4', provider, modelId, supportedUrls: {} },
    doGenerate: () => Promise.reject(new Error('this model only streams')),
    async doStream(options) {
      const planned = plan(options)
      await pause?.()
      serve(options, servedOf(modelId, planned))
      if (planned.end === 'busy' || planned.end === 'unknown') throw refusalOf(planned.end)
      return { stream: streamOf(planned, options, () => hangs?.(options)) }
    },
  }
}

function servedOf(model: string, planned: Planned): Served {
  const { text, promptTokens, cachedReadTokens, completionTokens, end } = planned
  if (end === 'busy' || end === 'unknown')
    return { model, promptTokens: 0, cachedReadTokens: 0, completionTokens: 0 }
  const isWhole = end === 'whole'
  return {
    ...{ model, promptTokens, cachedReadTokens },
    completionTokens: isWhole ? completionTokens : countTokens(text),
  }
}

function refusalOf(end: 'busy' | 'unknown'): APICallError {
  const isRetryable = end === 'busy'
  return new APICallError({
    message: end,
    ...{ url: 'billing:', requestBodyValues: {}, statusCode: isRetryable ? 429 : 401, isRetryable },
  })
}

function streamOf(
  planned: Planned,
  { abortSignal }: LanguageModelV4CallOptions,
  hangs: () => void,
): ReadableStream<LanguageModelV4StreamPart> {
  const parts = partsOf(planned)
  const pull = async (controller: ReadableStreamDefaultController<LanguageModelV4StreamPart>) => {
    const part = parts.shift()
    if (part) return controller.enqueue(part)
    if (planned.end !== 'hang') return controller.close()
    hangs()
    await new Promise((_resolve, reject) => {
      abortSignal?.addEventListener('abort', () => reject(abortSignal.reason), { once: true })
    })
  }
  return new ReadableStream({ pull }, { highWaterMark: 0 })
}

/** The prompt's tokens come first, so that an answer that is broken off has them too. */
function partsOf(planned: Planned): LanguageModelV4StreamPart[] {
  const { text, calls = [], promptTokens, cachedReadTokens, completionTokens, end } = planned
  const usage = { input_tokens: promptTokens - cachedReadTokens, cache_read_input_tokens: cachedReadTokens }
  const parts: LanguageModelV4StreamPart[] = [
    { type: 'stream-start', warnings: [] },
    { type: 'custom', kind: 'billing.message_start', providerMetadata: { billing: { usage } } },
    { type: 'text-start', id: '0' },
    { type: 'text-delta', id: '0', delta: text },
  ]
  if (end === 'broken') return [...parts, { type: 'error', error: refusalOf('busy') }]
  if (end !== 'whole') return parts
  return [
    ...parts,
    { type: 'text-end', id: '0' },
    ...calls.map(({ id, name, input }) => ({
      ...{ type: 'tool-call' as const, toolCallId: id, toolName: name, input: JSON.stringify(input) },
    })),
    {
      type: 'finish',
      finishReason: { unified: calls.length > 0 ? 'tool-calls' : 'stop', raw: undefined },
      usage: {
        inputTokens: {
          ...{ total: promptTokens, noCache: promptTokens - cachedReadTokens },
          ...{ cacheRead: cachedReadTokens, cacheWrite: undefined },
        },
        outputTokens: { total: completionTokens, text: undefined, reasoning: undefined },
      },
    },
  ]
}
