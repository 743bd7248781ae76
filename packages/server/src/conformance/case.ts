import type { Trial } from './trial.ts'

export interface HttpCase {
  id: string
  /** A sentence about the server. */
  title: string
  /** Only where callers need keys. */
  needsKey?: true
  run(t: Trial): Promise<void>
}

export function casesOf(area: string, cases: readonly Omit<HttpCase, 'id'>[]): HttpCase[] {
  return cases.map((one, n) => ({ ...one, id: `${area}-${n + 1}` }))
}
