/**
 * Turns out of a transcript that is a plain sequence: what is said to the model, its answers, the results of its calls.
 * A turn is what a user said and what was done about it. Memory holds one turn.
 */
import type { HostCommand } from '@holdfast/core'
import {
  type JsonObject,
  limits,
  type MessageInput,
  type MessagePart,
  type UsageRecord,
} from '@holdfast/protocol'
import type { Compaction, Round, Step, Turn } from './batch.ts'
import type { LossReport } from './loss-report.ts'
import { parted } from './open-turn.ts'
import { repeatedCall, repeatedCalls } from './repeated-call.ts'

export interface TurnBuilderOptions {
  report: LossReport
  /** Where the reader stands now. */
  position(): JsonObject
  /** What is read now is read again: its notes are there already, its rounds were counted. */
  isSeen(): boolean
  providerId?: string
}

interface Reply {
  parts: MessagePart[]
  at: string | undefined
  saidAt: string | undefined
  finish: NonNullable<MessageInput['finish']>
  open: Set<string>
  after: Step[]
  /** What the system said behind it. */
  remarks: Step[]
  /** Nothing more is said in it. */
  isClosed: boolean
  isCounted: boolean
  position: JsonObject
}

type Result = Omit<Extract<HostCommand, { type: 'finishTool' }>, 'type'>

const mostParts = Math.min(limits.openCalls, limits.messageParts)

export class TurnBuilder {
  readonly #options: TurnBuilderOptions
  readonly #answered = new Set<string>()
  #before: Step[] = []
  #replies: Reply[] = []
  /** Where the reader stood before the first of them. */
  #begun: JsonObject | undefined
  #hasRead = false
  #model: string | undefined
  #startedWith: string | undefined

  constructor(options: TurnBuilderOptions) {
    this.#options = options
  }

  /** What the next answers are made with. */
  set model(model: string | undefined) {
    this.#model = model
  }

  get currentModel(): string | undefined {
    return this.#model
  }

  /** Must be called after each piece of the source was taken in: a later import goes on behind it. */
  moved(): void {
    this.#hasRead = true
    const reply = this.#replies.at(-1)
    if (reply) reply.position = this.#options.position()
    else this.#begun = this.#options.position()
  }

  /** Words of a user or of the system. After answers they begin the next turn, which gives this one. */
  *say(message: MessageInput, at: string | undefined): Generator<Turn> {
    if (message.role === 'user' && this.#replies.length > 0) yield* this.finish()
    const step: Step = { command: { type: 'append', message, policy: 'enqueue' }, at }
    const reply = this.#replies.at(-1)
    if (!reply) this.#before.push(step)
    else {
      this.closeReply()
      reply.remarks.push(step)
    }
  }

  /** The source tells that the next turn begins, before anybody says anything; `isOver`: and that the last one is over. */
  *turnBegins(isOver: boolean): Generator<Turn> {
    const isWaiting = this.#replies.some(({ open }) => open.size > 0)
    const isSaid = this.#replies.length > 0 || this.#before.some(({ command }) => command.type === 'append')
    if (isSaid && (isOver || !isWaiting)) yield* this.finish()
  }

  /** Adds to the answer that is open, or opens one. */
  reply(parts: readonly MessagePart[], at: string | undefined): void {
    for (const part of parts) this.#replyWith(part, at)
  }

  closeReply(finish: Reply['finish'] = 'complete'): void {
    const reply = this.#replies.at(-1)
    if (!reply || reply.isClosed) return
    reply.isClosed = true
    reply.finish = finish
  }

  /** `again`: its call was answered before; `orphan`: no call waits for it. */
  result(result: Result, at: string | undefined): 'answered' | 'again' | 'orphan' {
    const reply = this.#replies.findLast(({ open }) => open.delete(result.callId))
    if (!reply) return this.#answered.has(result.callId) ? 'again' : 'orphan'
    this.closeReply()
    reply.after.push({ command: { type: 'finishTool', ...result }, at })
    this.#answered.add(result.callId)
    return 'answered'
  }

  note(note: Omit<Extract<HostCommand, { type: 'addNote' }>, 'type'>, at: string | undefined): void {
    if (!this.#options.isSeen()) this.#push({ command: { type: 'addNote', ...note }, at })
  }

  /** What the answer that was last read cost; `isPriced`: what a token costs of it is in books. */
  usage(usage: UsageRecord, at: string | undefined, isPriced = true): void {
    this.#push({ command: { type: 'recordUsage', usage }, at, ...(!isPriced && { unpriced: true }) })
  }

  step(command: HostCommand, at: string | undefined): void {
    this.#push({ command, at })
  }

  *compact(compaction: Compaction): Generator<Turn> {
    yield* this.finish()
    yield { before: [], run: undefined, after: [], compaction, position: this.#options.position() }
  }

  *finish(): Generator<Turn> {
    if (!this.#hasRead && this.#before.length === 0 && this.#replies.length === 0) return
    const position = this.#replies.at(-1)?.position ?? this.#options.position()
    const run = this.#replies.length > 0 ? this.#run(this.#replies) : undefined
    yield { before: this.#before, run, after: [], position }
    this.#before = []
    this.#replies = []
    this.#hasRead = false
  }

  /** The source ends here for now. What may go on is marked as `open` in its position. */
  *end(): Generator<Turn> {
    const last = this.#replies.length - 1
    const open = this.#replies.findIndex(
      (reply, at) => reply.open.size > 0 || (at === last && !reply.isClosed),
    )
    const begun = this.#begun
    for (const turn of this.finish()) {
      if (open < 0) yield turn
      else yield* parted({ ...turn, position: { ...turn.position, open: true } }, open, begun)
    }
  }

  #replyWith(part: MessagePart, at: string | undefined): void {
    const last = this.#replies.at(-1)
    const isOpen = last && !last.isClosed && last.parts.length < mostParts
    const reply = isOpen ? last : this.#open(at)
    reply.saidAt = at
    if (part.type !== 'tool_call') reply.parts.push(part)
    else if (reply.open.has(part.callId)) {
      this.#options.report.repair(repeatedCalls)
      reply.parts.push(repeatedCall(part))
    } else {
      reply.open.add(part.callId)
      reply.parts.push(part)
    }
  }

  #open(at: string | undefined): Reply {
    this.closeReply()
    const position = this.#options.position()
    const reply: Reply = {
      parts: [],
      at,
      saidAt: at,
      finish: 'complete',
      open: new Set(),
      after: [],
      remarks: [],
      isClosed: false,
      isCounted: this.#options.isSeen(),
      position,
    }
    this.#replies.push(reply)
    return reply
  }

  #push(step: Step): void {
    const reply = this.#replies.at(-1)
    if (reply) reply.after.push(step)
    else this.#before.push(step)
  }

  /** A transcript may end with a call that hands the user over: no answer follows, and none is missing. */
  #run(replies: readonly Reply[]): NonNullable<Turn['run']> {
    const { providerId } = this.#options
    const model = this.#model
    const at = replies[0]?.at
    const choice: Step[] =
      model === undefined || model === this.#startedWith
        ? []
        : [{ command: { type: 'setModel', model, ...(providerId && { providerId }) }, at }]
    this.#startedWith = model
    const names = { ...(model !== undefined && { model }), ...(model && providerId && { providerId }) }
    const start: Step = {
      command: { type: 'startRun', recorded: true, owner: 'import', ttlMs: 1, ...names },
      at,
    }
    const last = replies.at(-1)
    const end: Step = { command: { type: 'completeRun' }, at: last?.after.at(-1)?.at ?? last?.saidAt }
    return { start: [...choice, start], rounds: replies.map((reply) => this.#round(reply)), end }
  }

  #round({ parts, at, saidAt, finish, open, after, remarks, isCounted, position }: Reply): Round {
    const message: MessageInput = { role: 'assistant', parts: [...parts], finish }
    const closing: Step[] = []
    if (open.size > 0) {
      this.#options.report.repair('calls without a result, closed as unknown', open.size)
      const command = { type: 'closeCalls' as const, reason: 'no result in the transcript' }
      closing.push({ command, at: after.at(-1)?.at ?? saidAt })
    }
    const inside: Step[] = [
      { command: { type: 'append', message, policy: 'reject' }, at: saidAt },
      ...after,
      ...closing,
    ]
    if (isCounted) return { steps: [...inside, ...remarks], position }
    const steps: Step[] = [
      { command: { type: 'startRound' }, at },
      ...inside,
      { command: { type: 'completeRound' }, at: inside.at(-1)?.at },
      ...remarks,
    ]
    return { steps, position }
  }
}
