/** `holdfast copy`: everything of one store into another, of the same or the other kind. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CopySummary, copyStore, type Store } from '@holdfast/core'
import { DEFAULT_TENANT, HoldfastError } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import type { Context, Ended } from '../context.ts'
import { copiedLines, copyLine } from '../copy/copy-lines.ts'
import { everyTenant } from '../copy/tenants.ts'
import { storeOf } from '../place/open-store.ts'
import { pepperFile } from '../place/pepper.ts'
import { isPostgres, shownStore } from '../place/settings.ts'
import { ProgressBar } from '../terminal/progress.ts'

interface Options {
  from: string
  to: string
  everyTenant?: true
  skipEqual?: true
}

export const copyCommand = command<Options>({
  define(command) {
    command
      .requiredOption('--from <store>', 'SQLite file, or postgres:// URL')
      .requiredOption('--to <store>', 'the same; a file that is not there is made')
      .option('--every-tenant', 'the whole store with keys of servers, not only the sessions of this tenant')
      .option('--skip-equal', 'do not read again what has the same head on both sides')
    examples(command, [
      ['holdfast copy --from sessions.db --to postgres://app@host/agents --every-tenant', 'out of one file'],
      ['holdfast copy --from … --to … --every-tenant', 'again: what was written since, and all compared'],
      [
        'holdfast copy --from … --to … --every-tenant --skip-equal',
        'the last one, when nobody writes any more',
      ],
      ['holdfast copy --from postgres://app@host/agents --to laptop.db --tenant team', 'and back'],
    ])
  },
  async run(context, _args, options) {
    const { output, world } = context
    const [from, to] = [placeOf(options.from, world.cwd), placeOf(options.to, world.cwd)]
    if (from === to) throw new HoldfastError('invalid_input', '--from and --to name the same store.')
    const source = await opened(context, from, false)
    const target = await opened(context, to, true)
    const { tenant = DEFAULT_TENANT } = await context.settings()
    const tenants = options.everyTenant ? await everyTenant(source) : [tenant]
    const startMs = world.now()
    const summary = await copy(context, source, target, { tenants, skipEqual: options.skipEqual ?? false })
    if (output.wantsData) await output.one({ from: shownStore(from), to: shownStore(to), ...summary })
    else await output.lines(copiedLines(summary, { elapsedMs: world.now() - startMs, style: output.style }))
    if (!isPostgres(from) && existsSync(pepperFile(from)))
      await output.aside(
        `Keys are known there with the same secret: HOLDFAST_PEPPER_FILE=${pepperFile(from)}`,
      )
    return endingOf(summary)
  },
})

/** `sqlite:` may stand before a path. */
function placeOf(text: string, cwd: string): string {
  return isPostgres(text) ? text : resolve(cwd, text.replace(/^sqlite:(\/\/)?/, ''))
}

async function opened(context: Context, store: string, create: boolean): Promise<Store> {
  const named = { store, storeFrom: create ? '--to' : '--from' }
  const factory = await storeOf(named, { create })
  const open = await factory.open({})
  context.closeLater(() => open.close())
  return open
}

async function copy(
  context: Context,
  source: Store,
  target: Store,
  terms: { tenants: string[]; skipEqual: boolean },
): Promise<CopySummary> {
  const { world, output } = context
  const bar = new ProgressBar(world.stderr, output.style, world.now, copyLine)
  let drawing: Promise<void> = Promise.resolve()
  try {
    return await copyStore(source, target, {
      ...terms,
      signal: context.interruption(),
      onProgress: (progress) => {
        drawing = drawing.then(() => bar.show(progress))
      },
    })
  } finally {
    await drawing
    await bar.clear()
  }
}

function endingOf({ stopped, failed }: CopySummary): Ended {
  if (stopped) return 'interrupted'
  return failed.length > 0 ? 'findings' : undefined
}
