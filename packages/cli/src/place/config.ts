/** `holdfast.config.json`: settings of a project, found in this folder or the nearest one above it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { HoldfastError } from '@holdfast/protocol'
import { nearest } from '../nearest.ts'

export interface Config {
  /** Path of a SQLite file, relative to this file, or the URL of a Postgres. */
  store?: string
  tenant?: string
  /** URL of a server that reading commands ask. */
  server?: string
  /** The program that shows long output, with its options. */
  pager?: string
}

export interface FoundConfig {
  path: string
  config: Config
}

const keys = ['store', 'tenant', 'server', 'pager'] as const satisfies (keyof Config)[]
const fileName = 'holdfast.config.json'

/** The file that was named, else the nearest one; undefined when there is none. */
export async function findConfig(cwd: string, named: string | undefined): Promise<FoundConfig | undefined> {
  if (named !== undefined) return readConfig(resolve(cwd, named))
  for (let folder = cwd; ; folder = dirname(folder)) {
    const path = join(folder, fileName)
    if (existsSync(path)) return readConfig(path)
    if (dirname(folder) === folder) return undefined
  }
}

async function readConfig(path: string): Promise<FoundConfig> {
  const config = await parsed(path)
  for (const [key, value] of Object.entries(config)) {
    if (!(keys as readonly string[]).includes(key)) throw await unknownKey(path, key)
    if (typeof value !== 'string' || value === '') throw await invalid(path, `${key}: expected a text`)
  }
  return { path, config }
}

async function parsed(path: string): Promise<Config> {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    if (isMissing) throw await refusal('not_found', `there is no file ${path}`)
    throw await invalid(path, `not JSON: ${(cause as Error).message}`)
  }
  throw await invalid(path, 'expected an object')
}

function unknownKey(path: string, key: string): Promise<HoldfastError> {
  const meant = nearest(key, keys)
  const help = meant ? `Did you mean ${meant}?` : `Known are ${keys.join(', ')}.`
  return invalid(path, `unknown key ${JSON.stringify(key)}. ${help}`)
}

function invalid(path: string, message: string): Promise<HoldfastError> {
  return refusal('invalid_input', `${path}: ${message}`)
}

/** What makes errors is loaded for an error only: it is most of the time of `holdfast` alone. */
async function refusal(code: 'invalid_input' | 'not_found', message: string): Promise<HoldfastError> {
  const { HoldfastError } = await import('@holdfast/protocol')
  return new HoldfastError(code, message)
}
