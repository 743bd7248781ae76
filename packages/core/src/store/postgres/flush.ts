/**
 * Several statements in one write to the server, answered by one: they are one transaction, which the server commits
 * when all of them succeeded. So a statement with its tenant set before it costs one round trip, and need not leave
 * anything set on a connection that a transaction pooler may hand to somebody else.
 */
import { sha256 } from '../sha256.ts'
import type { Binds } from './binds.ts'
import type { PgWire, Row, SqlValue } from './driver.ts'

export interface Step {
  sql: string
  values: readonly SqlValue[]
  /** The text has a name in it: nothing is kept for another time. */
  isUnlike?: true
  /**
   * Of a statement that joins no tables and finds rows by their keys: what keeps a planner from other ways is not needed. It
   * can rest on what stays set: the value at this place is the mark that it asks for, null where it asks for none.
   */
  markAt?: number
}

export const BEGIN: Step = { sql: 'BEGIN', values: [] }
export const COMMIT: Step = { sql: 'COMMIT', values: [] }
export const ROLLBACK: Step = { sql: 'ROLLBACK', values: [] }

/** Rows of a step and how many it changed or gave. */
export interface Answer {
  rows: Row[]
  count: number
}

/** The statements that one connection has prepared, by their text. */
export class Prepared {
  readonly #isKept: boolean
  readonly #names = new Map<string, string>()
  #made = 0

  /** Not kept: each use prepares anew, under no name. */
  constructor(isKept: boolean) {
    this.#isKept = isKept
  }

  nameOf(sql: string): string | undefined {
    return this.#names.get(sql)
  }

  /**
   * A name says which text it is of: a pooler that mixes up its connections can then fail, but never run another one. And
   * it is never given again, for after an error it is not known which statements the server has.
   */
  add(sql: string): string {
    if (!this.#isKept) return ''
    this.#made += 1
    const name = `hf_${sha256(sql).toString('hex').slice(0, 20)}_${this.#made}`
    this.#names.set(sql, name)
    return name
  }

  forget(texts: readonly string[]): void {
    for (const sql of texts) this.#names.delete(sql)
  }
}

/** Submitted to a `pg` client, which calls the members below as answers come. */
export class Flush {
  readonly answers: Promise<Answer[]>
  /** `pg` sets it when there is a deadline, and is told by it that there is an answer. */
  callback?: () => void
  readonly #steps: readonly Step[]
  readonly #nameTables: (sql: string) => string
  readonly #prepared: Prepared
  readonly #binds: Binds
  readonly #done: Answer[] = []
  #doubt: Error | undefined
  #rows: Row[] = []
  #added: string[] = []
  #resolve!: (answers: Answer[]) => void
  #reject!: (error: unknown) => void

  constructor(steps: readonly Step[], nameTables: (sql: string) => string, prepared: Prepared, binds: Binds) {
    this.#steps = steps
    this.#nameTables = nameTables
    this.#prepared = prepared
    this.#binds = binds
    this.answers = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  submit(wire: PgWire): void {
    wire.stream.cork?.()
    this.#binds.begin()
    try {
      const last = this.#steps.length - 1
      for (let n = 0; n <= last; n += 1) this.#send(wire, this.#steps[n] as Step, n === last)
    } finally {
      wire.stream.uncork?.()
    }
  }

  #send(wire: PgWire, { sql, values, isUnlike }: Step, isLast: boolean): void {
    const statement = isUnlike ? '' : this.#statementOf(wire, this.#nameTables(sql))
    if (isUnlike) wire.parse({ name: '', text: sql, types: [] })
    const message = this.#binds.message(statement, values, isLast)
    if (wire.stream.writable) wire.stream.write(message)
  }

  #statementOf(wire: PgWire, sql: string): string {
    const known = this.#prepared.nameOf(sql)
    if (known !== undefined) return known
    const name = this.#prepared.add(sql)
    this.#added.push(sql)
    wire.parse({ name, text: sql, types: [] })
    return name
  }

  handleRowDescription(): void {}

  handleDataRow({ fields }: { fields: Row }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#done.push({ rows: this.#rows, count: countIn(text) })
    this.#rows = []
  }

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  /** Whatever it is answered from here on, this is what came of it. */
  doubt(error: Error): void {
    this.#doubt = error
  }

  handleError(error: unknown): void {
    this.#prepared.forget(this.#added)
    this.#reject(error)
    this.callback?.()
  }

  handleReadyForQuery(): void {
    if (this.#doubt) this.#reject(this.#doubt)
    else this.#resolve(this.#done)
    this.callback?.()
  }
}

/** `INSERT 0 2`, `SELECT 5`, `BEGIN`. */
function countIn(tag: string): number {
  return Number(/\d+$/.exec(tag)?.[0] ?? 0)
}
