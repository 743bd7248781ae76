/** Several named statements in one write to the server, which runs them as one transaction; `pg` itself has no such call. */
import type pg from 'pg'

export interface Statement {
  name: string
  sql: string
  values: readonly string[]
}

const known = new WeakMap<pg.Client, Set<string>>()

export class OneFlush {
  readonly #statements: readonly Statement[]
  readonly #prepared: Set<string>
  readonly #settle: { resolve(rows: number): void; reject(error: unknown): void }
  #rows = 0

  /** Gives how many rows the last statement changed. */
  static run(client: pg.Client, statements: readonly Statement[]): Promise<number> {
    const prepared = known.get(client) ?? new Set()
    known.set(client, prepared)
    return new Promise((resolve, reject) => {
      client.query(new OneFlush(statements, prepared, { resolve, reject }) as unknown as pg.Submittable)
    })
  }

  private constructor(
    statements: readonly Statement[],
    prepared: Set<string>,
    settle: { resolve(rows: number): void; reject(error: unknown): void },
  ) {
    this.#statements = statements
    this.#prepared = prepared
    this.#settle = settle
  }

  submit(wire: pg.Connection): void {
    const { stream } = wire
    stream.cork()
    for (const { name, sql, values } of this.#statements) {
      if (!this.#prepared.has(name)) wire.parse({ name, text: sql, types: [] }, true)
      this.#prepared.add(name)
      wire.bind({ portal: '', statement: name, values: [...values] }, true)
      wire.execute({ portal: '', rows: '' }, true)
    }
    wire.sync()
    stream.uncork()
  }

  handleDataRow(): void {}

  handleCommandComplete({ text }: { text: string }): void {
    this.#rows = Number(text.split(' ').at(-1))
  }

  handleError(error: unknown): void {
    this.#settle.reject(error)
  }

  handleReadyForQuery(): void {
    this.#settle.resolve(this.#rows)
  }
}
