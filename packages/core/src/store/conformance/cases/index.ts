import type { StoreCase } from '../case.ts'
import { besideCases } from './beside.ts'
import { commitCases } from './commit.ts'
import { damageCases } from './damage.ts'
import { deletionCases } from './deletion.ts'
import { draftCases } from './drafts.ts'
import { forkCases } from './forks.ts'
import { keyCases } from './keys.ts'
import { leaseCases } from './lease.ts'
import { ledgerCases } from './ledger.ts'
import { lifeCases } from './life.ts'
import { listCases } from './lists.ts'
import { readCases } from './reads.ts'
import { searchCases } from './search.ts'

/** Every case, in the order of the clauses. */
export const storeCases: readonly StoreCase[] = [
  ...commitCases,
  ...keyCases,
  ...leaseCases,
  ...readCases,
  ...listCases,
  ...forkCases,
  ...draftCases,
  ...besideCases,
  ...ledgerCases,
  ...searchCases,
  ...deletionCases,
  ...damageCases,
  ...lifeCases,
]
