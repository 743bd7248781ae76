/**
 * Making deletions and erasures final. `secure_delete` overwrites every freed row and page, but when SQLite moves rows
 * between neighbouring pages it leaves copies of them in the gaps (measured: in one of four random histories), so the
 * file is written anew. Then the journal is cut, and the copies that migrations made go.
 */
import { removeBackups } from './backup.ts'
import type { Connection } from './connection.ts'
import { dropWrongGarbage, sweepGarbage } from './deletion.ts'
import { busyError } from './errors.ts'
import { mergeIndex } from './search.ts'
import { sweepBodies } from './strays.ts'
import type { Transactions } from './transactions.ts'
import { erasuresToScrub, noteScrubbed } from './upkeep.ts'

/** Its row begins with 1 while another connection reads an older state; nothing is thrown then. */
const TRUNCATE_JOURNAL = 'PRAGMA wal_checkpoint(TRUNCATE)'

/** A slice in each turn of the event loop, so that others come to their turn in between. */
export async function sweepAllGarbage(transactions: Transactions): Promise<void> {
  while (await transactions.gather(sweepGarbage));
}

export async function scrub(transactions: Transactions): Promise<void> {
  await transactions.write(dropWrongGarbage)
  await sweepAllGarbage(transactions)
  await sweepStrays(transactions)
  while (await transactions.gather(mergeIndex));
  await transactions.read(({ place }) => removeBackups(place))
  const erasures = await transactions.read(erasuresToScrub)
  if (erasures !== undefined) {
    await transactions.read(rewriteFile)
    await transactions.write((db) => noteScrubbed(db, erasures))
  }
  await transactions.read(truncateJournal)
}

async function sweepStrays(transactions: Transactions): Promise<void> {
  let after: number | undefined = 0
  while (after !== undefined) {
    const from: number = after
    after = await transactions.gather((db) => sweepBodies(db, from))
  }
}

/** The copy on the way would fill the memory if it were kept there as other temporary data is. */
function rewriteFile(db: Connection): void {
  if (db.place.inMemory) return
  db.exec('PRAGMA temp_store = FILE')
  try {
    db.exec('VACUUM')
  } finally {
    db.exec('PRAGMA temp_store = MEMORY')
  }
}

function truncateJournal(db: Connection): void {
  if (!db.place.inMemory && db.get(TRUNCATE_JOURNAL)?.[0] === 1) throw busyError()
}
