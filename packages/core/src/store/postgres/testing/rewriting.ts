/** `pg` with another text for every statement: a test build of the store's SQL. */
import pg from 'pg'
import type { PgModule, PgPoolConfig, PgWire } from '../driver.ts'

type Rewrite = (sql: string) => string

/** What `pg` calls on an object that is submitted. */
interface Submittable {
  submit(wire: PgWire): void
}

export function rewriting(rewrite: Rewrite): PgModule {
  const Client = rewritingClient(rewrite)
  return {
    Pool: class extends pg.Pool {
      constructor(config: PgPoolConfig) {
        super({ ...config, Client } as PgPoolConfig)
      }
    },
  }
}

function rewritingClient(rewrite: Rewrite) {
  return class extends pg.Client {
    // biome-ignore lint/suspicious/noExplicitAny: `pg` declares one member with seven signatures
    override query(what: any): any {
      return super.query(typeof what === 'string' ? rewrite(what) : rewritten(what, rewrite))
    }
  }
}

function rewritten<T extends Submittable>(submittable: T, rewrite: Rewrite): T {
  const submit = submittable.submit.bind(submittable)
  submittable.submit = (wire) => {
    const parse: PgWire['parse'] = (message) => wire.parse({ ...message, text: rewrite(message.text) })
    submit(Object.create(wire, { parse: { value: parse } }))
  }
  return submittable
}
