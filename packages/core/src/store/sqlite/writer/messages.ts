/** What the store's own thread and the writer thread say to each other. */
import type { Store } from '../../store.ts'
import type { Durability } from '../settings.ts'
import type { PackedCommits, PackedOutcomes } from './pack-commits.ts'
import type { PackedError } from './pack-errors.ts'

/** What the thread is given at its start. */
export interface WriterPlace {
  path: string
  /** Address of the driver's module. */
  driver: string | undefined
  durability: Durability
  search: boolean
}

/** What the thread can be asked for. */
export type Work = Pick<
  Store,
  | 'appendDraft'
  | 'close'
  | 'deleteSession'
  | 'putCheckpoint'
  | 'putRecord'
  | 'rebuild'
  | 'renewLease'
  | 'resetIndex'
  | 'scrub'
  | 'sweepKeys'
> & { commit(commits: PackedCommits): Promise<PackedOutcomes> }

export interface Call<K extends keyof Work = keyof Work> {
  id: number
  /** By the clock of the store: a function cannot be sent. */
  nowMs: number
  work: K
  args: Parameters<Work[K]>
}

export type Told =
  | { told: 'opened' }
  /** The thread ends then. */
  | { told: 'not opened'; error: PackedError }
  | { told: 'foreign write' }
  /** `syncsMs`: how long each sync took that nothing told of yet. */
  | { told: 'done'; id: number; result: unknown; syncsMs: readonly number[] }
  | { told: 'failed'; id: number; error: PackedError }
