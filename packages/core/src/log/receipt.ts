/** What a deletion or an erasure says of itself: numbers and places, no content. */
import { type ErrorCode, isHoldfastError, toTime } from '@holdfast/protocol'
import type { TenantLog } from './tenant-log.ts'

/** Since when it is final, and what it could not reach. */
export interface Finality {
  /** From this time on nothing that we hold has the bytes any more. Absent: not yet; `scrub` makes it so. */
  finalAt?: string
  /**
   * Why it is not final although it was to be: what refused the scrub, which a later `scrub` makes up for, or
   * `store_corrupt`, when sessions that cannot be read may still have bytes.
   */
  notFinal?: ErrorCode
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
  /** Sessions under a legal hold: what they hold and what they read elsewhere stays. Lift it, and erase again. Absent: none. */
  held?: readonly string[]
  /**
   * Sessions of which something cannot be read, or was written by a newer version: what they hold, and what one without a
   * head reads elsewhere, stays. Repair, restore or delete them, and erase again. Absent: none.
   */
  damaged?: readonly string[]
}

const outside = [
  'exports that were handed out',
  'backups that this store does not hold',
  'replicas of the database, and archived journals of it',
  'what model providers kept of the requests they were sent',
] as const

/**
 * Makes what was done final, unless it is to wait for a later `scrub`: one costs the size of the store. A scrub that is
 * refused takes back nothing of what was done, so it is told and not thrown. `isWhole`: nothing damaged was gone past.
 */
export async function finality(
  log: TenantLog,
  { scrub, isWhole = true }: { scrub: boolean; isWhole?: boolean },
): Promise<Finality> {
  if (!scrub) return { outside }
  try {
    await log.store.scrub()
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return { notFinal: error.code, outside }
  }
  return { ...(isWhole ? { finalAt: toTime(log.nowMs) } : { notFinal: 'store_corrupt' }), outside }
}
