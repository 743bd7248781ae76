/** Which store, whose sessions: an option goes before the environment, that before the config file, that before the default. */
import { dirname, resolve } from 'node:path'
import type { World } from '../terminal/world.ts'
import { type Config, type ConfiguredAgents, type FoundConfig, findConfig } from './config.ts'
import { defaultStore } from './data-folder.ts'

export interface PlaceOptions {
  store?: string
  tenant?: string
  config?: string
  server?: string
}

export interface Settings {
  /** Absolute path of a SQLite file, or the URL of a Postgres. */
  store: string
  /** Who said so. */
  storeFrom: string
  tenant: string | undefined
  /** Who said so. */
  tenantFrom: string
  /** URL of the server that commands ask in place of a store. */
  server: string | undefined
  /** What the server lets this caller in by. */
  key: string | undefined
  pager: string | undefined
  /** The agents of the config file. */
  agents: ConfiguredAgents | undefined
}

export async function settingsOf(world: World, options: PlaceOptions): Promise<Settings> {
  await refuseEmpty(options)
  const { env, cwd } = world
  const found = await findConfig(cwd, options.config ?? (env.HOLDFAST_CONFIG || undefined))
  const config = found?.config ?? {}
  const [store, folder, storeFrom] = options.store
    ? [options.store, cwd, '--store']
    : env.HOLDFAST_STORE
      ? [env.HOLDFAST_STORE, cwd, 'HOLDFAST_STORE']
      : found && config.store
        ? [config.store, dirname(found.path), found.path]
        : [defaultStore(world), cwd, 'default']
  const [tenant, tenantFrom] = tenantOf(world, options, found)
  return {
    store: isPostgres(store) ? store : resolve(folder, store),
    storeFrom,
    tenant,
    tenantFrom,
    server: options.store === undefined ? serverOf(world, options, config) : undefined,
    key: env.HOLDFAST_KEY || undefined,
    pager: env.HOLDFAST_PAGER ?? config.pager ?? env.PAGER,
    agents: found?.agents,
  }
}

/** What a script gave for a variable that it forgot to set: never a way to say that the default is meant. */
async function refuseEmpty({ store, server, tenant, config }: PlaceOptions): Promise<void> {
  const [empty] = Object.entries({ store, server, tenant, config }).find(([, text]) => text === '') ?? []
  if (empty === undefined) return
  const { HoldfastError } = await import('@holdfast/protocol')
  throw new HoldfastError('invalid_input', `--${empty} is empty.\n  Leave it out where none is meant.`)
}

function tenantOf(
  { env }: World,
  options: PlaceOptions,
  found: FoundConfig | undefined,
): readonly [tenant: string | undefined, from: string] {
  if (options.tenant !== undefined) return [options.tenant, '--tenant']
  if (env.HOLDFAST_TENANT) return [env.HOLDFAST_TENANT, 'HOLDFAST_TENANT']
  return found?.config.tenant === undefined ? [undefined, 'default'] : [found.config.tenant, found.path]
}

/** A store that was named on the command line is meant. */
function serverOf({ env }: World, options: PlaceOptions, config: Config): string | undefined {
  return options.server ?? (env.HOLDFAST_SERVER || config.server)
}

export function isPostgres(store: string): boolean {
  return /^postgres(ql)?:\/\//.test(store)
}

/** Without its password. */
export function shownStore(store: string): string {
  return isPostgres(store) ? store.replace(/^(\w+:\/\/[^:@/]*):[^@]*@/, '$1@') : store
}
