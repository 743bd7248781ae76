/** What a deletion or an erasure says of itself: numbers and places, no content. */
import { toTime } from '@holdfast/protocol'
import type { TenantLog } from './tenant-log.ts'

/** Since when it is final, and what it could not reach. */
export interface Finality {
  /** From this time on nothing that we hold has the bytes any more. Absent: not yet; `scrub` makes it so. */
  finalAt?: string
  /** What is beyond our reach and may still hold them. */
  outside: readonly string[]
}

export interface ErasureReceipt extends Finality {
  /** Sessions in which events were erased. */
  sessions: number
  /** Events that were erased, or went with their sessions. */
  events: number
  /** Sessions deleted whole. */
  deletedSessions: number
  /** Sessions left as they are, since they are under a legal hold: lift it, and erase again. Absent: none. */
  held?: readonly string[]
  /** Sessions that were gone past, since their heads are damaged: restore them, and erase again. Absent: none. */
  damaged?: readonly string[]
}

const outside = [
  'exports that were handed out',
  'backups that this store does not hold',
  'replicas of the database, and archived journals of it',
  'what model providers kept of the requests they were sent',
] as const

/** Makes what was done final, unless it is to wait for a later `scrub`: one costs the size of the store. */
export async function finality(log: TenantLog, { scrub }: { scrub: boolean }): Promise<Finality> {
  if (!scrub) return { outside }
  await log.store.scrub()
  return { finalAt: toTime(log.nowMs), outside }
}
