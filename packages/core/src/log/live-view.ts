/**
 * A provider view that is looked at again and again, as a run does round after round. It reads what was written since, and
 * makes only its last step anew; messages that stood in it before are the same objects. What rewrites the context (a cut,
 * a compaction, trimming, an erasure) has it read anew.
 */
import type { EventData } from '@holdfast/protocol'
import { GrowingView, type ProviderMessage } from '../context/provider-view.ts'
import { contextView, type ViewState } from '../context/view.ts'
import { messageOf } from '../session/messages.ts'
import type { FoldEvent, Head } from '../session/state.ts'
import { readContext } from './context-read.ts'
import type { LogReads } from './log-reads.ts'

interface Known {
  seq: number
  pathSeq: number
  viewState: ViewState
  view: GrowingView
  messages: ProviderMessage[]
  /** Input that may still be taken in. */
  waiting: FoldEvent[]
}

export class LiveView {
  /** Rises when everything was read anew: then no message is an object that was given before. */
  generation = 0
  readonly #reads: LogReads
  readonly #sessionId: string
  #known: Known | undefined

  constructor(reads: LogReads, sessionId: string) {
    this.#reads = reads
    this.#sessionId = sessionId
  }

  /** What a model would be sent now. */
  async read(): Promise<readonly ProviderMessage[]> {
    const { head } = (await this.#reads.requireHead(this.#sessionId)).state
    const grown = this.#known?.pathSeq === head.pathSeq && (await this.#grow(this.#known, head))
    this.#known = grown || (await this.#anew(head))
    return this.#known.messages
  }

  /** Undefined: something was rewritten. */
  async #grow(known: Known, head: Head): Promise<Known | undefined> {
    if (known.seq === head.seq) return known
    const added: FoldEvent[] = []
    for await (const event of this.#reads.events(this.#sessionId, known.seq, head.seq)) added.push(event)
    if (added.some(({ type }) => rewrites.includes(type))) return undefined
    const waiting = [...known.waiting, ...added.filter(waits)]
    if (added.some((event) => isOfOthers(event, waiting))) return undefined
    const items = contextView([...known.waiting, ...added], known.viewState)
    return { ...known, seq: head.seq, waiting, messages: known.view.with(items) }
  }

  async #anew(head: Head): Promise<Known> {
    const { events, viewState } = await readContext(this.#reads, this.#sessionId, head)
    this.generation += 1
    const view = new GrowingView()
    const messages = view.with(contextView(events, viewState))
    return { seq: head.seq, pathSeq: head.pathSeq, viewState, view, messages, waiting: events.filter(waits) }
  }
}

/** What changes earlier places without moving the path. */
const rewrites: readonly string[] = ['context.trimmed', 'session.erased']

/** Takes in what waited in a stretch that was not read, as a compaction covers it. */
function isOfOthers({ type, data }: FoldEvent, waiting: readonly FoldEvent[]): boolean {
  if (type !== 'input.delivered') return false
  const known = waiting.flatMap((event) => messageOf(event)?.id ?? [])
  return (data as EventData<'input.delivered'>).messageIds.some((id) => !known.includes(id))
}

function waits({ type, data }: FoldEvent): boolean {
  return type === 'message.appended' && (data as { waiting?: unknown }).waiting !== undefined
}
