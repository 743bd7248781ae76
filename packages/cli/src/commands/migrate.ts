/** `holdfast migrate`: brings the store to the newest schema. Every command does so when it opens one; this does nothing else. */
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { command, examples } from '../command.ts'
import { isPostgres, shownStore } from '../place/settings.ts'

export const migrateCommand = command({
  define(command) {
    examples(command, [['holdfast migrate', 'before a new version goes to work on a large store']])
  },
  async run(context) {
    const { output } = context
    const { store } = await context.storeSettings()
    const copies = new Set(copiesOf(store))
    const { schemaVersion, engine, engineVersion } = (await context.open()).info()
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
