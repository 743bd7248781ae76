/** Random logs: the view that is read in pieces is the one made of the whole log. */
import { isHoldfastError, type SessionEvent } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { providerView } from '../context/provider-view.ts'
import { contextView, viewStateOf } from '../context/view.ts'
import { memory } from '../store/memory/index.ts'
import { openHoldfast } from './holdfast.ts'
import { LogReads } from './log-reads.ts'
import type { RunningRun } from './run-types.ts'
import type { ActiveSession } from './session-types.ts'
import { seededRandom } from './testing/each-store.ts'
import { assistant, calling, result, user } from './testing/messages.ts'
import { upcasters } from './upcast.ts'

it.each(Array.from({ length: 16 }, (_, n) => n + 1))('a covered log of seed %i', async (seed) => {
  const store = await memory().open({ clock: () => 1_790_000_000_000 })
  const holdfast = await openHoldfast({ store })
  const reads = new LogReads(store, holdfast.tenantId, upcasters)
  const session = await (await holdfast.sessions.create({ agentId: 'agent' })).activate()
  await session.append([{ role: 'system', parts: [{ type: 'text', text: 'rules' }] }, user('hi')])
  const writer = new RandomWriter(session, reads, seededRandom(seed))
  for (let n = 0; n < 60; n++) {
    await writer.step().catch((error) => {
      if (!isHoldfastError(error)) throw error
    })
    const { state } = await reads.requireState(session.id)
    const events: SessionEvent[] = (await session.events({ limit: 1_000 })).events
    const whole = providerView(contextView(events as never, viewStateOf(state)))
    expect(await session.providerView(), `seed ${seed}, step ${n}`).toEqual(whole)
  }
  await holdfast.close()
})

class RandomWriter {
  readonly #session: ActiveSession
  readonly #reads: LogReads
  readonly #random: () => number
  #run: RunningRun | undefined
  #count = 0

  constructor(session: ActiveSession, reads: LogReads, random: () => number) {
    this.#session = session
    this.#reads = reads
    this.#random = random
  }

  async step(): Promise<unknown> {
    const steps = [
      () => this.#input(),
      () => this.#input(),
      () => this.#writer.append(assistant(this.#text(), this.#pinned())),
      () => this.#calls(),
      () => this.#toggleRun(),
      () => this.#session.undo(),
      () => this.#truncate(),
      () => this.#compact(),
      () => this.#compact(),
    ]
    return steps[this.#below(steps.length)]?.()
  }

  get #writer(): Pick<ActiveSession, 'append'> {
    return (this.#run ?? this.#session) as Pick<ActiveSession, 'append'>
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #text(): string {
    return `text ${this.#count++}`
  }

  #pinned(): { neverCompress?: true } {
    return this.#below(4) === 0 ? { neverCompress: true } : {}
  }

  #input() {
    const chosen = this.#below(2) ? { id: `m${this.#count}` } : {}
    const message = user(this.#text(), { ...this.#pinned(), ...chosen })
    return this.#session.append(message, { policy: this.#below(2) ? 'steer' : 'enqueue' })
  }

  async #calls() {
    const callIds = [...new Set([`c${this.#below(6)}`, `c${this.#below(6)}`])]
    await this.#writer.append({ ...calling(...callIds), ...this.#pinned() })
    for (const callId of callIds) {
      if (this.#below(4)) await this.#writer.append({ ...result(callId, this.#text()), ...this.#pinned() })
    }
  }

  async #toggleRun() {
    const run = this.#run
    this.#run = undefined
    if (run) await run.fail('over')
    else this.#run = await (await this.#session.startRun({ owner: 'worker', ttlMs: 60_000 })).startRound()
  }

  async #truncate() {
    const { seq } = await this.#session.view()
    await this.#session.truncate(Math.max(2, seq - this.#below(12)))
  }

  async #compact() {
    const { head } = (await this.#reads.requireHead(this.#session.id)).state
    const from = 2 + this.#below(head.seq)
    const to = Math.min(head.seq, from + this.#below(40))
    const record = {
      compactionId: `k${this.#count++}`,
      trigger: 'manual' as const,
      from,
      to,
      messagesCovered: 1,
      tokensBefore: 100,
      tokensAfter: 10,
    }
    await this.#session.compact({ record, pathSeq: head.pathSeq, summary: this.#text(), summaryTokens: 5 })
  }
}
