/**
 * A turn as its caller sees it: the events of the log and the text as it is written, from the input on to where the run
 * rests; and what came of it. The turn does not depend on anybody listening.
 */
import type { Followed, UnseenSession } from '@holdfast/core'
import type { EventData, Message, Question, SessionEvent } from '@holdfast/protocol'
import type { Schema } from '../define/schema.ts'
import { structured } from '../model/structured.ts'

export interface TurnResult {
  runId: string
  /** `suspended`: it waits, for the answer to `question` or for another worker. */
  outcome: 'completed' | 'failed' | 'cancelled' | 'suspended'
  /** The last message of the assistant in this turn. */
  message?: Message
  /** Its text. */
  text: string
  /** The answer as the agent's `output` schema gives it. */
  object?: unknown
  /** What the model calls of this turn used. */
  usage: {
    promptTokens: number
    completionTokens: number
    costMicrocents: number
    costUnknown: number
    attempts: number
  }
  question?: Question
  error?: { message: string; code?: string }
}

/** Where a caller's interest begins. */
export interface TurnStart {
  session: UnseenSession
  /** Shape of the answer. */
  output?: Schema | undefined
  /** Seq before the input. */
  after: number
  /** The run, or the message whose run is still to begin. */
  of: { runId: string } | { messageId: string; waiting: boolean }
}

export class TurnStream implements AsyncIterable<Followed> {
  readonly #start: Promise<TurnStart>
  #result: Promise<TurnResult> | undefined

  constructor(start: Promise<TurnStart>) {
    this.#start = start
  }

  /** Resolves when the input is durable. */
  async accepted(): Promise<TurnStart['of']> {
    return (await this.#start).of
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Followed, void, void> {
    const start = await this.#start
    const end = new RunEnd(start.of)
    for await (const item of start.session.follow({ after: String(start.after) })) {
      yield item
      if (item.type === 'event' && end.sees(item.event)) return
    }
  }

  get result(): Promise<TurnResult> {
    this.#result ??= this.#gather()
    return this.#result
  }

  async #gather(): Promise<TurnResult> {
    const gathered = new GatheredResult()
    for await (const item of this) if (item.type === 'event') gathered.add(item.event)
    const { output } = await this.#start
    const object =
      output && gathered.result.outcome === 'completed' && structured(output, gathered.result.text)
    return object && 'value' in object ? { ...gathered.result, object: object.value } : gathered.result
  }
}

/** Finds the end of the run that a message is answered in. */
class RunEnd {
  #runId: string | undefined
  readonly #messageId: string | undefined
  /** The message is in the view: the next run answers it. */
  #isTaken: boolean

  constructor(of: TurnStart['of']) {
    this.#runId = 'runId' in of ? of.runId : undefined
    this.#messageId = 'messageId' in of ? of.messageId : undefined
    this.#isTaken = 'messageId' in of && !of.waiting
  }

  /** Whether the run rests with this event. */
  sees({ type, runId, data }: SessionEvent): boolean {
    if (this.#runId === undefined) {
      if (
        type === 'input.delivered' &&
        (data as EventData<'input.delivered'>).messageIds.includes(this.#messageId ?? '')
      ) {
        this.#isTaken = true
        this.#runId = runId
      }
      if (type === 'run.started' && this.#isTaken) this.#runId = (data as EventData<'run.started'>).runId
      return false
    }
    if (!(type in rests)) return false
    const of = data as { runId: string; reason?: string }
    return of.runId === this.#runId && (type !== 'run.suspended' || of.reason !== 'children')
  }
}

const rests = {
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
  'run.suspended': 'suspended',
} as const

class GatheredResult {
  result: TurnResult = {
    runId: '',
    outcome: 'suspended',
    text: '',
    usage: { promptTokens: 0, completionTokens: 0, costMicrocents: 0, costUnknown: 0, attempts: 0 },
  }

  add({ type, seq, at, data, runId, roundId }: SessionEvent): void {
    switch (type) {
      case 'message.appended': {
        const {
          messageId,
          draftId: _d,
          firstAnswer: _f,
          replaces: _r,
          ...message
        } = data as EventData<'message.appended'>
        if (message.role !== 'assistant') return
        const placed = {
          ...message,
          id: messageId ?? String(seq),
          seq,
          at,
          ...(runId && { runId }),
          ...(roundId && { roundId }),
        }
        this.result.message = placed as Message
        this.result.text = message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
        return
      }
      case 'usage.recorded':
        this.#used(data as EventData<'usage.recorded'>)
        return
      case 'question.asked':
        this.result.question = data as Question
        return
      case 'question.answered':
      case 'question.expired':
      case 'question.withdrawn':
        delete this.result.question
        return
      case 'run.completed':
      case 'run.failed':
      case 'run.cancelled':
      case 'run.suspended':
        this.#rested(type, data as { runId: string; error?: string; code?: string })
    }
  }

  #used(usage: EventData<'usage.recorded'>): void {
    const sums = this.result.usage
    sums.promptTokens += usage.promptTokens
    sums.completionTokens += usage.completionTokens
    sums.costMicrocents += usage.costMicrocents ?? 0
    if (usage.costMicrocents === undefined) sums.costUnknown += 1
    sums.attempts += 1
  }

  #rested(type: keyof typeof rests, data: { runId: string; error?: string; code?: string }): void {
    this.result.runId = data.runId
    this.result.outcome = rests[type]
    if (data.error !== undefined)
      this.result.error = { message: data.error, ...(data.code !== undefined && { code: data.code }) }
  }
}
