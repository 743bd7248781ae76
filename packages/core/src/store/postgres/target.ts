/**
 * What a distributed engine needs otherwise than one Postgres. Which of the two a schema lies on is found when it is
 * opened; nothing else asks.
 */
import type { CommitWay } from './commit-way.ts'
import type { Sending } from './sending.ts'

export interface Target {
  name: 'postgres' | 'citus'
  sending: Sending
  way: CommitWay
}
