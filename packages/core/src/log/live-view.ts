/**
 * A provider view that is looked at again and again, as a run does round after round. It reads what was written since, and
 * makes only its last step anew; messages that stood in it before are the same objects. What rewrites the context (a cut,
 * a compaction, trimming, an erasure) has it read anew.
 */
import type { EventData, EventType } from '@holdfast/protocol'
import { GrowingView, type ProviderMessage } from '../context/provider-view.ts'
import { contextView, type ViewState } from '../context/view.ts'
import { messageOf } from '../session/messages.ts'
import type { FoldEvent } from '../session/state.ts'
import { readContext } from './context-read.ts'
import type { LogReads } from './log-reads.ts'
import type { Tails } from './tails.ts'

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
  readonly #tails: Tails
  readonly #sessionId: string
  #known: Known | undefined
  /** Ends with the last read, however that ended. */
  #atRest: Promise<unknown> = Promise.resolve()

  constructor(reads: LogReads, tails: Tails, sessionId: string) {
    this.#reads = reads
    this.#tails = tails
    this.#sessionId = sessionId
  }

  /** What a model would be sent now. One read after another: two would both add what is new to the same view. */
  read(): Promise<readonly ProviderMessage[]> {
    const read = this.#atRest.then(() => this.#read())
    this.#atRest = read.catch(() => {})
    return read
  }

  async #read(): Promise<readonly ProviderMessage[]> {
    const known = this.#known
    const grown = known && (this.#withTail(known) ?? (await this.#withStored(known)))
    this.#known = grown ?? (await this.#anew())
    return this.#known.messages
  }

  /** With what this process wrote and followers hear, if there is anything: a commit of its own has nothing before it that it does not know. */
  #withTail(known: Known): Known | undefined {
    const heard = this.#tails.get(this.#sessionId)?.after(known.seq) ?? []
    if (heard.length === 0) return undefined
    return grow(
      known,
      heard.map(({ text }) => JSON.parse(text) as FoldEvent),
    )
  }

  async #withStored(known: Known): Promise<Known | undefined> {
    const { head } = (await this.#reads.requireHead(this.#sessionId)).state
    if (known.seq === head.seq) return known
    if (known.pathSeq !== head.pathSeq) return undefined
    const added: FoldEvent[] = []
    for await (const event of this.#reads.events(this.#sessionId, known.seq, head.seq)) added.push(event)
    return grow(known, added)
  }

  async #anew(): Promise<Known> {
    const { head } = (await this.#reads.requireHead(this.#sessionId)).state
    const { events, viewState } = await readContext(this.#reads, this.#sessionId, head)
    this.generation += 1
    const view = new GrowingView()
    const messages = view.with(contextView(events, viewState))
    return { seq: head.seq, pathSeq: head.pathSeq, viewState, view, messages, waiting: events.filter(waits) }
  }
}

/** Undefined: something was rewritten. */
function grow(known: Known, added: readonly FoldEvent[]): Known | undefined {
  if (added.some(({ type }) => rewrites.has(type))) return undefined
  const waiting = [...known.waiting, ...added.filter(waits)]
  if (added.some((event) => isOfOthers(event, waiting))) return undefined
  const items = contextView([...known.waiting, ...added], known.viewState)
  const seq = added.at(-1)?.seq ?? known.seq
  return { ...known, seq, waiting, messages: known.view.with(items) }
}

/** What changes earlier places. */
const rewrites: ReadonlySet<string> = new Set<EventType>([
  'message.truncated',
  'message.restored',
  'message.edited',
  'compaction.applied',
  'context.cleared',
  'context.trimmed',
  'session.erased',
])

/** Takes in what waited in a stretch that was not read, as a compaction covers it. */
function isOfOthers({ type, data }: FoldEvent, waiting: readonly FoldEvent[]): boolean {
  if (type !== 'input.delivered') return false
  const known = waiting.flatMap((event) => messageOf(event)?.id ?? [])
  return (data as EventData<'input.delivered'>).messageIds.some((id) => !known.includes(id))
}

function waits({ type, data }: FoldEvent): boolean {
  return type === 'message.appended' && (data as { waiting?: unknown }).waiting !== undefined
}
