/**
 * What a distributed engine needs otherwise than one Postgres. Which of the two a schema lies on is found when it is
 * opened; nothing else asks.
 */
import type { TenantId } from '@holdfast/protocol'
import type { Commit } from '../store.ts'
import type { Desk } from './commit-judged.ts'
import type { Ground } from './commit-steps.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'
import type { Answer, Step } from './flush.ts'

export interface Target {
  name: 'postgres' | 'citus'
  /** All of the steps or none, in one round trip. The first one sets what they run under. */
  flush(connection: Connection, steps: readonly Step[]): Promise<Answer[]>
  /** The same within a transaction that is open, or that the first step begins. */
  inBlock(connection: Connection, steps: readonly Step[]): Promise<Answer[]>
  /** Writes those commits that may be written, and gives session and lease of each of them. */
  commit(desk: Desk, tenant: TenantId, commits: readonly Commit[]): Promise<readonly Row[]>
  /** Writes a commit whose row is locked and that was judged: the first step gives the row that it moved. */
  stepsOf(ground: Ground, tenant: TenantId, commit: Commit): Step[]
  /** Writes the first commit of a session whose row was made before. */
  stepsOfCreation(tenant: TenantId, commit: Commit): Step[]
}
