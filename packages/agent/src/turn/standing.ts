/** Where a run stands, read from its own events: what a worker must know to go on with it. */
import type { UnseenSession } from '@holdfast/core'
import { type EventData, isErased, type Json, limits, type SessionEvent, toMs } from '@holdfast/protocol'
import { CONTINUE, type Limit, limitOf } from '../budget/limit.ts'
import type { WantedCall } from '../model/reply.ts'

/** What became of a question. */
export type Answered = { answer: Json } | 'expired' | 'withdrawn'

/** A call that has no result yet. */
export interface OpenCall extends WantedCall {
  /** To the question that it was asked with, if it was answered. */
  answered?: Answered
}

export interface Ended {
  outcome: EventData<'child.finished'>['outcome']
  result?: string
}

export interface Standing {
  /** The last event that was looked at. */
  seq: number
  stopRequested: boolean
  /** Rounds that began. */
  rounds: number
  open: OpenCall[]
  /** The model call of the open round left no message and no usage. */
  attemptLost: boolean
  /** Of the context that was last sent, as it was measured before. */
  sentTokens: number
  /** How often the run's lease was lost. */
  losses: number
  /** Children that were spawned in this run; those that ended with how. */
  children: ReadonlyMap<string, Ended | undefined>
  /** Calls of each round so far, oldest first. */
  calls: (readonly WantedCall[])[]
  /** The last limit that was come to, and what was answered; `isRaised`: the budget was set since. */
  limit: { of: Limit; answered?: Answered; isRaised: boolean } | undefined
  /** Somebody said that calls without a known price may be made. */
  mayBeUnpriced: boolean
  /** Milliseconds that workers spent on the run, by the times of their events. */
  workedMs: number
  /** Input came that waits for the run, or did. */
  hasWaiting: boolean
}

export async function readStanding(session: UnseenSession, runId: string): Promise<Standing> {
  const folding = new FoldedStanding()
  for (const event of await eventsOf(session, runId)) folding.add(event)
  return folding
}

/** From the run's start on, read from the end: what a run did is bounded by its rounds, what a session did is not. */
async function eventsOf(session: UnseenSession, runId: string): Promise<SessionEvent[]> {
  const newestFirst: SessionEvent[] = []
  for (let through: number | undefined; ; ) {
    const { events, more } = await session.events({
      direction: 'backward',
      limit: limits.pageItems,
      ...(through !== undefined && { through }),
    })
    for (const event of events) {
      newestFirst.push(event)
      if (event.type === 'run.started' && (event.data as { runId?: string }).runId === runId)
        return newestFirst.reverse()
    }
    const last = events.at(-1)
    if (!more || !last) return newestFirst.reverse()
    through = last.seq - 1
  }
}

class FoldedStanding implements Standing {
  seq = 0
  stopRequested = false
  rounds = 0
  open: OpenCall[] = []
  attemptLost = false
  sentTokens = 0
  losses = 0
  readonly children = new Map<string, Ended | undefined>()
  calls: (readonly WantedCall[])[] = []
  limit: Standing['limit']
  mayBeUnpriced = false
  workedMs = 0
  hasWaiting = false
  #takenAt: string | undefined
  #lastAt = ''
  /** Question id → call id. */
  readonly #asked = new Map<string, string>()

  add(event: SessionEvent): void {
    this.seq = event.seq
    if (isErased(event)) return
    this.#clock(event)
    switch (event.type) {
      case 'budget.set':
        if (this.limit?.answered) this.limit.isRaised = true
        return
      case 'run.stop_requested':
        this.stopRequested = true
        return
      case 'round.started':
        this.rounds += 1
        this.attemptLost = true
        return
      case 'round.completed':
        this.attemptLost = false
        return
      case 'context.measured':
        this.sentTokens = (event.data as EventData<'context.measured'>).totalTokens
        return
      case 'message.appended':
        this.#said(event.data as EventData<'message.appended'>)
        return
      case 'tool.finished':
        this.#close((event.data as EventData<'tool.finished'>).callId)
        return
      case 'usage.recorded':
        if ((event.data as EventData<'usage.recorded'>).status !== 'failed') this.attemptLost = false
        return
      case 'lease.lost':
        this.losses += 1
        return
      case 'child.spawned':
        this.children.set((event.data as EventData<'child.spawned'>).childId, undefined)
        return
      case 'child.finished':
        this.#childEnded(event.data as EventData<'child.finished'>)
        return
      default:
        this.#questioned(event)
    }
  }

  #said({ role, parts, waiting }: EventData<'message.appended'>): void {
    if (waiting !== undefined) this.hasWaiting = true
    if (role !== 'assistant') return
    this.attemptLost = false
    this.open = parts.flatMap((part) => {
      return part.type === 'tool_call' ? [{ callId: part.callId, name: part.name, input: part.input }] : []
    })
    if (this.open.length > 0) this.calls.push(this.open)
  }

  #close(callId: string): void {
    this.open = this.open.filter((call) => call.callId !== callId)
  }

  #childEnded({ childId, outcome, result }: EventData<'child.finished'>): void {
    this.children.set(childId, { outcome, ...(result !== undefined && { result }) })
  }

  #questioned({ type, data }: SessionEvent): void {
    switch (type) {
      case 'question.asked': {
        const { questionId, toolCallId, toolName } = data as EventData<'question.asked'>
        if (toolCallId !== undefined) this.#asked.set(questionId, toolCallId)
        const limit = limitOf(toolName)
        if (limit) this.limit = { of: limit, isRaised: false }
        return
      }
      case 'question.answered':
        this.#answered(data as EventData<'question.answered'>)
        return
      case 'question.expired': {
        const { questionId, answer } = data as EventData<'question.expired'>
        this.#settled(questionId, answer === undefined ? 'expired' : { answer })
        return
      }
      case 'question.withdrawn':
        this.#settled((data as EventData<'question.withdrawn'>).questionId, 'withdrawn')
    }
  }

  #answered({ questionId, answer }: EventData<'question.answered'>): void {
    this.#settled(questionId, { answer })
  }

  #limitAnswered(limit: NonNullable<Standing['limit']>, answered: Answered): void {
    limit.answered = answered
    if (typeof answered === 'string' || answered.answer !== CONTINUE) return
    if (limit.of === 'price') this.mayBeUnpriced = true
    if (limit.of === 'loop') this.calls = []
  }

  /** A lost worker worked until its last event. */
  #clock({ type, at }: SessionEvent): void {
    const isEnd = type === 'run.suspended' || type === 'lease.lost'
    if (isEnd && this.#takenAt !== undefined) {
      const until = type === 'lease.lost' ? this.#lastAt : at
      this.workedMs += Math.max(0, toMs(until) - toMs(this.#takenAt))
      this.#takenAt = undefined
    }
    if (type === 'lease.taken') this.#takenAt = at
    this.#lastAt = at
  }

  #settled(questionId: string, answered: Answered): void {
    const callId = this.#asked.get(questionId)
    if (callId === undefined && this.limit) this.#limitAnswered(this.limit, answered)
    this.open = this.open.map((call) => (call.callId === callId ? { ...call, answered } : call))
  }
}
