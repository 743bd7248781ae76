/** `holdfast usage`: what was spent, added up from the ledger. */
import type { RolledUp, RollUpOptions } from '@holdfast/core'
import { HoldfastError, isHoldfastError } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import type { Place, ReadSums } from '../place/place.ts'
import { sinceOption } from '../sessions/filters.ts'
import { resolveId, shownId } from '../sessions/resolve-id.ts'
import { sessionName } from '../sessions/session-name.ts'
import { plainLine } from '../terminal/plain.ts'
import { type UsageRow, usageCsv, usageLines } from '../usage/usage-lines.ts'
import { choice } from '../values.ts'

const groupings = {
  day: ['day'],
  model: ['providerId', 'model'],
  agent: ['agentId'],
  user: ['ownerUserId'],
  tree: ['rootSessionId'],
  session: ['sessionId'],
  purpose: ['purpose'],
} as const satisfies Record<string, NonNullable<RollUpOptions['by']>>

interface Options {
  by: keyof typeof groupings
  since?: string
  until?: string
  agent?: string
  user?: string
  model?: string
  session?: string
  tree?: string
  csv?: true
}

export const usageCommand = command<Options>({
  define(command) {
    command
      .addOption(choice('--by <what>', 'what to add up by', Object.keys(groupings)).default('day'))
      .option('--since <when>', 'from this time on: 7d, 2026-11-01 or an ISO time; UTC without a zone')
      .option('--until <when>', 'before this time')
      .option('--agent <id>', 'of this agent')
      .option('--user <id>', 'of sessions of this user')
      .option('--model <model>', 'of this model')
      .option('--session <id>', 'of this session')
      .option('--tree <id>', 'of the tree below this session')
      .option('--csv', 'as CSV; costs in micro-cents')
    examples(command, [
      ['holdfast usage --since 30d', 'day by day'],
      ['holdfast usage --by model', 'which model costs what'],
      ['holdfast usage --by tree --since 7d', 'the dearest pieces of work, with their sub-agents'],
      ['holdfast usage --by user --csv > bill.csv', 'for a spreadsheet'],
    ])
  },
  async run(context, _args, options) {
    const { output, world } = context
    if (options.csv && output.wantsData) throw new HoldfastError('invalid_input', 'choose --csv or --json.')
    const holdfast = await context.place()
    const asked = { by: groupings[options.by], ...(await boundsOf(holdfast, options, world.now())) }
    const groups = await allGroups(holdfast, asked)
    if (output.wantsData) {
      await output.data(groups)
      return undefined
    }
    const rows = await namedRows(holdfast, groups, { by: options.by, wholeIds: !output.isTerminal })
    if (options.csv) await output.lines(usageCsv(rows, options.by))
    else if (rows.length === 0) await output.aside('No call was recorded, or none passes these filters.')
    else await output.lines(usageLines(rows, { title: options.by, style: output.style, width: output.width }))
    return undefined
  },
})

async function boundsOf(
  holdfast: Place,
  { since, until, agent, user, model, session, tree }: Options,
  nowMs: number,
): Promise<Pick<ReadSums, 'from' | 'until' | 'where'>> {
  const where = {
    ...(agent !== undefined && { agentId: agent }),
    ...(user !== undefined && { ownerUserId: user }),
    ...(model !== undefined && { model }),
    ...(session !== undefined && { sessionId: await resolveId(holdfast, session) }),
    ...(tree !== undefined && { rootSessionId: await resolveId(holdfast, tree) }),
  }
  return {
    where,
    ...(since !== undefined && { from: second(sinceOption(since, nowMs)) }),
    ...(until !== undefined && { until: second(sinceOption(until, nowMs, '--until')) }),
  }
}

/** The ledger is asked in whole seconds. */
function second(time: string): string {
  return `${time.slice(0, 19)}Z`
}

async function allGroups(holdfast: Place, asked: ReadSums): Promise<RolledUp[]> {
  const groups: RolledUp[] = []
  let after: string | undefined
  do {
    const page = await holdfast.usage.rollUp({
      ...asked,
      limit: 1_000,
      ...(after !== undefined && { after }),
    })
    groups.push(...page.groups)
    after = page.next
  } while (after !== undefined)
  return groups
}

interface Naming {
  by: Options['by']
  wholeIds: boolean
}

/** Days in their order, anything else the dearest first. */
async function namedRows(holdfast: Place, groups: RolledUp[], naming: Naming): Promise<UsageRow[]> {
  const sorted = naming.by === 'day' ? groups : groups.toSorted(dearestFirst)
  const rows: UsageRow[] = []
  for (const group of sorted) rows.push({ name: await nameOf(holdfast, group, naming), group })
  return rows
}

function dearestFirst(a: RolledUp, b: RolledUp): number {
  return b.costMicrocents - a.costMicrocents || b.promptTokens - a.promptTokens
}

async function nameOf(holdfast: Place, { key }: RolledUp, { by, wholeIds }: Naming): Promise<string> {
  const values = groupings[by].map((column) => key[column]).filter((value) => value !== undefined)
  if (values.length === 0) return '(none)'
  const name = plainLine(values.join('/'))
  const id = key.rootSessionId ?? key.sessionId
  return id === undefined ? name : titled(holdfast, id, wholeIds)
}

/** The ledger outlives the sessions that it is about. */
async function titled(holdfast: Place, id: string, wholeIds: boolean): Promise<string> {
  const shown = shownId(id, wholeIds)
  try {
    const session = await holdfast.sessions.get(id)
    return `${shown}  ${session ? await sessionName(holdfast, session) : '(deleted)'}`
  } catch (error) {
    if (isHoldfastError(error, 'store_corrupt')) return `${shown}  (damaged)`
    throw error
  }
}
