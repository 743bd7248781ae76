/**
 * What a writer said it would do and what it said was done. A write is *acked* when its promise was resolved, and
 * *unknown* when the writer died first: then the log alone says whether it happened, once and for all.
 */
import type { ErrorCode } from '@holdfast/protocol'

/** `talk`: a question and its answer. `ask`: a question. `run`: a whole run with a tool round, recorded at once. */
export type Kind = 'talk' | 'ask' | 'run'

export interface Intent {
  /** Unique; stands in every text and id that the write brings into the log. */
  op: string
  session: string
  /** Set when it has a key: it may be sent again. */
  kind?: Kind
  /** Hash of what the log must then say, in order. */
  hash: string
  bill?: Bill
}

/** Tokens and cost of one model call; the reference sums are made of these. */
export interface Bill {
  promptTokens: number
  completionTokens: number
  costMicrocents: number
}

/** First and last seq of a write. */
export type Range = readonly [first: number, last: number]

/** Text of an answer in the making, durable before the message `op` that will hold it. */
export interface Drafted {
  session: string
  draftId: string
  op: string
  text: string
}

export type Report =
  | { intent: Intent }
  | { drafted: Drafted }
  | { ack: Ack }
  | { failed: Failed }
  | { ready: true }

export interface Ack {
  op: string
  range?: Range
  atMs: number
}

/** A try that ended in an error. */
export interface Failed {
  op: string
  code: ErrorCode
  /** Whether it is given up instead of sent again. */
  isOver: boolean
}

export interface Op extends Intent {
  /** Newest seq of its session that was acked before this was sent: it must come after it. */
  after: number
  status: 'unknown' | 'acked' | 'there' | 'absent'
  /** Where it is: as acked, or as found. */
  range?: Range
}

export class History {
  readonly ops = new Map<string, Op>()
  readonly wrong: string[] = []
  /** How many reports were taken. */
  said = 0
  /** Tries that ended in an error, by its code. */
  readonly errors = new Map<ErrorCode, number>()
  /** The newest of each draft. */
  readonly drafts = new Map<string, Drafted>()
  readonly #newest = new Map<string, number>()

  take(report: Report): void {
    this.said += 1
    if ('intent' in report) this.#intend(report.intent)
    else if ('drafted' in report) this.drafts.set(report.drafted.draftId, report.drafted)
    else if ('ack' in report) this.#ack(this.#require(report.ack.op), report.ack.range)
    else if ('failed' in report) this.#fail(report.failed)
  }

  /** What was not there may be sent again and is unknown again; what is there is there, however often it is sent. */
  #intend(intent: Intent): void {
    const known = this.ops.get(intent.op)
    if (known && known.status !== 'absent') return
    this.ops.set(intent.op, { ...intent, after: this.#newest.get(intent.session) ?? 0, status: 'unknown' })
  }

  #ack(op: Op, range: Range | undefined): void {
    op.status = 'acked'
    if (range) this.#place(op, range)
  }

  /** Given up after an error that says so, a write is not there, and never will be. */
  #fail({ op, code, isOver }: Failed): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
    if (isOver && code !== 'commit_unknown') this.#require(op).status = 'absent'
  }

  /** An answer names all events of a write, an audit finds those with content: one holds the other. */
  #place(op: Op, range: Range): void {
    if (op.range && !holds(op.range, range) && !holds(range, op.range)) {
      this.wrong.push(`${op.op} was at ${op.range} and then at ${range}`)
    }
    op.range = range
    this.#newest.set(op.session, Math.max(range[1], this.#newest.get(op.session) ?? 0))
  }

  /** What an audit found settles what was unknown, for ever. Gives how many writes that were. */
  settle({ there, absent }: { there: Record<string, Range>; absent: readonly string[] }): number {
    const settled = [...Object.keys(there), ...absent].map((id) => this.#require(id))
    const unknown = settled.filter((op) => op.status === 'unknown')
    for (const op of unknown) {
      const range = there[op.op]
      op.status = range ? 'there' : 'absent'
      if (range) this.#place(op, range)
    }
    return unknown.length
  }

  count(status: Op['status']): number {
    return [...this.ops.values()].filter((op) => op.status === status).length
  }

  #require(id: string): Op {
    const op = this.ops.get(id)
    if (!op) throw new Error(`${id} was never sent`)
    return op
  }
}

/** What the writers said, as one. Each made the shared sessions, and one of them did. */
export function merged(histories: readonly History[]): History {
  const one = new History()
  for (const { ops, drafts, errors, wrong } of histories) {
    for (const op of ops.values()) if (one.ops.get(op.op)?.status !== 'acked') one.ops.set(op.op, op)
    for (const draft of drafts.values()) one.drafts.set(draft.draftId, draft)
    for (const [code, count] of errors) one.errors.set(code, (one.errors.get(code) ?? 0) + count)
    one.wrong.push(...wrong)
  }
  return one
}

export function holds(outer: Range, inner: Range): boolean {
  return outer[0] <= inner[0] && inner[1] <= outer[1]
}
