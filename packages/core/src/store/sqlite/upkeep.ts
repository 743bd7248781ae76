/** Counting erasures, so that a scrub rewrites the file only when something was deleted or erased since the last one. */
import { crcOfRow, isChecksum } from '../checksum.ts'
import type { Connection } from './connection.ts'

const SELECT_COUNTS = 'SELECT erasures, scrubbed, crc FROM upkeep'
const SET_COUNTS = 'UPDATE upkeep SET erasures = ?, scrubbed = ?, crc = ?'

interface Counts {
  erasures: number
  /** How many there were when the file was written anew. */
  scrubbed: number
  isWhole: boolean
}

function countsOf(db: Connection): Counts {
  const [erasures, scrubbed, crc] = db.get(SELECT_COUNTS) as [number, number, number | null]
  return { erasures, scrubbed, isWhole: isChecksum(crc, crcOfRow(erasures, scrubbed)) }
}

function setCounts(db: Connection, erasures: number, scrubbed: number): void {
  db.run(SET_COUNTS, erasures, scrubbed, crcOfRow(erasures, scrubbed))
}

/** A damaged count stays one: what it says of earlier erasures is not known. */
export function noteErasure(db: Connection): void {
  const { erasures, scrubbed, isWhole } = countsOf(db)
  if (isWhole) setCounts(db, erasures + 1, scrubbed)
}

export function isCountWhole(db: Connection): boolean {
  const { erasures, scrubbed, isWhole } = countsOf(db)
  return isWhole && scrubbed <= erasures
}

/** How many there were, when some of them are not final yet, or may not be. */
export function erasuresToScrub(db: Connection): number | undefined {
  const { erasures, scrubbed, isWhole } = countsOf(db)
  return erasures !== scrubbed || !isWhole ? erasures : undefined
}

/** `erasures` as it was before the file was rewritten: later ones need another scrub. */
export function noteScrubbed(db: Connection, erasures: number): void {
  const counts = countsOf(db)
  setCounts(db, counts.erasures, Math.min(erasures, counts.erasures))
}
