import type { Clause } from '../clauses.ts'
import type { Need } from './fixture.ts'
import type { Trial } from './trial.ts'

/** One behaviour, as data. */
export interface StoreCase {
  /** The clause, and a number within it. */
  id: string
  clause: Clause
  /** A sentence that is true of every correct store. */
  title: string
  /** Members of the place without which the case is skipped. */
  needs?: readonly Need[]
  /** Rejects when the store breaks the clause. */
  run(t: Trial): Promise<void>
}
