/** The process whose disk fails: for each task it lives one life, and says what it was told. */

import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type BetterSqlite, sqlite } from '@holdfast/core/sqlite'
import BetterSqlite3 from 'better-sqlite3'
import { messages, report } from './child.ts'
import { FailingLife, type Life } from './failing-life.ts'
import { type Fault, faultState, heal, plant } from './fault.ts'
import { sayingRefused } from './saying-refused.ts'

export interface IoTask {
  file: string
  writer: number
  driver: 'node:sqlite' | 'better-sqlite3'
  /** Absent: nothing fails, and the file is left open, for the process to be killed. */
  fault?: Fault
  planted: boolean
}

/** The end of a life: operations of the kind that failed, and what must never be. */
export interface Lived {
  lived: { calls: number; failed: number; wrong: string[] }
}

/** Copies its journal back every few commits, where the store itself waits for thousands of pages. */
class Eager extends BetterSqlite3 {
  // biome-ignore lint/suspicious/noExplicitAny: narrower than the library's own overloads
  override prepare(sql: string): any {
    if (sql === 'BEGIN IMMEDIATE') super.exec('PRAGMA wal_autocheckpoint = 20')
    return super.prepare(sql)
  }
}

for await (const { file, writer, driver, fault, planted } of messages<IoTask>()) {
  const life = new FailingLife({ ...toolsOf(driver, file, planted), writer, report })
  if (fault) plant(fault, dirname(file))
  await life.run()
  if (fault) await life.close()
  const state = faultState()
  if (fault) heal(fault, dirname(file))
  if (fault) await life.goOn()
  report({ lived: { ...state, wrong: life.wrong } } satisfies Lived)
}

/** Two libraries must not have one file open in one process: closing one would take the locks of the other. */
function toolsOf(
  driver: IoTask['driver'],
  file: string,
  planted: boolean,
): Pick<Life, 'place' | 'copyJournal'> {
  const place =
    driver === 'node:sqlite' ? sqlite(file) : sqlite(file, { driver: Eager as unknown as BetterSqlite })
  return {
    place: planted ? sayingRefused(place) : place,
    ...(driver === 'node:sqlite' && { copyJournal: () => copyJournal(file) }),
  }
}

function copyJournal(file: string): void {
  try {
    using db = new DatabaseSync(file)
    db.exec('PRAGMA wal_checkpoint(RESTART)')
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_SQLITE_ERROR') throw error
  }
}
