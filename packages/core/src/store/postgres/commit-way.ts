/** How a commit is written, which is not everywhere the same. */
import type { TenantId } from '@holdfast/protocol'
import type { Commit } from '../store.ts'
import type { Clock } from './clock.ts'
import type { Ground } from './commit-steps.ts'
import type { Row } from './driver.ts'
import type { Step } from './flush.ts'
import type { Known } from './known.ts'
import type { Places } from './places.ts'
import type { Transactions } from './transactions.ts'

/** What a batch works with. */
export interface Desk {
  db: Transactions
  clock: Clock
  known: Known
  places: Places
  way: CommitWay
}

export interface CommitWay {
  /** Writes those commits that may be written, and gives session and lease of each of them. */
  commit(desk: Desk, tenant: TenantId, commits: readonly Commit[]): Promise<readonly Row[]>
  /** Writes a commit whose row is locked and that was judged: the first step gives the row that it moved. */
  stepsOf(ground: Ground, tenant: TenantId, commit: Commit): Step[]
  /** Writes the first commit of a session whose row was made before. */
  stepsOfCreation(tenant: TenantId, commit: Commit): Step[]
}
