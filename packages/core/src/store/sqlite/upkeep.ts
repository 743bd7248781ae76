/** Counting erasures, so that a scrub rewrites the file only when something was deleted or erased since the last one. */
import type { Connection } from './connection.ts'

const COUNT_ERASURE = 'UPDATE upkeep SET erasures = erasures + 1'
const SELECT_ERASURES = 'SELECT erasures, scrubbed FROM upkeep'
const SET_SCRUBBED = 'UPDATE upkeep SET scrubbed = ?'

export function noteErasure(db: Connection): void {
  db.run(COUNT_ERASURE)
}

/** How many there were, when some of them are not final yet. */
export function erasuresToScrub(db: Connection): number | undefined {
  const [erasures, scrubbed] = db.get(SELECT_ERASURES) as [number, number]
  return erasures > scrubbed ? erasures : undefined
}

/** `erasures` as it was before the file was rewritten: later ones need another scrub. */
export function noteScrubbed(db: Connection, erasures: number): void {
  db.run(SET_SCRUBBED, erasures)
}
