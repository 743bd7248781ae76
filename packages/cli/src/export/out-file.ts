/**
 * The file that an export goes to. It has its name once it is whole; what is no file, such as a pipe, is written to as it is.
 */
import { existsSync, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import type { Sink } from '@holdfast/transcripts'
import { ReaderLeft } from '../terminal/world.ts'

interface OutOptions {
  /** Also over a file that is there. */
  force: boolean
}

export async function writeOut<T>(
  path: string,
  { force }: OutOptions,
  work: (sink: Sink) => Promise<T>,
): Promise<T> {
  const standing = statSync(path, { throwIfNoEntry: false })
  if (standing?.isDirectory())
    throw new HoldfastError('invalid_input', `${path} is a folder.\n  Name a file, or give --folder.`)
  if (standing && isStream(path, standing)) return writeStraight(path, work)
  if (standing && !force)
    throw new HoldfastError('invalid_input', `${path} exists.\n  Name another file, or give --force.`)
  return writeWhole(endOfLinks(path), standing, work)
}

/** An open file by its number is one too: who opened it waits for what comes there. */
function isStream(path: string, standing: Stats): boolean {
  return !standing.isFile() || /^\/(dev|proc)\//.test(path)
}

/** What a link names, even where nothing is there yet. */
function endOfLinks(path: string): string {
  const folder = dirname(path)
  if (!existsSync(folder)) throw new HoldfastError('not_found', `The folder ${folder} is not there.`)
  const place = join(realpathSync(folder), basename(path))
  if (!lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) return place
  return endOfLinks(resolve(dirname(place), readlinkSync(place)))
}

async function writeStraight<T>(path: string, work: (sink: Sink) => Promise<T>): Promise<T> {
  await using file = await open(path, 'a')
  try {
    return await work({ write: (text) => file.appendFile(text) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    throw new ReaderLeft('nobody reads the pipe', { cause: error })
  }
}

async function writeWhole<T>(
  path: string,
  standing: Stats | undefined,
  work: (sink: Sink) => Promise<T>,
): Promise<T> {
  const { partial, file } = await openPartial(path, standing?.mode)
  try {
    const done = await work({ write: (text) => file.appendFile(text) })
    await file.close()
    await rename(partial, path)
    return done
  } catch (error) {
    await file.close()
    await rm(partial, { force: true })
    throw error
  }
}

/** Beside the file, under a name that nothing has. */
async function openPartial(path: string, mode?: number): Promise<{ partial: string; file: FileHandle }> {
  for (let tries = 1; ; tries++) {
    const partial = tries === 1 ? `${path}.partial` : `${path}.partial-${tries}`
    try {
      return { partial, file: await open(partial, 'wx', mode) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
