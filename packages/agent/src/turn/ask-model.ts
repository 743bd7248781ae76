/**
 * The model call of a round: attempt after attempt, model after model, until one answers. Each attempt is a row of the
 * ledger, also one that failed or was cut off; each has a draft of its own.
 */
import type { LanguageModelV4, LanguageModelV4Message } from '@ai-sdk/provider'
import type { HostCommand } from '@holdfast/core'
import { isHoldfastError, toTime, type UsageInput, type UsageRecord } from '@holdfast/protocol'
import { type Reserved, reserve, settlement } from '../budget/reserve.ts'
import { callModel } from '../model/call.ts'
import { type Failure, failureOf } from '../model/failure.ts'
import { Reply } from '../model/reply.ts'
import { resolveModel } from '../model/resolve.ts'
import { correction, structured } from '../model/structured.ts'
import { countsOf } from '../model/usage.ts'
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
    const outcome = await askOne(turn, prepared, await resolveModel(source), asking)
    if ('reply' in outcome) return outcome
    failed = outcome
  }
  throw new ModelFailed(failed as Failure)
}

async function askOne(
  turn: Turn,
  prepared: Prepared,
  model: LanguageModelV4,
  asking: Asking,
): Promise<Answer | Failure> {
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(turn, prepared, model, asking)
    if ('reply' in outcome) return outcome
    if (!outcome.retryable || tries >= turn.agent.maxAttempts) return outcome
    await turn.world.sleep(pauseMs(outcome, tries, turn.world.random()), turn.signal)
  }
}

async function attempt(
  turn: Turn,
  prepared: Prepared,
  model: LanguageModelV4,
  asking: Asking,
): Promise<Answer | Failure> {
  const { run, signal } = turn
  const reserved = await reserve(turn, prepared, model, asking.beside)
  if (reserved.reservationId !== undefined) asking.beside = []
  asking.attempts += 1
  const reply = new Reply()
  const draft = run.draft()
  const attemptId = `${turn.roundId}.${run.epoch}.${asking.attempts}`
  const made = { attemptId, at: toTime(turn.world.now()) }
  const { maxOutputTokens } = reserved
  const options = {
    ...prepared.options,
    prompt: [...prepared.options.prompt, ...asking.corrections],
    abortSignal: signal,
    ...(maxOutputTokens && { maxOutputTokens }),
  }
  try {
    await callModel(model, options, reply, { onDelta: (delta) => draft.write(delta) })
    const usage = await usageOf(turn, prepared, model, reply, { ...made, status: 'ok' })
    const misfit = misfitOf(turn, reply)
    if (misfit === undefined) return { reply, draftId: draft.draftId, usage, reserved, beside: asking.beside }
    await run.batch([...taken(asking), { type: 'recordUsage', usage }, ...settlement(reserved)])
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
    const usage = await usageOf(turn, prepared, model, reply, { ...made, status })
    if (turn.halting.halt?.why !== 'lost')
      await run.batch([...taken(asking), { type: 'recordUsage', usage }, ...settlement(reserved)])
    turn.halting.check()
    return failureOf(error)
  }
}

function taken(asking: Asking): readonly HostCommand[] {
  const { beside } = asking
  asking.beside = []
  return beside
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
  prepared: Prepared,
  { provider, modelId }: LanguageModelV4,
  reply: Reply,
  made: Pick<UsageInput, 'attemptId' | 'at' | 'status'>,
): Promise<UsageRecord> {
  const count = await turn.world.counter
  const nothing = made.status === 'failed' && reply.isEmpty
  const estimate = () =>
    nothing
      ? { promptTokens: 0, completionTokens: 0 }
      : { promptTokens: prepared.tokens.total, completionTokens: count(reply.text), ...reply.promptUsage }
  return turn.world.holdfast.priceBooks.rate({
    ...made,
    providerId: provider,
    model: modelId,
    ...countsOf(reply.usage, estimate),
  })
}

const firstPauseMs = 500
const longestPauseMs = 30_000

/** What the provider asked for, within reason; else twice as long after each try, and never the same for two workers. */
function pauseMs({ retryAfterMs }: Failure, tries: number, chance: number): number {
  const grown = firstPauseMs * 2 ** (tries - 1) * (0.5 + chance)
  return Math.min(longestPauseMs, Math.max(retryAfterMs ?? 0, grown))
}
