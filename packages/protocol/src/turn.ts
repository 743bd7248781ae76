/**
 * A turn as whoever asked for it sees it, in this process or elsewhere: read from the events that follow the input, up to
 * where the run that answers it rests.
 */
import { z } from 'zod'
import type { EventData, SessionEvent } from './events/index.ts'
import { id } from './ids.ts'
import { json } from './json.ts'
import { inputPolicy, type Message, message, messagePart } from './message.ts'
import { objectOnUse } from './on-use.ts'
import { type Question, question } from './question.ts'
import { suspendReason } from './session.ts'

type SuspendReason = z.infer<typeof suspendReason>

const whole = z.int().min(0)

/** What is asked of an agent; without `input` it works towards the goal of its session. */
export const turnInput = objectOnUse(() => ({
  input: z.union([z.string().min(1), z.array(messagePart).min(1)]).optional(),
  /** While a turn is under way; default `enqueue`. */
  policy: inputPolicy.optional(),
  messageId: id.optional(),
  /** False: the answer comes as soon as the input is durable, and says from where to follow. Default true. */
  wait: z.boolean().optional(),
}))
export type TurnInput = z.infer<typeof turnInput>

/** Input that is durable. */
export const turnAccepted = objectOnUse(() => ({
  /** Cursor: the events of the turn come after it. */
  after: z.string(),
  messageId: id,
  /** The message waits for the turn under way to end, or to take it in. */
  waiting: z.boolean(),
}))
export type TurnAccepted = z.infer<typeof turnAccepted>

/** The run of a turn, or the message that it answers. */
export type TurnPlace = { runId: string } | Pick<TurnAccepted, 'messageId' | 'waiting'>

export const turnResult = objectOnUse(() => ({
  runId: id,
  /** `suspended`: it waits, for the answer to `question` or for another worker. */
  outcome: z.enum(['completed', 'failed', 'cancelled', 'suspended']),
  /** The last message of the assistant in this turn. */
  message: message.optional(),
  /** Its text. */
  text: z.string(),
  /** The answer as the agent's `output` schema gives it. */
  object: json.optional(),
  /** What the model calls of this turn used. */
  usage: z.strictObject({
    promptTokens: whole,
    completionTokens: whole,
    costMicrocents: whole,
    /** Calls whose cost is not known, and not in the sum. */
    costUnknown: whole,
    attempts: whole,
  }),
  question: question.optional(),
  /** Why it is suspended. */
  reason: suspendReason.optional(),
  error: z.strictObject({ message: z.string(), code: z.string().optional() }).optional(),
}))
export type TurnResult = z.infer<typeof turnResult>

const rests = {
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
  'run.suspended': 'suspended',
} as const

type Rest = keyof typeof rests

/** Reads the events after the input, one after the other. */
export class TurnReading {
  readonly result: TurnResult = {
    runId: '',
    outcome: 'suspended',
    text: '',
    usage: { promptTokens: 0, completionTokens: 0, costMicrocents: 0, costUnknown: 0, attempts: 0 },
  }
  #runId: string | undefined
  readonly #messageId: string | undefined
  /** The message is in the view: the next run answers it. */
  #isTaken: boolean

  readonly #isPatient: boolean

  /** `isPatient`: a run that a server put down when it stopped goes on elsewhere, and does not rest. */
  constructor(place: TurnPlace, { isPatient = false } = {}) {
    const asked = 'messageId' in place
    this.#runId = asked ? undefined : place.runId
    this.#messageId = asked ? place.messageId : undefined
    this.#isTaken = asked && !place.waiting
    this.#isPatient = isPatient
  }

  /** Whether the run rests with this event. */
  add(event: SessionEvent): boolean {
    if (this.#runId === undefined) {
      this.#findRun(event)
      return false
    }
    if (event.runId === undefined || event.runId === this.#runId) this.#gather(event)
    return this.#isRest(event)
  }

  #findRun({ type, runId, data }: SessionEvent): void {
    if (type === 'input.delivered') {
      const { messageIds } = data as EventData<'input.delivered'>
      if (!messageIds.includes(this.#messageId ?? '')) return
      this.#isTaken = true
      this.#runId = runId
    } else if (type === 'run.started' && this.#isTaken) {
      this.#runId = (data as EventData<'run.started'>).runId
    }
  }

  #isRest({ type, data }: SessionEvent): boolean {
    if (!(type in rests)) return false
    const { runId, reason, error, code } = data as EventOfRest
    if (runId !== this.#runId || (type === 'run.suspended' && this.#goesOn(reason))) return false
    this.result.runId = runId
    if (type === 'run.suspended' && reason) this.result.reason = reason
    this.result.outcome = rests[type as Rest]
    if (error !== undefined) this.result.error = { message: error, ...(code !== undefined && { code }) }
    return true
  }

  #goesOn(reason: SuspendReason | undefined): boolean {
    return reason === 'children' || (reason === 'shutdown' && this.#isPatient)
  }

  #gather(event: SessionEvent): void {
    const { type, data } = event
    if (type === 'message.appended') this.#said(event)
    else if (type === 'usage.recorded') this.#used(data as EventData<'usage.recorded'>)
    else if (type === 'question.asked') this.result.question = data as Question
    else if (type in closes) delete this.result.question
  }

  #said({ seq, at, data, runId, roundId }: SessionEvent): void {
    const appended = data as EventData<'message.appended'>
    const { messageId, draftId: _d, firstAnswer: _f, replaces: _r, ...said } = appended
    if (said.role !== 'assistant') return
    const placed = {
      id: messageId ?? String(seq),
      seq,
      at,
      ...(runId && { runId }),
      ...(roundId && { roundId }),
    }
    this.result.message = { ...said, ...placed } as Message
    this.result.text = said.parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
  }

  #used(usage: EventData<'usage.recorded'>): void {
    const sums = this.result.usage
    sums.promptTokens += usage.promptTokens
    sums.completionTokens += usage.completionTokens
    sums.costMicrocents += usage.costMicrocents ?? 0
    if (usage.costMicrocents === undefined) sums.costUnknown += 1
    sums.attempts += 1
  }
}

interface EventOfRest {
  runId: string
  reason?: SuspendReason
  error?: string
  code?: string
}

const closes = { 'question.answered': true, 'question.expired': true, 'question.withdrawn': true }
