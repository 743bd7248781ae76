/**
 * better-sqlite3, but it does what a value that is written says behind `fault: `, with the COMMIT that follows. It says
 * each COMMIT that took effect on a channel, for it may be on another thread.
 */
import { BroadcastChannel } from 'node:worker_threads'
import BetterSqlite3 from 'better-sqlite3'

export const faults = ['throw', 'throw afterwards', 'full', 'exit', 'exit afterwards', 'uncaught'] as const
export type Fault = (typeof faults)[number]

export const commitsChannel = 'commits of the obeying driver'

const commits = new BroadcastChannel(commitsChannel)
commits.unref()

export default class Obeying extends BetterSqlite3 {
  #fault: Fault | undefined

  // biome-ignore lint/suspicious/noExplicitAny: narrower than the library's own overloads
  override prepare(sql: string): any {
    const statement = super.prepare(sql)
    const original = statement.run.bind(statement) as (...values: unknown[]) => unknown
    const run = (...values: unknown[]) => {
      for (const value of values) this.#fault = faultIn(value) ?? this.#fault
      return sql === 'COMMIT' ? this.#commit(original) : original(...values)
    }
    return Object.assign(statement, { run })
  }

  #commit(commit: () => unknown): unknown {
    const fault = this.#fault
    this.#fault = undefined
    if (fault && !fault.endsWith('afterwards')) obey(fault)
    const result = commit()
    commits.postMessage('COMMIT')
    if (fault?.endsWith('afterwards')) obey(fault)
    return result
  }
}

function faultIn(value: unknown): Fault | undefined {
  const said = typeof value === 'string' ? /fault: ([a-z ]+)/.exec(value)?.[1] : undefined
  return faults.find((fault) => fault === said)
}

function obey(fault: Fault): void {
  if (fault.startsWith('throw')) throw engineError('SQLITE_IOERR_FSYNC')
  if (fault === 'full') throw engineError('SQLITE_FULL')
  if (fault.startsWith('exit')) process.exit(1)
  setImmediate(() => {
    throw new Error('a bug of the driver')
  })
}

function engineError(code: string): Error {
  return Object.assign(new Error(`injected ${code}`), { code })
}
