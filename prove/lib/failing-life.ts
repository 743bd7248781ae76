/**
 * The life of a file whose disk fails: made or opened, written to, its journal copied back, scrubbed, closed. Every call
 * must be answered: done, refused with an error of ours, or unknown. What it was told it reports.
 */
import {
  type CreatedSession,
  type Holdfast,
  openHoldfast,
  type Store,
  type StoreFactory,
} from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import { hashOf, line } from './contents.ts'
import type { Intent, Kind, Range, Report } from './history.ts'
import { randomOf, text, writeOf } from './writes.ts'

/** What was told of a record: it is there, or it is not; undefined: one of both. */
export interface Kept {
  record: string
  isThere?: boolean
}

export interface Life {
  place: StoreFactory
  /** Parts the ids of this life from those of others. */
  writer: number
  report: (report: Report | { kept: Kept }) => void
  /** Copies the journal back by a connection beside the store's, which may fail as it likes. */
  copyJournal?: () => void
}

export class FailingLife {
  /** Errors that are not ours, and what did not go on when the disk worked again. */
  readonly wrong: string[] = []
  readonly #life: Life
  #store: Store | undefined
  #holdfast: Holdfast | undefined
  #ops = 0
  #refusals = 0

  constructor(life: Life) {
    this.#life = life
  }

  /** Goes on after each refusal, as a host would. */
  async run(): Promise<void> {
    await this.#writeAll('talk', 'run')
    this.#life.copyJournal?.()
    await this.#deleteOne()
    await this.#try('scrub', async () => (await this.#open()).scrub())
    await this.#writeAll('run', 'ask')
  }

  /** The disk works again: now everything must. */
  async goOn(): Promise<void> {
    const before = this.#refusals
    await this.#writeAll('talk', 'ask')
    await this.close()
    if (this.#refusals > before) this.wrong.push('it did not go on when the disk worked again')
  }

  async close(): Promise<void> {
    const [holdfast, store] = [this.#holdfast, this.#store]
    this.#holdfast = undefined
    this.#store = undefined
    await this.#try('close', async () => holdfast?.close())
    await this.#try('close', async () => store?.close())
  }

  async #open(): Promise<Store> {
    this.#store ??= await this.#life.place.open({})
    this.#holdfast ??= await openHoldfast({ store: this.#store })
    return this.#store
  }

  async #writeAll(...kinds: Kind[]): Promise<void> {
    for (const kind of kinds) await this.#write(kind)
    await this.#liveRun()
    await this.#keepRecord()
  }

  async #write(kind: Kind): Promise<void> {
    const op = this.#next('s')
    const session = await this.#session('s')
    const { commands, lines, bill } = writeOf(op, kind)
    const intent = { op, session: 's', hash: hashOf(lines), ...(bill && { bill }) }
    if (session) await this.#say(intent, () => session.batch(commands, { key: op }))
  }

  /** In a session of its own, for a run that could not end stays until its lease does. */
  async #liveRun(): Promise<void> {
    const [started, answered] = [this.#next('r'), this.#next('r')]
    const id = `r${started}`
    const session = await this.#session(id)
    if (!session) return
    const start = { op: started, session: id, hash: hashOf([line('start', started)]) }
    const run = await this.#say(start, () =>
      session.startRun({ owner: 'prover', ttlMs: 60_000, runId: started }),
    )
    const round = run && (await this.#try('round', () => run.startRound()))
    if (!round) return

    const draft = round.draft(`draft.${answered}`)
    const drafted = { session: id, draftId: draft.draftId, op: answered, text: `${answered} is coming` }
    draft.write(drafted.text)
    if (await this.#isDone('draft', () => draft.flush())) this.#life.report({ drafted })
    const message = text('assistant', answered, randomOf(answered))
    message.parts.unshift({ type: 'text', text: drafted.text })
    const answer = { op: answered, session: id, hash: hashOf([line('assistant', message.parts)]) }
    const last = [
      { type: 'append', message, draftId: draft.draftId },
      { type: 'completeRound' },
      { type: 'completeRun' },
    ] as const
    await this.#say(answer, () => round.batch(last))
  }

  async #keepRecord(): Promise<void> {
    const record = this.#next('a')
    const isOpen = await this.#isDone('open', () => this.#open())
    const isThere = await this.#isDone(record, async () =>
      this.#holdfast?.agents.put(record, { name: record }),
    )
    if (isOpen) this.#life.report({ kept: { record, ...(isThere !== undefined && { isThere }) } })
  }

  async #deleteOne(): Promise<void> {
    const session = await this.#session(this.#next('d'))
    if (session) await this.#try('delete', async () => this.#holdfast?.sessions.delete(session.id))
  }

  #next(place: string): string {
    this.#ops += 1
    return `op-${this.#life.writer}-${place}-${this.#ops}`
  }

  #session(id: string): Promise<CreatedSession | undefined> {
    return this.#try('open', async () => {
      await this.#open()
      const { sessions } = this.#holdfast as Holdfast
      const known = await sessions.open(id).catch(unlessMissing)
      return (known ?? (await sessions.create({ id, agentId: 'prover' }))) as CreatedSession
    })
  }

  async #say<T extends object>(intent: Intent, send: () => Promise<T>): Promise<T | undefined> {
    this.#life.report({ intent })
    const { op } = intent
    try {
      const sent = await send()
      this.#life.report({ ack: { op, ...rangeOf(sent), atMs: Date.now() } })
      return sent
    } catch (error) {
      this.#note(op, error)
      if (isHoldfastError(error)) this.#life.report({ failed: { op, code: error.code, isOver: true } })
      return undefined
    }
  }

  /** Undefined: it was not told. */
  async #isDone(what: string, work: () => Promise<unknown>): Promise<boolean | undefined> {
    try {
      await work()
      return true
    } catch (error) {
      this.#note(what, error)
      return isHoldfastError(error, 'commit_unknown') ? undefined : false
    }
  }

  async #try<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#note(what, error)
      return undefined
    }
  }

  #note(what: string, error: unknown): void {
    this.#refusals += 1
    if (!isHoldfastError(error))
      this.wrong.push(`${what}: an error that is not ours: ${(error as Error).stack}`)
  }
}

function rangeOf(receipt: { firstSeq?: number; lastSeq?: number }): { range?: Range } {
  const { firstSeq, lastSeq } = receipt
  return firstSeq === undefined || lastSeq === undefined ? {} : { range: [firstSeq, lastSeq] }
}

function unlessMissing(error: unknown): undefined {
  if (!isHoldfastError(error, 'not_found')) throw error
}
