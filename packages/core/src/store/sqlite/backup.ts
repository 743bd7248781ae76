/** Copies of a file: one that somebody asks for, and the one made before its schema changes: `<path>.backup-v<version>-<time>`. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import type { Place } from './connection.ts'
import { type BetterSqlite, driverOf } from './driver.ts'
import { sqliteCode, storeError } from './errors.ts'
import { patiently } from './patience.ts'

type Source = Pick<Place, 'driver' | 'path'>

/**
 * Copies a store to `target` as it is at one moment, while others go on reading and writing. The copy has its name once it
 * is whole and on disk. Throws `invalid_input` where there is something already: a copy is never written over.
 */
export async function backUpSqlite(
  path: string,
  target: string,
  options: { driver?: BetterSqlite | string } = {},
): Promise<void> {
  const source = { driver: await driverOf(options.driver), path: resolve(path) }
  if (!existsSync(source.path)) throw new HoldfastError('not_found', `There is no database ${source.path}.`)
  if (lstatSync(target, { throwIfNoEntry: false }))
    throw new HoldfastError('invalid_input', `${target} exists; name a new file.`)
  try {
    await patiently(() =>
      told(`The copy of ${source.path} cannot be made as ${target}.`, () => {
        copyTo(source, resolve(target), madeBeside(resolve(target)))
      }),
    )
  } catch (error) {
    throw storeError(error)
  }
}

export function backUp(place: Place, version: number, nowMs: number): void {
  if (place.inMemory) return
  told(`The copy of ${place.path} before its migration cannot be made; nothing was changed.`, () => {
    const target = `${place.path}.backup-v${version}-${Math.floor(nowMs)}`
    copyTo(place, target, made(`${target}.partial`))
  })
}

/** A copy has its name only once it is whole and on disk. `partial` is an empty file, and gone when it fails. */
function copyTo(source: Source, target: string, partial: string): void {
  try {
    copyInto(partial, source)
    sync(partial)
    renameSync(partial, target)
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  }
  syncFolder(dirname(target))
}

function copyInto(partial: string, { driver, path }: Source): void {
  const source = driver.open(path)
  try {
    source.prepare('VACUUM INTO ?').run(partial)
  } finally {
    source.close()
  }
}

/** Under a name that nothing has. */
function madeBeside(target: string): string {
  for (let tries = 1; ; tries++) {
    try {
      return made(tries === 1 ? `${target}.partial` : `${target}.partial-${tries}`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** A new file that only its owner may read. */
function made(path: string): string {
  closeSync(openSync(path, 'wx', 0o600))
  return path
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
