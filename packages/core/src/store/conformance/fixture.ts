/** What the suite needs from a store under test. */
import type { TenantId } from '@holdfast/protocol'
import type { Store } from '../store.ts'

export interface StoreFixture {
  /** Appears in test titles and skip messages. */
  name: string
  /** Opens a store on a new, empty place. The store judges all time by `clock`. */
  open(options: { clock: () => number }): Promise<OpenedPlace>
}

/** An open store and what can be done around it. A case that needs an absent member is skipped with that reason. */
export interface OpenedPlace {
  store: Store
  /** Another handle on the same place, with the same clock. */
  another?(): Promise<Store>
  /** A handle on the same place after every other was closed, as after a restart. */
  reopen?(): Promise<Store>
  /** Paths of the files in which deleted bytes could survive. */
  files?(): Promise<readonly string[]>
  /** Changes the stored body of one event behind the store's back. */
  corrupt?(tenantId: TenantId, sessionId: string, seq: number): Promise<void>
  /** Changes the head that is kept at this seq in the same way. */
  corruptWaypoint?(tenantId: TenantId, sessionId: string, seq: number): Promise<void>
  /** Called while every handle is closed: makes the place one of an earlier or a later schema version. */
  schema?: { makeOlder(): Promise<void>; makeNewer(): Promise<void> }
  /** Closes what is still open and removes the place. */
  dispose(): Promise<void>
}

export type Need = Exclude<keyof OpenedPlace, 'store' | 'dispose'>
