/** What stands between the messages of a transcript: costs of rounds, compactions, children, cuts, endings. */
import { isErased, isKnown, type SessionEvent } from '@holdfast/protocol'

export interface RoundMark {
  type: 'round'
  seq: number
  at: string
  /** Absent for calls outside a round. */
  round?: number
  models: string[]
  promptTokens: number
  completionTokens: number
  costMicrocents: number
  costUnknown: number
  /** Attempts that failed or were cut off. */
  failed: number
}

export interface CompactionMark {
  type: 'compaction'
  seq: number
  at: string
  from: number
  to: number
  messages: number
  tokensBefore: number
  tokensAfter: number
  trigger: string
  summary: string
}

export interface ChildMark {
  type: 'child'
  seq: number
  at: string
  childId: string
  agentId?: string
  outcome?: string
}

/** Anything else worth a line. */
export interface RemarkMark {
  type: 'remark'
  seq: number
  at: string
  tone: 'plain' | 'warn' | 'bad'
  text: string
}

export type Mark = RoundMark | CompactionMark | ChildMark | RemarkMark

type UsedSoFar = Omit<RoundMark, 'seq' | 'at' | 'type'>

/** Reads events in order and gives the marks that they make. */
export class Marks {
  #rounds = 0
  #pending: UsedSoFar | undefined

  of(event: SessionEvent): Mark[] {
    const { seq, at } = event
    if (isErased(event)) return []
    if (isKnown(event, 'usage.recorded')) return this.#used(event)
    if (event.type === 'round.completed') {
      this.#rounds += 1
      return this.#closed(seq, at, this.#rounds)
    }
    const mark = markOf(event)
    const isEnd = /^run\.(completed|failed|cancelled)$/.test(event.type)
    return [...(isEnd ? this.#closed(seq, at) : []), ...(mark ? [mark] : [])]
  }

  #used({ seq, at, roundId, data }: SessionEvent & { data: Used }): Mark[] {
    this.#pending ??= nothingUsed()
    const used = this.#pending
    if (data.model !== undefined && !used.models.includes(data.model)) used.models.push(data.model)
    used.promptTokens += data.promptTokens
    used.completionTokens += data.completionTokens
    used.costMicrocents += data.costMicrocents ?? 0
    used.costUnknown += data.costMicrocents === undefined ? 1 : 0
    used.failed += data.status === 'ok' ? 0 : 1
    return roundId === undefined && data.roundId === undefined ? this.#closed(seq, at) : []
  }

  #closed(seq: number, at: string, round?: number): Mark[] {
    const used = this.#pending
    this.#pending = undefined
    return used ? [{ type: 'round', seq, at, ...(round !== undefined && { round }), ...used }] : []
  }
}

function nothingUsed(): UsedSoFar {
  return { models: [], promptTokens: 0, completionTokens: 0, costMicrocents: 0, costUnknown: 0, failed: 0 }
}

interface Used {
  model?: string | undefined
  roundId?: string | undefined
  promptTokens: number
  completionTokens: number
  costMicrocents?: number | undefined
  status: string
}

function markOf(event: SessionEvent): Mark | undefined {
  const { seq, at } = event
  if (isKnown(event, 'compaction.applied')) {
    const { from, to, messagesCovered: messages, tokensBefore, tokensAfter, trigger, summary } = event.data
    return { type: 'compaction', seq, at, from, to, messages, tokensBefore, tokensAfter, trigger, summary }
  }
  if (isKnown(event, 'child.spawned')) {
    const { childId, agentId } = event.data
    return { type: 'child', seq, at, childId, agentId }
  }
  if (isKnown(event, 'child.finished')) {
    const { childId, outcome } = event.data
    return { type: 'child', seq, at, childId, outcome }
  }
  const remark = remarkOf(event)
  return remark && { type: 'remark', seq, at, ...remark }
}

type Remark = Pick<RemarkMark, 'tone' | 'text'>

function remarkOf(event: SessionEvent): Remark | undefined {
  if (isKnown(event, 'session.forked')) {
    const { sessionId, seq } = event.data.origin
    return plain(`forked from ${sessionId} at #${seq}`)
  }
  if (isKnown(event, 'session.model_changed')) return plain(`model is now ${event.data.model ?? 'not set'}`)
  if (isKnown(event, 'session.closed')) {
    const { outcome, reason } = event.data
    return plain(['closed', outcome, reason].filter(Boolean).join(', '))
  }
  if (isKnown(event, 'session.expired')) return warn('expired')
  if (isKnown(event, 'session.erased')) return warn(`${event.data.seqs.length} events erased`)
  if (isKnown(event, 'session.repaired')) return warn(`repaired: ${event.data.findings.join('; ')}`)
  if (isKnown(event, 'message.edited')) return plain('edited: what stood from here on was replaced')
  if (isKnown(event, 'message.truncated'))
    return plain(`${event.data.mode}: back to #${event.data.keepThrough}`)
  if (isKnown(event, 'message.restored')) return plain('redo')
  if (isKnown(event, 'run.failed')) return bad(`run failed: ${event.data.error}`)
  if (isKnown(event, 'run.cancelled'))
    return warn(['run cancelled', event.data.reason].filter(Boolean).join(': '))
  if (isKnown(event, 'run.suspended')) return warn(`run waits: ${event.data.reason}`)
  if (isKnown(event, 'lease.lost')) return bad(`the worker ${event.data.owner} was lost`)
  if (isKnown(event, 'compaction.failed')) return warn(`compaction failed: ${event.data.reason}`)
  if (isKnown(event, 'question.asked')) return warn('a question was asked')
  if (isKnown(event, 'question.answered')) return plain('the question was answered')
  if (isKnown(event, 'question.expired')) return warn('the question expired')
  return undefined
}

function plain(text: string): Remark {
  return { tone: 'plain', text }
}

function warn(text: string): Remark {
  return { tone: 'warn', text }
}

function bad(text: string): Remark {
  return { tone: 'bad', text }
}
