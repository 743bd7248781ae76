/** The copy of a file that is made before its schema changes: `<path>.backup-v<version>-<time>`. */
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import type { Place } from './connection.ts'
import { sqliteCode } from './errors.ts'

/** A copy has its name only once it is whole and on disk. */
export function backUp(place: Place, version: number, nowMs: number): void {
  if (place.inMemory) return
  told(`The copy of ${place.path} before its migration cannot be made; nothing was changed.`, () => {
    copy(place, version, nowMs)
  })
}

function copy({ driver, path }: Place, version: number, nowMs: number): void {
  const target = `${path}.backup-v${version}-${Math.floor(nowMs)}`
  const partial = `${target}.partial`
  rmSync(partial, { force: true })
  closeSync(openSync(partial, 'w', 0o600))
  const source = driver.open(path)
  try {
    source.prepare('VACUUM INTO ?').run(partial)
  } finally {
    source.close()
  }
  sync(partial)
  renameSync(partial, target)
  syncFolder(dirname(path))
}

/** Copies hold what was erased since, so a scrub takes them away. */
export function removeBackups({ path, inMemory }: Place): void {
  if (inMemory) return
  const start = `${basename(path)}.backup-v`
  told(`The copies that migrations made of ${path} cannot be removed.`, () => {
    for (const name of readdirSync(dirname(path))) {
      if (name.startsWith(start)) rmSync(join(dirname(path), name), { force: true })
    }
  })
}

/** An error of the file system becomes ours; one of SQLite is told by what it means. */
function told(message: string, work: () => void): void {
  try {
    work()
  } catch (cause) {
    if (sqliteCode(cause) !== undefined) throw cause
    throw new HoldfastError('store_unavailable', message, { cause })
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Windows has no way to sync a folder, and no need. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
