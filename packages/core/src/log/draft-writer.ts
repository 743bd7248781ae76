/**
 * Text of a message in the making. Chunks are gathered while one flush is under way, made durable together and only then
 * shown to followers. There is no timer: a flush begins at the end of the event loop's turn in which something was
 * written. The message that names the draft takes its place.
 */
import { HoldfastError, isHoldfastError, limits, utf8Bytes } from '@holdfast/protocol'
import type { DraftChunk, DraftOutcome } from '../store/store.ts'
import { backOff } from './back-off.ts'
import type { TenantLog } from './tenant-log.ts'

export interface DraftOwner {
  readonly sessionId: string
  readonly runId: string
  readonly epoch: number
}

export class DraftWriter {
  readonly draftId: string
  readonly #log: TenantLog
  readonly #owner: DraftOwner
  #waiting: DraftChunk[] = []
  #half = ''
  #last = 0
  #bytes = 0
  #flushing: Promise<void> | undefined
  #failure: unknown
  #isEnded = false

  constructor(log: TenantLog, owner: DraftOwner, draftId: string) {
    this.#log = log
    this.#owner = owner
    this.draftId = draftId
  }

  /** Takes the text; throws what an earlier flush failed with. `flush` tells when it is durable. */
  write(chunk: string | DraftChunk): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isEnded) throw this.#closed()
    const { kind, text: given } = typeof chunk === 'string' ? { kind: 'text' as const, text: chunk } : chunk
    if (typeof given !== 'string' || (kind !== 'text' && kind !== 'reasoning')) {
      throw new HoldfastError('invalid_input', 'draft: expected a text, as text or as reasoning.')
    }
    const text = this.#wellFormed(given)
    if (text === '') return
    this.#bytes += utf8Bytes(text)
    if (this.#bytes > limits.draftBytes) throw this.#tooLarge()
    this.#waiting.push({ kind, text })
    this.#flushing ??= this.#flush()
  }

  /** Resolves when everything written so far is durable. */
  async flush(): Promise<void> {
    while (this.#flushing) await this.#flushing
    if (this.#failure !== undefined) throw this.#failure
  }

  /** For the run handle, before the write that ends the draft: takes no more text. Resolves when nothing is under way. */
  end(): Promise<void> | undefined {
    this.#isEnded = true
    return this.#flushing
  }

  /** For the run handle: that write was refused. */
  reopen(): void {
    this.#isEnded = false
  }

  /** Streams may part a surrogate pair: its first half waits for the second. */
  #wellFormed(given: string): string {
    const text = this.#half + given
    const parted = isHigh(text.charCodeAt(text.length - 1))
    this.#half = parted ? text.slice(-1) : ''
    return (parted ? text.slice(0, -1) : text).toWellFormed()
  }

  async #flush(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    try {
      while (this.#waiting.length > 0) {
        const chunks = joined(this.#waiting)
        this.#waiting = []
        await this.#store(chunks)
      }
    } catch (error) {
      this.#failure = error
    }
    this.#flushing = undefined
  }

  async #store(chunks: readonly DraftChunk[]): Promise<void> {
    const first = this.#last + 1
    const last = this.#last + chunks.length
    const outcome = await this.#append(first, chunks)
    if (outcome.status === 'fenced') throw this.#fenced(outcome.epoch)
    if (outcome.status === 'closed') throw this.#closed()
    if (outcome.status === 'gap') throw this.#gap(outcome.last)
    this.#last = last
    this.#log.tails.get(this.#owner.sessionId)?.pushDraft(this.draftId, first, chunks)
  }

  /** Sent again while the outcome is unknown: that the chunks are there then tells that they had been written. */
  async #append(first: number, chunks: readonly DraftChunk[]): Promise<DraftOutcome> {
    const { sessionId, runId, epoch } = this.#owner
    const { tenantId, store, engine } = this.#log
    const write = { tenantId, sessionId, draftId: this.draftId, runId, epoch, first, chunks }
    for (let tries = 1; ; tries++) {
      try {
        const outcome = await store.appendDraft(write)
        const wasWritten = tries > 1 && outcome.status === 'gap' && outcome.last === first + chunks.length - 1
        return wasWritten ? { status: 'written' } : outcome
      } catch (error) {
        if (!isHoldfastError(error, 'commit_unknown') || tries >= limits.commitTries) throw error
      }
      await backOff(tries, engine.random)
    }
  }

  #fenced(epoch: number): HoldfastError {
    const { sessionId } = this.#owner
    return new HoldfastError(
      'stale_epoch',
      `the run of session ${sessionId} was taken over; this worker must stop`,
      {
        details: { epoch: this.#owner.epoch, currentEpoch: epoch },
      },
    )
  }

  #closed(): HoldfastError {
    return new HoldfastError(
      'draft_gap',
      `draft ${this.draftId} of session ${this.#owner.sessionId} has ended; begin another`,
    )
  }

  #gap(last: number): HoldfastError {
    return new HoldfastError(
      'draft_gap',
      `draft ${this.draftId} of session ${this.#owner.sessionId} has ${last} chunks, not ${this.#last}; begin another`,
      { details: { last } },
    )
  }

  #tooLarge(): HoldfastError {
    return new HoldfastError(
      'limit_exceeded',
      `draft ${this.draftId}: more than draftBytes allows (${limits.draftBytes}).`,
      {
        details: { limit: 'draftBytes', max: limits.draftBytes, actual: this.#bytes },
      },
    )
  }
}

/** Neighbours of one kind as one chunk, none larger than allowed. */
function joined(chunks: readonly DraftChunk[]): DraftChunk[] {
  const out: DraftChunk[] = []
  for (const { kind, text } of chunks) {
    for (const piece of pieces(text)) {
      const last = out.at(-1)
      if (last?.kind === kind && (last.text.length + piece.length) * 3 <= limits.draftChunkBytes)
        last.text += piece
      else out.push({ kind, text: piece })
    }
  }
  return out
}

/** Cut between characters, never inside a surrogate pair. */
function pieces(text: string): string[] {
  const most = Math.floor(limits.draftChunkBytes / 3)
  if (text.length <= most) return [text]
  const cut = isLow(text.charCodeAt(most)) ? most - 1 : most
  return [text.slice(0, cut), ...pieces(text.slice(cut))]
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
