/** Where a log ends, by the three that tell of it: the event rows, the head's own word, and the session's row. */
import type { RawSession } from '../../store/store.ts'
import { HEAD_VERSION } from '../head-codec.ts'

export interface EndOfLog {
  seq: number
  /** The event rows end elsewhere than the head says, and the head can be believed. */
  problem?: string
  /** Only the row is at odds with the other two, or fails its checksum. */
  isRowWrong: boolean
}

/** A damaged head tells nothing; then the row is asked, and when that is damaged too, the event rows. */
export function endOfLog(raw: RawSession): EndOfLog {
  const isRowDamaged = raw.suspect?.includes('row') ?? false
  const seq = fieldsOf(raw)?.seq ?? (isRowDamaged ? raw.lastSeq : raw.seq)
  if (raw.lastSeq < seq) {
    const problem = `the events after ${raw.lastSeq} are missing: restore them from a backup`
    return { seq: raw.lastSeq + 1, problem, isRowWrong: false }
  }
  if (raw.lastSeq > seq) {
    const problem = `there is an event ${raw.lastSeq} beyond the end of the log: restore it from a backup`
    return { seq: raw.lastSeq, problem, isRowWrong: false }
  }
  return { seq, isRowWrong: isRowDamaged || raw.seq !== seq }
}

/** The id in the head when the row bears another: whose log it is cannot be said then. A damaged head alone says nothing. */
export function otherIdOf(raw: RawSession, sessionId: string): string | undefined {
  if (raw.damaged && !raw.suspect?.includes('row')) return undefined
  const id = idIn(raw.head.body)
  return id === sessionId ? undefined : id
}

function idIn(body: string): string | undefined {
  try {
    const { id } = JSON.parse(body)
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

/** A head of another version was folded by other rules. */
export function isOfThisVersion(raw: RawSession): boolean {
  const fields = fieldsOf(raw)
  return fields === undefined || fields.v === HEAD_VERSION
}

/** Undefined when the head is damaged. */
function fieldsOf({ damaged, head }: RawSession): { seq?: number; v?: unknown } | undefined {
  return damaged ? undefined : JSON.parse(head.body)
}
