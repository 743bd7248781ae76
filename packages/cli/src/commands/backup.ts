/** `holdfast backup`: one file that holds the store as it is at one moment, while others go on writing. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import { isPostgres } from '../place/settings.ts'
import { bytes } from '../terminal/figures.ts'

export const backupCommand = command({
  define(command) {
    examples(command, [
      ['holdfast backup /mnt/copy.db', 'the copy has its name once it is whole and on disk'],
      ['holdfast sessions --store /mnt/copy.db', 'it is a store like any other'],
    ])
  },
  async run(context, [file = '']) {
    const { output, world } = context
    const { store } = await context.storeSettings()
    if (isPostgres(store)) {
      const message = 'backup copies SQLite stores; a Postgres is backed up with pg_dump or its archive.'
      throw new HoldfastError('invalid_input', message)
    }
    await context.open()
    const { backUpSqlite } = await import('@holdfast/core/sqlite')
    const target = resolve(world.cwd, file)
    await backUpSqlite(store, target)
    const { size } = statSync(target)
    if (output.wantsData) await output.one({ path: target, bytes: size })
    else await output.lines([`${target} (${bytes(size)})`])
    return undefined
  },
})
