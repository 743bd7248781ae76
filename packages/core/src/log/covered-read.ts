/**
 * The events that a context needs beside the uncovered ones: those of protected messages, with the calls and results that
 * go with them, and of input that was written in a covered stretch and taken in outside it.
 */
import type { EventData } from '@holdfast/protocol'
import { PROTECTED } from '../session/projections.ts'
import type { FoldEvent } from '../session/state.ts'
import type { LogReads } from './log-reads.ts'

export class CoveredReader {
  readonly #reads: LogReads
  readonly #sessionId: string
  /** Nothing after it is looked at: the view is of one moment. */
  readonly #seq: number
  readonly #read = new Map<number, FoldEvent>()

  constructor(reads: LogReads, sessionId: string, seq: number) {
    this.#reads = reads
    this.#sessionId = sessionId
    this.#seq = seq
  }

  get events(): FoldEvent[] {
    return [...this.#read.values()].sort((a, b) => a.seq - b.seq)
  }

  add(event: FoldEvent): void {
    this.#read.set(event.seq, event)
  }

  async need(seq: number): Promise<FoldEvent | undefined> {
    const known = this.#read.get(seq)
    if (known || seq < 1 || seq > this.#seq) return known
    const event = await this.#reads.getEvent(this.#sessionId, seq)
    if (event) this.add(event)
    return event
  }

  async complete(): Promise<void> {
    for (const event of [...this.#read.values()]) {
      if (event.type !== 'input.delivered') continue
      for (const id of (event.data as EventData<'input.delivered'>).messageIds)
        await this.need(await this.#seqOf(id))
    }
    for (const seq of await this.#refs('protected', PROTECTED)) await this.#protected(seq)
  }

  async #protected(seq: number): Promise<void> {
    const isRead = this.#read.has(seq)
    const event = await this.need(seq)
    if (isRead && !isWaiting(event)) return
    if (event?.type === 'tool.finished') await this.#groupOf(event)
    if (event?.type !== 'message.appended') return
    const data = event.data as EventData<'message.appended'>
    if (data.waiting) await this.#delivery(data.messageId ?? String(seq))
    if (data.role === 'assistant') await this.#resultsOf(event)
  }

  async #delivery(messageId: string): Promise<void> {
    const seq = (await this.#refs('delivered', messageId)).at(-1)
    if (seq !== undefined) await this.need(seq)
  }

  /** The message that made the call of a result, and its other results. */
  async #groupOf(result: FoldEvent): Promise<void> {
    const { callId } = result.data as EventData<'tool.finished'>
    const calls = await this.#refs('call', callId)
    let seq = calls.findLast((call) => call < result.seq) ?? 0
    for (; seq > 0; seq--) {
      const event = await this.#reads.getEvent(this.#sessionId, seq)
      if (event?.type !== 'message.appended') continue
      this.add(event)
      await this.#resultsOf(event)
      return
    }
  }

  /** Directly after their message, before the next one that the assistant writes. */
  async #resultsOf(message: FoldEvent): Promise<void> {
    const { parts } = message.data as EventData<'message.appended'>
    let open = parts.filter((part) => part.type === 'tool_call').length
    if (open === 0) return
    for await (const event of this.#reads.events(this.#sessionId, message.seq, this.#seq)) {
      if (event.type === 'tool.finished') {
        this.add(event)
        open -= 1
      }
      if (open === 0 || isAssistantMessage(event)) return
    }
  }

  async #seqOf(messageId: string): Promise<number> {
    if (/^\d+$/.test(messageId)) return Number(messageId)
    return (await this.#refs('message', messageId)).at(-1) ?? 0
  }

  #refs(kind: string, id: string): Promise<readonly number[]> {
    const { store, tenantId } = this.#reads
    return store.readRefs(tenantId, this.#sessionId, kind, id)
  }
}

/** It stands elsewhere than where it was written. */
function isWaiting(event: FoldEvent | undefined): boolean {
  return (
    event?.type === 'message.appended' && (event.data as EventData<'message.appended'>).waiting !== undefined
  )
}

function isAssistantMessage({ type, data }: FoldEvent): boolean {
  return type === 'message.appended' && (data as EventData<'message.appended'>).role === 'assistant'
}
