/** `holdfast migrate`: brings the store to the newest schema. Every command does so when it opens one; this does nothing else. */
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import { isPostgres, shownStore } from '../place/settings.ts'
import { choice } from '../values.ts'

interface Options {
  distributed?: 'citus'
}

export const migrateCommand = command<Options>({
  define(command) {
    command.addOption(
      choice('--distributed <engine>', 'tables of a Postgres distributed by their tenant', ['citus']),
    )
    examples(command, [
      ['holdfast migrate', 'before a new version goes to work on a large store'],
      ['holdfast migrate --store postgres://owner@coordinator/agents --distributed citus', 'once'],
    ])
  },
  async run(context, _args, { distributed }) {
    const { output } = context
    const { store } = await context.storeSettings()
    if (distributed !== undefined && !isPostgres(store))
      throw new HoldfastError('invalid_input', '--distributed is for a postgres:// store.')
    const copies = new Set(copiesOf(store))
    const { schemaVersion, engine, engineVersion } = (
      await context.open(distributed && { distributed })
    ).info()
    const copy = copiesOf(store).find((path) => !copies.has(path))
    const data = { store: shownStore(store), engine, engineVersion, schemaVersion, ...(copy && { copy }) }
    if (output.wantsData) await output.one(data)
    else {
      await output.lines([`${data.store} has schema version ${schemaVersion} (${engine} ${engineVersion}).`])
      if (copy) await output.lines([`As it was before: ${copy}`])
    }
    return undefined
  },
})

/** The copies that migrations made of a file. */
function copiesOf(store: string): string[] {
  if (isPostgres(store)) return []
  const start = `${basename(store)}.backup-v`
  try {
    return readdirSync(dirname(store))
      .filter((name) => name.startsWith(start))
      .map((name) => join(dirname(store), name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
