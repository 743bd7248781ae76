/** `pg` with another text for every statement: a test build of the store's SQL. */
import type { PgModule, PgWire } from '../driver.ts'
import { tapped } from './tapped.ts'

export function rewriting(rewrite: (sql: string) => string): PgModule {
  const wire = (given: PgWire): PgWire => {
    const parse: PgWire['parse'] = (message) => given.parse({ ...message, text: rewrite(message.text) })
    return Object.create(given, { parse: { value: parse } })
  }
  return tapped(() => ({ text: rewrite, wire }))
}
