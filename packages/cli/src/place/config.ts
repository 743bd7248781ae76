/** `holdfast.config.json`: settings of a project, found in this folder or the nearest one above it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { nearest } from '../nearest.ts'

export interface Config {
  /** Path of a SQLite file, relative to this file, or the URL of a Postgres. */
  store?: string
  tenant?: string
  /** The program that shows long output, with its options. */
  pager?: string
}

export interface FoundConfig {
  path: string
  config: Config
}

const keys = ['store', 'tenant', 'pager'] as const satisfies (keyof Config)[]
const fileName = 'holdfast.config.json'

/** The file that was named, else the nearest one; undefined when there is none. */
export function findConfig(cwd: string, named: string | undefined): FoundConfig | undefined {
  if (named !== undefined) return readConfig(resolve(cwd, named))
  for (let folder = cwd; ; folder = dirname(folder)) {
    const path = join(folder, fileName)
    if (existsSync(path)) return readConfig(path)
    if (dirname(folder) === folder) return undefined
  }
}

function readConfig(path: string): FoundConfig {
  const config = parsed(path)
  for (const [key, value] of Object.entries(config)) {
    if (!(keys as readonly string[]).includes(key)) throw unknownKey(path, key)
    if (typeof value !== 'string' || value === '') throw invalid(path, `${key}: expected a text`)
  }
  return { path, config }
}

function parsed(path: string): Config {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    if (isMissing) throw new HoldfastError('not_found', `there is no file ${path}`, { cause })
    throw invalid(path, `not JSON: ${(cause as Error).message}`)
  }
  throw invalid(path, 'expected an object')
}

function unknownKey(path: string, key: string): HoldfastError {
  const meant = nearest(key, keys)
  const help = meant ? `Did you mean ${meant}?` : `Known are ${keys.join(', ')}.`
  return invalid(path, `unknown key ${JSON.stringify(key)}. ${help}`)
}

function invalid(path: string, message: string): HoldfastError {
  return new HoldfastError('invalid_input', `${path}: ${message}`)
}
