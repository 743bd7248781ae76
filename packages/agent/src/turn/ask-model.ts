/**
 * The model call of a round: attempt after attempt, model after model, until one answers. Each attempt is a row of the
 * ledger, also one that failed or was cut off; each has a draft of its own.
 */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
} from '@ai-sdk/provider'
import type { HostCommand } from '@holdfast/core'
import { isHoldfastError, toTime, type UsageInput, type UsageRecord } from '@holdfast/protocol'
import { type Reserved, reserve, settlement } from '../budget/reserve.ts'
import type { Continuation } from '../context/continuation.ts'
import { callModel } from '../model/call.ts'
import { type Failure, failureOf } from '../model/failure.ts'
import { Reply } from '../model/reply.ts'
import { resolveModel } from '../model/resolve.ts'
import { keptResponse } from '../model/response.ts'
import { correction, structured } from '../model/structured.ts'
import { countsOf } from '../model/usage.ts'
import { Measure } from './measure.ts'
import type { Prepared } from './prepare.ts'
import type { Turn } from './turn.ts'

export interface Answer {
  reply: Reply
  draftId: string
  usage: UsageRecord
  reserved: Reserved
  /** To be written with the answer, as nothing was written before it. */
  beside: readonly HostCommand[]
}

/** No model answered. */
export class ModelFailed extends Error {
  override readonly name = 'ModelFailed'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

/** What is written with the first attempt, how many there were, and what is told of the last one to the next. */
interface Asking {
  beside: readonly HostCommand[]
  attempts: number
  corrections: readonly LanguageModelV4Message[]
  /** What is sent, where it is not the prompt as it was prepared. */
  inFull?: LanguageModelV4Prompt
}

/** One of the models, and what it is to be sent. */
interface Asked {
  model: LanguageModelV4
  measure: Measure
}

/** Throws `ModelFailed`, `LimitReached`, and `Halted` once what the attempt used is in the ledger. */
export async function askModel(
  turn: Turn,
  prepared: Prepared,
  beside: readonly HostCommand[],
): Promise<Answer> {
  let failed: Failure | undefined
  const asking: Asking = { beside, attempts: 0, corrections: [] }
  for (const source of turn.agent.models) {
    const model = await resolveModel(source)
    const measure = await Measure.of(turn, prepared, model)
    const outcome = await askOne(turn, prepared, { model, measure }, asking)
    if ('reply' in outcome) return outcome
    failed = outcome
  }
  throw new ModelFailed(failed as Failure)
}

async function askOne(
  turn: Turn,
  prepared: Prepared,
  asked: Asked,
  asking: Asking,
): Promise<Answer | Failure> {
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(turn, prepared, asked, asking)
    if ('reply' in outcome) return outcome
    if (outcome.isForgotten && !asking.inFull) {
      asking.inFull = prepared.kept.sendInFull(prepared.window, turn.prompt?.effectiveText ?? '')
      tries -= 1
      continue
    }
    if (!outcome.retryable || tries >= turn.agent.maxAttempts) return outcome
    await turn.world.sleep(pauseMs(outcome, tries, turn.world.random()), turn.signal)
  }
}

async function attempt(
  turn: Turn,
  prepared: Prepared,
  { model, measure }: Asked,
  asking: Asking,
): Promise<Answer | Failure> {
  const { run, signal } = turn
  const { tokens } = measure.size
  const reserved = await reserve(turn, { ...prepared, tokens }, model, [
    ...asking.beside,
    ...measure.unsaid(),
  ])
  if (reserved.reservationId !== undefined) said(asking, measure)
  asking.attempts += 1
  const reply = new Reply()
  const draft = run.draft()
  const attemptId = `${turn.roundId}.${run.epoch}.${asking.attempts}`
  const made = { attemptId, at: toTime(turn.world.now()) }
  const { maxOutputTokens } = reserved
  const continuation = asking.inFull ? undefined : measure.continuation
  const options = {
    ...prepared.options,
    ...sent(prepared, asking, continuation),
    abortSignal: signal,
    ...(maxOutputTokens && { maxOutputTokens }),
  }
  const settle = async (usage: UsageRecord, beside: readonly HostCommand[] = []): Promise<void> => {
    const before = [...asking.beside, ...measure.unsaid(), ...beside]
    await run.batch([...before, { type: 'recordUsage', usage }, ...settlement(reserved)])
    said(asking, measure)
  }
  try {
    await callModel(model, options, reply, { onDelta: (delta) => draft.write(delta) })
    const usage = await usageOf(turn, measure, model, reply, {
      ...made,
      status: 'ok',
      ...added(continuation),
    })
    const misfit = misfitOf(turn, reply)
    if (misfit === undefined) {
      const counted = asking.corrections.length > 0 ? measure.unsaid() : measure.answered(usage)
      const beside = [
        ...asking.beside,
        ...counted,
        ...heldAfter(turn, { model, reply, usage, asking, continuation }),
      ]
      return { reply, draftId: draft.draftId, usage, reserved, beside }
    }
    await settle(usage)
    asking.corrections = correction(reply.answer, misfit)
    return {
      message: `The answer does not fit: ${misfit}`,
      code: 'invalid_output',
      retryable: true,
      retryAfterMs: 0,
    }
  } catch (error) {
    if (isHoldfastError(error)) throw error
    await draft.flush()
    const status = signal.aborted ? 'aborted' : 'failed'
    const usage = await usageOf(turn, measure, model, reply, { ...made, status })
    const failure = failureOf(error)
    if (turn.halting.halt?.why !== 'lost')
      await settle(usage, failure.isForgotten ? [{ type: 'invalidateProviderContext', reason: 'lost' }] : [])
    turn.halting.check()
    return failure
  }
}

function said(asking: Asking, measure: Measure): void {
  asking.beside = []
  measure.said()
}

/** The whole context, or what is new to a provider that holds the rest. */
function sent(
  { options }: Prepared,
  { corrections, inFull }: Asking,
  continuation: Continuation | undefined,
): Pick<LanguageModelV4CallOptions, 'prompt' | 'providerOptions'> {
  if (!continuation) {
    const whole = inFull ?? options.prompt
    return { prompt: corrections.length > 0 ? [...whole, ...corrections] : whole }
  }
  const { key, id } = continuation.response
  const own = { ...options.providerOptions?.[key], previousResponseId: id }
  return {
    prompt: [...continuation.prompt, ...corrections],
    providerOptions: { ...options.providerOptions, [key]: own },
  }
}

function added(continuation: Continuation | undefined): Pick<UsageInput, 'context'> {
  if (!continuation) return {}
  return { context: { contextId: continuation.contextId, tokens: continuation.tokens } }
}

interface Answered {
  model: LanguageModelV4
  reply: Reply
  usage: UsageRecord
  asking: Asking
  continuation: Continuation | undefined
}

/** The provider keeps its answer, for the next call to go on from; not one that it was corrected to, in words that the session does not have. */
function heldAfter({ agent }: Turn, { model, reply, usage, asking, continuation }: Answered): HostCommand[] {
  if (!agent.stateful) return []
  if (asking.corrections.length > 0) return [{ type: 'invalidateProviderContext', reason: 'corrected' }]
  const response = keptResponse(reply.parts())
  if (continuation || !response || agent.settings.providerOptions?.[response.key]?.store === false) return []
  const of = { providerId: model.provider, model: model.modelId, responseId: response.id }
  return [{ type: 'openProviderContext', ...of, initialTokens: usage.promptTokens }]
}

/** What is wrong with an answer that must have a shape; a message with tool calls is none yet. */
function misfitOf({ agent }: Turn, reply: Reply): string | undefined {
  if (!agent.output || reply.calls.length > 0) return undefined
  const checked = structured(agent.output, reply.answer)
  return 'why' in checked ? checked.why : undefined
}

/** A call that was refused before anything came used nothing; one that was cut off is estimated, unless the provider told. */
async function usageOf(
  turn: Turn,
  { size }: Measure,
  { provider, modelId }: LanguageModelV4,
  reply: Reply,
  made: Pick<UsageInput, 'attemptId' | 'at' | 'status' | 'context'>,
): Promise<UsageRecord> {
  const count = await turn.world.counter
  const nothing = made.status === 'failed' && reply.isEmpty
  const estimate = () =>
    nothing
      ? { promptTokens: 0, completionTokens: 0 }
      : { promptTokens: size.tokens.total, completionTokens: count(reply.text), ...reply.promptUsage }
  const rated = await turn.world.holdfast.priceBooks.rate({
    ...made,
    providerId: provider,
    model: modelId,
    ...countsOf(reply.usage, estimate),
  })
  turn.wasUnpriced ||= rated.costSource === 'unknown'
  return rated
}

const firstPauseMs = 500
const longestPauseMs = 30_000

/** What the provider asked for, within reason; else twice as long after each try, and never the same for two workers. */
function pauseMs({ retryAfterMs }: Failure, tries: number, chance: number): number {
  const grown = firstPauseMs * 2 ** (tries - 1) * (0.5 + chance)
  return Math.min(longestPauseMs, Math.max(retryAfterMs ?? 0, grown))
}
