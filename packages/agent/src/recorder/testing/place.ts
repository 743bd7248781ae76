/** A SQLite file with a clock that the test holds, and a recorder's clock on it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Holdfast, openHoldfast, type ProviderMessage } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import type { ModelMessage } from 'ai'
import type { Clock } from '../../clock.ts'

export class HeldTime implements Clock {
  #nowMs = 1_790_000_000_000
  #timers = new Set<() => void>()
  readonly now = (): number => this.#nowMs

  every(_ms: number, work: () => void): () => void {
    this.#timers.add(work)
    return () => this.#timers.delete(work)
  }

  /** How many timers run. */
  get beating(): number {
    return this.#timers.size
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }

  /** Every timer is due; resolves when what they began can be seen. */
  async beat(): Promise<void> {
    for (const work of [...this.#timers]) work()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export class Place implements AsyncDisposable {
  readonly time = new HeldTime()
  readonly #folder = mkdtempSync(join(tmpdir(), 'holdfast-recorder-'))
  readonly path = join(this.#folder, 'sessions.db')
  readonly #opened: Holdfast[] = []

  async open(clock: () => number = this.time.now): Promise<Holdfast> {
    const holdfast = await openHoldfast({ store: sqlite(this.path), clock })
    this.#opened.push(holdfast)
    return holdfast
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const holdfast of this.#opened) await holdfast.close()
    rmSync(this.#folder, { recursive: true })
  }
}

/** What a loop would send to go on from a session's view. */
export function modelMessages(view: readonly ProviderMessage[]): ModelMessage[] {
  const names = new Map<string, string>()
  return view.map(({ role, parts }): ModelMessage => {
    const sent = parts.filter((part) => part.type !== 'reasoning' || part.provider !== undefined)
    const content = sent.map((part) => {
      if (part.type === 'tool_call') {
        names.set(part.callId, part.name)
        return { type: 'tool-call', toolCallId: part.callId, toolName: part.name, input: part.input }
      }
      if (part.type === 'text' || part.type === 'reasoning') {
        return { type: part.type, text: part.text, providerOptions: part.provider }
      }
      if (part.type !== 'tool_result') return part
      const output = { type: 'text', value: JSON.stringify(part.output) }
      return { type: 'tool-result', toolCallId: part.callId, toolName: names.get(part.callId), output }
    })
    return { role, content } as ModelMessage
  })
}
