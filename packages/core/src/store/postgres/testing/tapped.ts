/** `pg` with a hand on what is sent: on the plain texts, and on the connection that a flush is written to. */
import pg from 'pg'
import type { PgModule, PgPoolConfig, PgWire } from '../driver.ts'

export interface Tap {
  text(sql: string): string
  /** Called once for each flush. */
  wire(wire: PgWire): PgWire
}

/** What `pg` calls on an object that is submitted. */
interface Submittable {
  submit(wire: PgWire): void
}

/** `tapOf`: of a new client. */
export function tapped(tapOf: (client: pg.Client) => Tap): PgModule {
  class Client extends pg.Client {
    readonly #tap = tapOf(this)

    // biome-ignore lint/suspicious/noExplicitAny: `pg` declares one member with seven signatures
    override query(what: any): any {
      return super.query(typeof what === 'string' ? this.#tap.text(what) : throughTap(what, this.#tap))
    }
  }
  return {
    Pool: class extends pg.Pool {
      constructor(config: PgPoolConfig) {
        super({ ...config, Client } as PgPoolConfig)
      }
    },
  }
}

function throughTap<T extends Submittable>(submittable: T, tap: Tap): T {
  const submit = submittable.submit.bind(submittable)
  submittable.submit = (wire) => submit(tap.wire(wire))
  return submittable
}
