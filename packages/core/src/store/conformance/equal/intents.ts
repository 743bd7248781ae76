/**
 * What a random test means to do, before it is known what it will meet: sessions, epochs and bases are named by their
 * relation to the state at that moment, so that most commands are legal and some are just not.
 */
import type { DueKind, EventRange, ListIndex, UsageGrouping } from '../../store.ts'

/** Where a command goes: indices into small pools, so that commands meet. */
export interface Spot {
  tenant: number
  session: number
}

/** Added to the right number; 0 most of the time. */
export type Drift = number

export interface CommitIntent extends Spot {
  /** Appending to a session that is missing creates it, as long as the base does not drift. */
  mode: 'append' | 'create' | 'fork'
  /** Which session a fork is made of, and how far along it, from 0 to 1. */
  source: number
  along: number
  baseDrift: Drift
  bodies: readonly number[]
  head: { choice: number; activity: number; time: number }
  epoch: 'none' | 'current' | 'stale'
  lease: 'none' | 'take' | 'take stale' | 'release' | 'release lost'
  key: number | undefined
  keyHash: number
  part: number | undefined
  partBody: number | undefined
  ref: number | undefined
  usage: number | undefined
  attachment: number | undefined
  waypoint: boolean
  dropDraft: number | undefined
  /** Positions along the session, from 0 to 1, of events to erase. */
  erase: readonly number[]
}

export type Intent =
  | { do: 'commit'; commits: readonly CommitIntent[] }
  | { do: 'renew'; spot: Spot; epochDrift: Drift; ttlMs: number }
  | { do: 'wait'; ms: number }
  | {
      do: 'draft'
      spot: Spot
      draft: number
      firstDrift: Drift
      epochDrift: Drift
      chunks: readonly number[]
    }
  | { do: 'readDraft'; spot: Spot; draft: number; after: number }
  | { do: 'checkpoint'; spot: Spot; thread: number; id: number; channels: readonly number[]; brings: boolean }
  | {
      do: 'record'
      tenant: number
      kind: number
      id: number
      key: number | undefined
      body: number
      versionDrift: Drift
    }
  | {
      do: 'listRecords'
      tenant: number
      kind: number
      key: number | undefined
      after: number | undefined
      limit: number
    }
  | { do: 'delete'; spot: Spot; cascade: boolean; seqDrift: Drift | undefined }
  | { do: 'sweep'; limit: number }
  | { do: 'read'; spot: Spot; range: EventRange }
  | { do: 'list'; tenant: number; index: ListIndex; value: number; limit: number; after: number }
  | { do: 'due'; tenant: number; kind: DueKind; aheadMs: number; limit: number; skip: number }
  | { do: 'usage'; spot: Spot; after: number; limit: number }
  | {
      do: 'ledger'
      tenant: number
      root: number | undefined
      owner: number | undefined
      by: readonly UsageGrouping[]
      limit: number
    }
  | { do: 'index'; maxBytes: number }
  | { do: 'search'; spot: Spot; words: readonly number[]; inSession: boolean }
  | { do: 'reset' }
  | { do: 'scrub' }
