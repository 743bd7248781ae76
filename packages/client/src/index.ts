/** A typed client for Holdfast's server. It runs in browsers, Node, Deno and Bun. */
export {
  createClient,
  HoldfastClient,
  type NewKey,
  type PruneQuery,
  type RollUpQuery,
  type UsageColumn,
} from './client.ts'
export type { Followed, FollowedInTree, FollowOptions } from './follow.ts'
export type { Changed, FleetOptions } from './follow-fleet.ts'
export type { CallOptions, ChangeOptions, ClientOptions, Fetch, FileBytes } from './http.ts'
export type { RecordListOptions, RecordsClient, ServedRecord, StoredRecord } from './records.ts'
export type {
  ChildInput,
  ErasureOptions,
  ForkInput,
  NewMessage,
  PageOptions,
  RunLease,
  SessionFilters,
  SessionPatch,
  SessionsClient,
} from './sessions.ts'
export type { Turn } from './turn.ts'
