/**
 * `holdfast.config.json`, or the same as a module: `.ts`, `.js`, `.mjs`. Settings of a project, found in this folder or the
 * nearest one above it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
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

/** What a config file says of agents. */
export interface ConfiguredAgents {
  path: string
  /** Not looked at yet: only commands that need agents do. */
  given: unknown
}

export interface FoundConfig {
  path: string
  config: Config
  agents?: ConfiguredAgents
}

const keys = ['store', 'tenant', 'server', 'pager'] as const satisfies (keyof Config)[]
const fileNames = ['json', 'ts', 'js', 'mjs'].map((ending) => `holdfast.config.${ending}`)

/** The file that was named, else the nearest one; undefined when there is none. */
export async function findConfig(cwd: string, named: string | undefined): Promise<FoundConfig | undefined> {
  if (named !== undefined) return readConfig(resolve(cwd, named))
  for (let folder = cwd; ; folder = dirname(folder)) {
    const [path, other] = fileNames.map((name) => join(folder, name)).filter((one) => existsSync(one))
    if (path !== undefined && other !== undefined) throw await refusal('invalid_input', tooMany(path, other))
    if (path !== undefined) return readConfig(path)
    if (dirname(folder) === folder) return undefined
  }
}

function tooMany(path: string, other: string): string {
  return `${path} and ${other} are both there.\n  Keep one of them.`
}

async function readConfig(path: string): Promise<FoundConfig> {
  const { agents, ...config } = await objectIn(path)
  if (agents !== undefined && !isModule(path)) {
    throw await invalid(path, 'agents are no JSON. holdfast.config.ts may have them.')
  }
  for (const [key, value] of Object.entries(config)) {
    if (!(keys as readonly string[]).includes(key)) throw await unknownKey(path, key)
    if (typeof value !== 'string' || value === '') throw await invalid(path, `${key}: expected a text`)
  }
  return { path, config, ...(agents !== undefined && { agents: { path, given: agents } }) }
}

async function objectIn(path: string): Promise<Config & { agents?: unknown }> {
  const found = await loaded(path)
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found
  const isLost = found === undefined && isModule(path)
  throw await invalid(path, isLost ? 'there is no default export' : 'expected an object')
}

function isModule(path: string): boolean {
  return /\.m?[jt]s$/.test(path)
}

async function loaded(path: string): Promise<unknown> {
  try {
    if (!isModule(path)) return JSON.parse(readFileSync(path, 'utf8'))
    return (await import(pathToFileURL(path).href)).default
  } catch (cause) {
    if (!existsSync(path)) throw await refusal('not_found', `there is no file ${path}`)
    const why = cause instanceof Error ? cause.message : String(cause)
    throw await invalid(
      path,
      isModule(path) ? `cannot be loaded${lineOf(cause)}: ${why}` : `not JSON: ${why}`,
    )
  }
}

/** Node puts it before the error, where it knows it. */
function lineOf(cause: unknown): string {
  const [, line] = /^\S+:(\d+)\n/.exec((cause as Error | undefined)?.stack ?? '') ?? []
  return line === undefined ? '' : ` (line ${line})`
}

function unknownKey(path: string, key: string): Promise<HoldfastError> {
  const known = isModule(path) ? [...keys, 'agents'] : keys
  const meant = nearest(key, known)
  const help = meant ? `Did you mean ${meant}?` : `Known are ${known.join(', ')}.`
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
