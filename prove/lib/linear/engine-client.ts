/** One client of the engine: appends with and without key and version, asks, answers what others asked, reads. */
import type { ActiveSession, AnySession, Holdfast, Receipt } from '@holdfast/core'
import type { Random } from '../random.ts'
import type { EngineOp, WriteAnswer } from './engine-model.ts'
import { begun, said, saysOf } from './session.ts'
import type { ClientOptions } from './task.ts'

export class EngineClient {
  readonly #open: () => Promise<AnySession>
  readonly #name: string
  readonly #random: Random
  #session: ActiveSession | undefined
  /** What it knows of the session, right or not. */
  #seq = begun.length
  #question = ''
  #writes = 0

  constructor(holdfast: Holdfast, { session, name, random }: ClientOptions) {
    this.#open = () => holdfast.sessions.open(session)
    this.#name = name
    this.#random = random
  }

  next(): EngineOp {
    const random = this.#random
    const dice = random.below(100)
    this.#writes += 1
    const text = `${this.#name}-${this.#writes}`
    if (dice < 20) return { do: 'view' }
    if (dice < 38) return { do: 'events', after: random.below(this.#seq + 1), limit: 1 + random.below(40) }
    if (dice < 48) return { do: 'ask', question: text }
    if (dice < 60) return { do: 'answer', question: this.#question || 'none', with: text }
    if (dice < 72) return { do: 'append', text, expectedVersion: this.#seq }
    if (dice < 85) return { do: 'append', text }
    const key = `key${random.below(8)}`
    return { do: 'append', key, text: `${key} ${random.pick(['one', 'other'])}` }
  }

  async answer(op: EngineOp): Promise<EngineOp['answer']> {
    this.#session ??= (await this.#open()) as ActiveSession
    const session = this.#session
    switch (op.do) {
      case 'view':
        return this.#view(session)
      case 'events': {
        const { events } = await session.events({ after: op.after, limit: op.limit })
        return events.map(saysOf)
      }
      case 'ask': {
        const question = { questionId: op.question, question: 'Which?' }
        return this.#write(() => session.ask(question))
      }
      case 'answer':
        return this.#write(() => session.answer(op.question, op.with))
      case 'append': {
        const { text, key, expectedVersion } = op
        const options = {
          ...(key !== undefined && { key }),
          ...(expectedVersion !== undefined && { expectedVersion }),
        }
        return this.#write(() => session.append(said(text), options))
      }
    }
  }

  async #view(session: ActiveSession) {
    const { seq, version, openQuestion } = await session.view()
    this.#seq = seq
    this.#question = openQuestion?.questionId ?? ''
    return { seq, version, question: this.#question }
  }

  async #write(send: () => Promise<Receipt>): Promise<WriteAnswer> {
    const { lastSeq = 0, replayed } = await send()
    if (!replayed) this.#seq = lastSeq
    return { seq: lastSeq, replayed }
  }
}
