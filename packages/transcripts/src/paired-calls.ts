/**
 * Calls and results as a provider takes them: each call answered once, directly after its message, under an id that fits.
 * A session may stand in the middle of a round, hold erased messages, or ids of a provider that allows more.
 */
import { createHash } from 'node:crypto'
import type { Message, MessagePart } from '@holdfast/protocol'
import type { LossReport } from './loss-report.ts'

/** What a provider takes as the id of a call. */
export interface CallIdRule {
  fits: RegExp
  /** An id may stand for one call of the conversation only. */
  isUnique: boolean
}

export const noResult = 'no result in the transcript: the call may or may not have taken effect'

export class PairedCalls {
  readonly #rule: CallIdRule
  readonly #report: LossReport
  readonly #used = new Set<string>()
  /** Of the last message that called: the ids that calls are written under, and those without a result. */
  #names = new Map<string, string>()
  #open: string[] = []
  #calling: Message | undefined

  constructor(rule: CallIdRule, report: LossReport) {
    this.#rule = rule
    this.#report = report
  }

  /** The messages to be written for this one: before it, results of calls that have none. */
  next(message: Message): Message[] {
    if (message.erased) {
      this.#report.drop('erased messages')
      return message.role === 'tool' ? [] : this.end()
    }
    if (message.role === 'tool') return this.#result(message)
    const closing = this.end()
    return [...closing, this.#named(message)]
  }

  /** Results of the calls that are open at the end. */
  end(): Message[] {
    const calling = this.#calling
    const open = this.#open
    this.#open = []
    if (!calling || open.length === 0) return []
    this.#report.repair('calls without a result, closed as unknown', open.length)
    return open.map((callId) => closing(calling, callId))
  }

  #result(message: Message): Message[] {
    const parts = message.parts.map((part) => {
      const callId = part.type === 'tool_result' ? this.#names.get(part.callId) : undefined
      return callId === undefined || part.type !== 'tool_result' ? part : { ...part, callId }
    })
    const answered = parts.flatMap((part) => (part.type === 'tool_result' ? [part.callId] : []))
    if (!answered.every((callId) => this.#open.includes(callId))) {
      this.#report.drop('results of no open call')
      return []
    }
    this.#open = this.#open.filter((callId) => !answered.includes(callId))
    return [{ ...message, parts }]
  }

  #named(message: Message): Message {
    this.#names = new Map()
    this.#calling = message
    const parts = message.parts.map((part) => this.#withName(part))
    this.#open = parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
    return { ...message, parts }
  }

  #withName(part: MessagePart): MessagePart {
    if (part.type !== 'tool_call') return part
    const callId = this.#nameFor(part.callId)
    this.#names.set(part.callId, callId)
    if (callId !== part.callId) this.#report.repair('call ids that do not fit, made anew')
    return { ...part, callId }
  }

  #nameFor(callId: string): string {
    const fitting = this.#rule.fits.test(callId) ? callId : `call_${digestOf(callId)}`
    if (!this.#rule.isUnique) return fitting
    let name = fitting
    for (let nth = 2; this.#used.has(name); nth++) name = `call_${digestOf(`${callId} ${nth}`)}`
    this.#used.add(name)
    return name
  }
}

function closing({ id, seq, at }: Message, callId: string): Message {
  const part: MessagePart = { type: 'tool_result', callId, output: noResult, outcome: 'unknown' }
  return { id: `${id}.${callId}`, seq, at, role: 'tool', parts: [part] }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
