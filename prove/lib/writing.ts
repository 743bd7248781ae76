/** A writer as the proof sees it: what it has said so far, and when it was last served. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from './child.ts'
import { History, type Report } from './history.ts'
import type { ServerTask } from './server-writer.ts'

const patienceMs = 60_000

export class Writing {
  readonly history: History
  readonly #child = new Child<Report>(new URL('./server-writer.ts', import.meta.url))
  readonly #name: string
  readonly #read: Promise<void>
  #servedMs = 0
  #hasEnded = false

  constructor(task: ServerTask, history = new History()) {
    this.history = history
    this.#name = `writer ${task.writer}`
    this.#child.send(task)
    this.#read = this.#readAll()
  }

  async #readAll(): Promise<void> {
    for (let report = await this.#child.next(); report; report = await this.#child.next()) {
      this.history.take(report)
      if ('ack' in report) this.#servedMs = report.ack.atMs
    }
    this.#hasEnded = true
  }

  /** How long after this time something was acked to it, in milliseconds; for ever when it never was. */
  async servedSince(sinceMs: number): Promise<number> {
    const limitMs = Date.now() + patienceMs
    while (this.#servedMs <= sinceMs && !this.#hasEnded && Date.now() < limitMs) await sleep(1)
    if (this.#servedMs > sinceMs) return this.#servedMs - sinceMs
    return Number.POSITIVE_INFINITY
  }

  stop(): Promise<string[]> {
    this.#child.send('stop')
    return this.end()
  }

  /** What is wrong with how it ended. */
  async end(): Promise<string[]> {
    const timer = setTimeout(() => this.#child.kill(), patienceMs)
    await this.#read
    const end = await this.#child.end()
    clearTimeout(timer)
    if (end === '0' && this.#child.errors === '') return []
    const how = end === 'SIGKILL' ? `had not ended after ${patienceMs} ms` : `ended (${end})`
    return [`${this.#name} ${how}: ${this.#child.errors}`]
  }
}
