/** `holdfast prune`: deletes by age and number, whole trees at a time. */
import type { PruneOptions } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import type { Place, PrunedHere } from '../place/place.ts'
import { addFilters, type FilterOptions, filtersOf } from '../sessions/filters.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { sessionName } from '../sessions/session-name.ts'
import { confirmed } from '../terminal/confirm.ts'
import { count } from '../terminal/figures.ts'
import { age, wholeNumber } from '../values.ts'

interface Options extends FilterOptions {
  olderThan?: number
  keep?: number
  dryRun?: true
  scrub?: true
  yes?: true
}

interface PrunedAll {
  sessionIds: string[]
  events: number
  kept: PrunedHere['kept'][number][]
  damaged: string[]
  dryRun: boolean
  finalAt?: string
}

export const pruneCommand = command<Options>({
  define(command) {
    command
      .option('--older-than <age>', 'sessions unchanged for so long: 30d, 12w', age)
      .option('--keep <count>', 'all but so many of the last changed', wholeNumber)
      .option('--dry-run', 'say what would go, and delete nothing')
      .option('--scrub', 'overwrite the freed space at once; costs the size of the store')
      .option('-y, --yes', 'do not ask')
    addFilters(command)
    examples(command, [
      ['holdfast prune --older-than 90d --dry-run', 'what would go'],
      ['holdfast prune --older-than 90d --yes', 'from a scheduled task'],
      ['holdfast prune --keep 1000 --agent claude-code', 'the last thousand of one agent stay'],
      ['holdfast prune --scrub --yes', 'deletes nothing more; makes earlier deletions final'],
    ])
  },
  async run(context, _args, options) {
    const { output, world } = context
    const { olderThan, keep, scrub = false, yes = false } = options
    const isScrubOnly = olderThan === undefined && keep === undefined
    if (isScrubOnly && !scrub) throw new HoldfastError('invalid_input', 'say --older-than, --keep, or both.')
    const holdfast = await context.place()
    const filter = await filtersOf(options, world.now(), (id) => resolveId(holdfast, id))
    const asked: PruneOptions = {
      filter,
      ...(olderThan !== undefined && { olderThanMs: olderThan }),
      ...(keep !== undefined && { keepNewest: keep }),
    }
    const due = isScrubOnly ? nothing(true) : await pruneAll(holdfast, { ...asked, dryRun: true })
    if (options.dryRun) {
      await tell(due)
      return undefined
    }
    if (
      due.sessionIds.length > 0 &&
      !(await confirmed(context, `Delete ${count(due.sessionIds.length, 'session')}?`, yes))
    )
      return 'refused'
    const pruned = isScrubOnly ? nothing(false) : await pruneAll(holdfast, asked)
    await tell({ ...pruned, ...(scrub && (await holdfast.scrub())) })
    return undefined

    async function tell(all: PrunedAll): Promise<void> {
      if (output.wantsData) await output.one(all)
      else await output.lines(prunedLines(all, all.dryRun ? await namesOf(holdfast, all.sessionIds) : []))
    }
  },
})

function nothing(dryRun: boolean): PrunedAll {
  return { sessionIds: [], events: 0, kept: [], damaged: [], dryRun }
}

async function pruneAll(holdfast: Place, options: PruneOptions): Promise<PrunedAll> {
  const all = nothing(options.dryRun ?? false)
  let after: string | undefined
  do {
    const page = await holdfast.prune({ ...options, ...(after !== undefined && { after }) })
    all.sessionIds.push(...page.sessionIds)
    all.kept.push(...page.kept)
    all.damaged.push(...(page.damaged ?? []))
    all.events += page.events
    after = page.next
  } while (after !== undefined)
  return all
}

const namesShown = 20

async function namesOf(holdfast: Place, ids: readonly string[]): Promise<string[]> {
  const names: string[] = []
  for (const id of ids.slice(0, namesShown)) {
    const session = await holdfast.sessions.get(id)
    if (session) names.push(`  ${id}  ${await sessionName(holdfast, session)}`)
  }
  const more = ids.length - namesShown
  return more > 0 ? [...names, `  and ${more} more`] : names
}

export function prunedLines(all: PrunedAll, names: readonly string[]): string[] {
  const { sessionIds, kept, damaged, dryRun, events, finalAt } = all
  const what = count(sessionIds.length, 'session')
  const spared = Map.groupBy(kept, ({ reason }) => reason)
  return [
    dryRun ? `Would delete ${what}.` : `Deleted ${what}, ${count(events, 'event')}.`,
    ...names,
    ...[...spared].map(([reason, sessions]) => `Spared ${sessions.length}: ${reason}.`),
    ...(damaged.length > 0 ? [`Left ${damaged.length} that cannot be read: holdfast doctor`] : []),
    ...(finalAt === undefined ? [] : [`Final since ${finalAt}.`]),
  ]
}
