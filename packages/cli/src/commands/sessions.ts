/** `holdfast sessions`: a page of the list, or of its trees. */
import type { SessionFilters, SessionSummary, SessionTree } from '@holdfast/core'
import { command, examples } from '../command.ts'
import type { Place } from '../place/place.ts'
import { addFilters, type FilterOptions, filtersOf } from '../sessions/filters.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { sessionName } from '../sessions/session-name.ts'
import { type SessionRow, sessionTable } from '../sessions/session-table.ts'
import { positiveNumber } from '../values.ts'

interface Options extends FilterOptions {
  limit: number
  after?: string
  all?: true
  tree?: true
}

export const sessionsCommand = command<Options>({
  define(command) {
    command
      .option('-n, --limit <count>', 'so many at most', positiveNumber, 25)
      .option('--after <cursor>', 'the page after this one')
      .option('--all', 'every page')
      .option('--tree', 'roots with the children below them')
    addFilters(command)
    examples(command, [
      ['holdfast sessions', 'the last 25'],
      ['holdfast sessions --tree --since 7d', "a week's work, sub-agents below their parents"],
      ['holdfast sessions --status running,unknown', 'what is at work, or was when its process died'],
      ['holdfast sessions --all --jsonl | jq .title', 'everything, for a program'],
    ])
  },
  async run(context, _args, options) {
    const { output, world } = context
    const holdfast = await context.place()
    const filters = await filtersOf(options, world.now(), (id) => resolveId(holdfast, id))
    const listed = options.tree ? { ...filters, lineage: 'root' as const } : filters
    const pages = new Pages(holdfast, listed, options)
    if (output.wantsData) {
      await output.data(options.tree ? trees(holdfast, pages) : pages.sessions(), () => pages.next)
      return undefined
    }
    const rows: SessionRow[] = []
    for await (const session of pages.sessions()) rows.push(...(await rowsOf(holdfast, session, options)))
    if (rows.length === 0) {
      await output.aside(Object.keys(filters).length > 0 ? 'No session passes these filters.' : emptyStore)
      return undefined
    }
    await output.lines(sessionTable(rows, { style: output.style, width: output.width, nowMs: world.now() }))
    if (pages.next !== undefined) await output.aside('', `More: --after ${pages.next}, or --limit, or --all`)
    if (pages.damaged > 0) await output.aside(`${pages.damaged} more cannot be read: holdfast doctor`)
    return undefined
  },
})

const emptyStore = 'No sessions yet. Bring some in: holdfast import ~/.claude/projects'

/** Reads on until there are as many as were asked for: a short page may have more behind it. */
class Pages {
  next: string | undefined
  damaged = 0
  readonly #holdfast: Place
  readonly #filters: SessionFilters
  readonly #options: Options

  constructor(holdfast: Place, filters: Pages['filters'], options: Options) {
    this.#holdfast = holdfast
    this.#filters = filters
    this.#options = options
    this.next = options.after
  }

  get filters(): SessionFilters {
    return this.#filters
  }

  async *sessions(): AsyncGenerator<SessionSummary> {
    let left = this.#options.all ? Number.POSITIVE_INFINITY : this.#options.limit
    do {
      const after = this.next === undefined ? {} : { after: this.next }
      const page = await this.#holdfast.sessions.list(this.#filters, {
        limit: Math.min(left, 1_000),
        ...after,
      })
      this.next = page.next
      this.damaged += page.damaged?.length ?? 0
      left -= page.sessions.length
      yield* page.sessions
    } while (this.next !== undefined && left > 0)
  }
}

async function* trees(holdfast: Place, pages: Pages): AsyncGenerator<SessionTree> {
  for await (const { id } of pages.sessions()) yield holdfast.sessions.tree(id)
}

async function rowsOf(holdfast: Place, session: SessionSummary, options: Options): Promise<SessionRow[]> {
  if (!options.tree) return [{ session, name: await sessionName(holdfast, session), depth: 0 }]
  return treeRows(holdfast, await holdfast.sessions.tree(session.id), 0)
}

async function treeRows(
  holdfast: Place,
  { session, children }: SessionTree,
  depth: number,
): Promise<SessionRow[]> {
  const rows = [{ session, name: await sessionName(holdfast, session), depth }]
  for (const child of children) rows.push(...(await treeRows(holdfast, child, depth + 1)))
  return rows
}
