/**
 * The secret that keys are digested under: from the environment, else from a file beside a SQLite store, which the first key
 * makes. With another secret no key is known.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { HoldfastError } from '@holdfast/protocol'
import type { World } from '../terminal/world.ts'
import { isPostgres, type Settings } from './settings.ts'

export function pepperFile(store: string): string {
  return `${store}.pepper`
}

/** Undefined where callers need no keys. */
export function pepperOf({ env }: World, { store }: Settings): string | undefined {
  if (env.HOLDFAST_PEPPER) return env.HOLDFAST_PEPPER
  const named = env.HOLDFAST_PEPPER_FILE
  if (named) return readFileSync(named, 'utf8').trim()
  if (isPostgres(store) || !existsSync(pepperFile(store))) return undefined
  return readFileSync(pepperFile(store), 'utf8').trim()
}

/** Makes the file where there is no secret yet: nobody but its owner may read it. */
export function requirePepper(world: World, settings: Settings): string {
  const known = pepperOf(world, settings)
  if (known !== undefined) return known
  if (isPostgres(settings.store)) {
    throw new HoldfastError(
      'invalid_input',
      'Keys of a Postgres store need a secret that every server of it knows. Make one and keep it:\n  export HOLDFAST_PEPPER="$(openssl rand -base64 32)"',
    )
  }
  const made = randomBytes(32).toString('base64')
  writeFileSync(pepperFile(settings.store), `${made}\n`, { mode: 0o600, flag: 'wx' })
  return made
}
