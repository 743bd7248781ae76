/**
 * Processes of a proof. Parent to child: JSON lines on stdin. Child to parent: JSON lines on descriptor 3, written
 * synchronously, so that a line that was written is read even when its writer is killed right after it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { compileCache } from './compile-cache.ts'

const running = new Set<Child<unknown>>()
process.once('exit', () => {
  for (const child of running) child.kill()
})

export class Child<Report> {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #ended: Promise<string>
  #errors = ''

  constructor(script: URL, env: NodeJS.ProcessEnv = {}) {
    this.#process = spawn(process.execPath, [fileURLToPath(script)], {
      stdio: ['pipe', 'inherit', 'pipe', 'pipe'],
      env: { ...process.env, ...compileCache, ...env },
    })
    this.#process.stderr?.on('data', (text) => {
      this.#errors += text
    })
    // A killed child reads no more; what it did is told by its reports and its end.
    this.#process.stdin?.on('error', () => {})
    const reports = this.#process.stdio[3] as Readable
    this.#lines = createInterface({ input: reports })[Symbol.asyncIterator]()
    this.#ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject)
      this.#process.once('close', (code, signal) => resolve(signal ?? String(code)))
    })
    running.add(this)
    void this.#ended.finally(() => running.delete(this))
  }

  send(message: unknown): void {
    this.#process.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  /** The next report; undefined when the child has ended and all it wrote was read. */
  async next(): Promise<Report | undefined> {
    const { value, done } = await this.#lines.next()
    return done ? undefined : (JSON.parse(value) as Report)
  }

  /** The next report of a child that must not end before it. */
  async require(): Promise<Report> {
    const report = await this.next()
    if (report === undefined) throw new Error(`a child ended (${await this.end()}):\n${this.#errors}`)
    return report
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  /** Stands still, in the middle of whatever it does, until it is woken. */
  stop(): void {
    this.#process.kill('SIGSTOP')
  }

  wake(): void {
    this.#process.kill('SIGCONT')
  }

  /** How it ended: a signal or an exit code. */
  end(): Promise<string> {
    return this.#ended
  }

  get errors(): string {
    return this.#errors
  }
}

/** In a child: what the parent sends, one message after the other. Whoever stops listening may end. */
export async function* messages<T>(): AsyncGenerator<T> {
  // Whoever is killed later leaves no compile cache.
  flushCompileCache()
  try {
    for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line) as T
  } finally {
    process.stdin.destroy()
  }
}

/** In a child: says something to the parent, before anything else happens. */
export function report(value: unknown): void {
  writeSync(3, `${JSON.stringify(value)}\n`)
}
