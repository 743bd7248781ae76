/**
 * The recorder as middleware of the AI SDK: what is new in a prompt is durable before the model is called, the answer
 * before the loop goes on with it.
 */
import {
  APICallError,
  type LanguageModelV4,
  type LanguageModelV4Middleware,
  type LanguageModelV4StreamPart,
} from '@ai-sdk/provider'
import { isMessageStart, promptUsageOf } from '../model/prompt-usage.ts'
import { countsOf } from '../model/usage.ts'
import { finishOf, saidIn } from './content.ts'
import type { Attach } from './files.ts'
import { Gathering } from './gathering.ts'
import type { Counted } from './ledger-row.ts'
import type { CallAbout, RecordedCall } from './recorded-call.ts'

type Params = Parameters<LanguageModelV4['doStream']>[0]
type Finish = Extract<LanguageModelV4StreamPart, { type: 'finish' }>

interface CallRecorder {
  callFor(prompt: Params['prompt'], about: CallAbout): Promise<RecordedCall>
}

export function recorderMiddleware(recorder: CallRecorder, attach: Attach): LanguageModelV4Middleware {
  const begin = ({ prompt }: Params, { provider, modelId }: LanguageModelV4) =>
    recorder.callFor(prompt, {
      ...{ providerId: providerIdOf(provider), model: modelId },
      prompt: () => JSON.stringify(prompt),
    })
  return {
    specificationVersion: 'v4',
    async wrapGenerate({ doGenerate, params, model }) {
      const call = await begin(params, model)
      const result = await attempted(call, params, doGenerate)
      const { content, finishReason, usage } = result
      await call.answer({
        ...(await saidIn(content, attach)),
        finish: finishOf(finishReason.unified),
        usage: countsOf(usage, () => call.guess()),
      })
      return result
    },
    async wrapStream({ doStream, params, model }) {
      const call = await begin(params, model)
      const result = await attempted(call, params, doStream)
      return { ...result, stream: recorded(result.stream, call, params, attach) }
    },
  }
}

/** `openai.responses` and `openai.chat` are one provider. */
function providerIdOf(provider: string): string {
  return provider.split('.')[0] ?? provider
}

async function attempted<T>(call: RecordedCall, params: Params, make: () => PromiseLike<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    await stopped(call, params, error)
    throw error
  }
}

/** The stream as it comes. Its end waits until the answer is in the log. */
function recorded(
  stream: ReadableStream<LanguageModelV4StreamPart>,
  call: RecordedCall,
  params: Params,
  attach: Attach,
): ReadableStream<LanguageModelV4StreamPart> {
  const reader = stream.getReader()
  const gathering = new Gathering()
  let failed: { error: unknown } | undefined
  const finished = async ({ finishReason, usage }: Finish) => {
    const counted = countsOf(usage, () => call.guess())
    if (failed && finishReason.unified === 'error') return stopped(call, params, failed.error, counted)
    await call.answer({
      ...(await saidIn(gathering.content, attach)),
      ...{ finish: finishOf(finishReason.unified), usage: counted },
    })
  }
  return new ReadableStream<LanguageModelV4StreamPart>({
    async pull(controller) {
      try {
        const { done, value: part } = await reader.read()
        if (done) {
          await stopped(call, params, failed?.error ?? new Error('the stream ended without an end'))
          return controller.close()
        }
        gathering.add(part)
        hear(call, part)
        if (part.type === 'error') failed = part
        if (part.type === 'finish') await finished(part)
        controller.enqueue(part)
      } catch (error) {
        await stopped(call, params, error)
        controller.error(error)
      }
    },
    async cancel(reason) {
      await call.abort('the reader left')
      await reader.cancel(reason)
    },
  })
}

function hear(call: RecordedCall, part: LanguageModelV4StreamPart): void {
  if (part.type === 'text-delta') call.text(part.delta)
  if (part.type === 'reasoning-delta') call.reasoning(part.delta)
  if (part.type === 'tool-input-delta') call.other(part.delta)
  const counted = part.type === 'custom' && isMessageStart(part) && promptUsageOf(part)
  if (counted) call.promptCounted(counted)
}

/** A call without an answer: stopped, refused or broken. What was refused before it began costs nothing. */
async function stopped(call: RecordedCall, params: Params, error: unknown, usage?: Counted): Promise<void> {
  if (params.abortSignal?.aborted) return call.abort('aborted', usage)
  const isCallError = APICallError.isInstance(error)
  const isRefused = isCallError && error.statusCode !== undefined && error.statusCode >= 400
  const free = isRefused && !call.hasBegun ? { promptTokens: 0, completionTokens: 0 } : undefined
  const retry = isCallError && error.isRetryable && !call.hasBegun
  const counted = usage ?? free
  await call.fail(error, { retry, ...(counted && { usage: counted }) })
}
