/** A model that says what a script tells it to, step by step. */
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import { MockLanguageModelV4 } from 'ai/test'

export interface Call {
  id?: string
  name: string
  input: unknown
}

/** What one model call does. */
export interface Step {
  text?: string
  reasoning?: string
  calls?: readonly Call[]
  finish?: LanguageModelV4FinishReason['unified']
  /** `hour`: of the prompt, what is written to a cache for an hour. */
  usage?: { prompt: number; completion: number; hour?: number } | 'none'
  /** Before anything comes. */
  error?: unknown
  /** The stream ends after its text, without an end. */
  cut?: boolean
  /** Waits before the end of the stream. */
  until?: Promise<unknown>
  parts?: readonly LanguageModelV4StreamPart[]
}

export type Script =
  | readonly Step[]
  | ((options: LanguageModelV4CallOptions, nth: number) => Step | Promise<Step>)

export function scripted(script: Script, name = 'scripted'): MockLanguageModelV4 {
  let nth = 0
  return new MockLanguageModelV4({
    provider: 'test',
    modelId: name,
    doStream: async (options) => {
      const at = nth++
      const step = typeof script === 'function' ? await script(options, at) : script[at]
      if (!step) throw new Error(`the script has no step ${at}`)
      if (step.error !== undefined) throw step.error
      return { stream: streamOf(step) }
    },
  })
}

function streamOf(step: Step): ReadableStream<LanguageModelV4StreamPart> {
  const parts = partsOf(step)
  return new ReadableStream({
    async start(controller) {
      for (const part of parts) {
        if (part.type === 'finish') await step.until
        controller.enqueue(part)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await step.until
      controller.close()
    },
  })
}

function partsOf({
  text,
  reasoning,
  calls = [],
  finish,
  usage,
  cut,
  parts = [],
}: Step): LanguageModelV4StreamPart[] {
  const out: LanguageModelV4StreamPart[] = [{ type: 'stream-start', warnings: [] }]
  if (reasoning !== undefined) out.push(...blocks('reasoning', 'r', reasoning))
  if (text !== undefined) out.push(...blocks('text', 't', text))
  for (const [i, { id = `call_${i + 1}`, name, input }] of calls.entries()) {
    out.push({
      type: 'tool-call',
      toolCallId: id,
      toolName: name,
      input: typeof input === 'string' ? input : JSON.stringify(input),
    })
  }
  out.push(...parts)
  if (cut) return out
  const unified = finish ?? (calls.length > 0 ? 'tool-calls' : 'stop')
  out.push({ type: 'finish', finishReason: { unified, raw: unified }, usage: usageOf(usage) })
  return out
}

function blocks(kind: 'text' | 'reasoning', id: string, text: string): LanguageModelV4StreamPart[] {
  const size = Math.max(1, Math.ceil(text.length / 12))
  const words = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
    text.slice(i * size, (i + 1) * size),
  )
  return [
    { type: `${kind}-start`, id },
    ...words.map((delta) => ({ type: `${kind}-delta` as const, id, delta })),
    { type: `${kind}-end`, id },
  ]
}

function usageOf(usage: Step['usage'] = { prompt: 10, completion: 5 }): LanguageModelV4Usage {
  const counts = usage === 'none' ? undefined : usage
  const hour = counts?.hour
  return {
    inputTokens: { total: counts?.prompt, noCache: undefined, cacheRead: undefined, cacheWrite: hour },
    outputTokens: { total: counts?.completion, text: undefined, reasoning: undefined },
    ...(hour !== undefined && { raw: { cache_creation: { ephemeral_1h_input_tokens: hour } } }),
  }
}
