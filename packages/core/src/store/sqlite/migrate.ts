/**
 * Brings a file to the newest schema. All of it is one transaction that also sets `user_version`: killed at any point
 * the file is as before, and of two processes that open it at once one migrates while the other waits and then finds
 * nothing to do.
 */
import { HoldfastError } from '@holdfast/protocol'
import { backUp } from './backup.ts'
import type { Connection } from './connection.ts'
import { type Migration, migrations } from './migrations.ts'
import { patiently } from './patience.ts'

export interface MigrateOptions {
  /** For the name of the backup copy. */
  nowMs: number
  /** Rising versions. */
  list?: readonly Migration[]
}

/** Marks a file as ours. Set by the first migration. */
const applicationId = 1212957766

/** Another process may be copying and migrating a large file. */
const patienceMs = 10 * 60_000

/** Gives the version that the file now has. */
export async function migrate(db: Connection, { nowMs, list = migrations }: MigrateOptions): Promise<number> {
  const newest = list.at(-1)?.version ?? 0
  if (versionOf(db, newest) === newest) return newest
  await patiently(() => db.run('BEGIN IMMEDIATE'), patienceMs)
  try {
    const version = versionOf(db, newest)
    if (version > 0 && version < newest) backUp(db.place, version, nowMs)
    for (const { sql } of list.filter((migration) => migration.version > version)) db.exec(sql)
    db.run('COMMIT')
  } catch (error) {
    db.rollback()
    throw error
  }
  return newest
}

/** 0 for an empty file. Throws for a file that is not ours, or newer than this code. */
function versionOf(db: Connection, newest: number): number {
  const version = db.get('PRAGMA user_version')?.[0] as number
  const isOurs = db.get('PRAGMA application_id')?.[0] === applicationId
  const isEmpty = db.get('SELECT count(*) FROM sqlite_schema')?.[0] === 0
  const { path } = db.place
  if (!isOurs && !(isEmpty && version === 0)) {
    throw new HoldfastError('store_unsupported', `The file ${path} is a database of another program.`)
  }
  if (version > newest) {
    const message = `The database ${path} has schema version ${version}; this version of Holdfast knows ${newest}. Update Holdfast.`
    throw new HoldfastError('store_unsupported', message, { details: { version, newest } })
  }
  return version
}
