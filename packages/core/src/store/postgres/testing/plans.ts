/** How Postgres runs a statement of the store: the plan that serves every value, under the store's own settings. */
import { settingsStep, settingsStepForKey } from '../settings.ts'
import type { Ask } from './place.ts'

/** One table that a plan looks into. */
export interface Scan {
  kind: string
  table: string
  index: string
  condition: string
  /** It ends after some rows, however many there are. */
  isLimited: boolean
}

interface Node {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  Plans?: Node[]
}

/** Settings as at the start of every transaction of the store. */
export async function settle(
  ask: Ask,
  role: string,
  tenant: string,
  bitmapScan: 'on' | 'off',
): Promise<void> {
  const { sql, values } = settingsStep({ role, synchronousCommit: 'on' }, tenant, bitmapScan)
  await ask(sql, [...values])
}

/** The same at the start of one whose statements each find one row by its key. */
export async function settleForKey(ask: Ask, role: string, tenant: string): Promise<void> {
  const { sql, values } = settingsStepForKey({ role, synchronousCommit: 'on' }, tenant)
  await ask(sql, [...values])
}

export async function scansOf(ask: Ask, sql: string): Promise<Scan[]> {
  const values = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)))
  await ask(`PREPARE probe AS ${sql}`)
  const nulls = values === 0 ? '' : `(${Array(values).fill('NULL').join(', ')})`
  const [row] = await ask(`EXPLAIN (FORMAT JSON) EXECUTE probe${nulls}`)
  await ask('DEALLOCATE probe')
  const plans = row?.['QUERY PLAN'] as { Plan: Node }[]
  return plans.flatMap(({ Plan }) => scansBelow(Plan, false))
}

function scansBelow(node: Node, isLimited: boolean): Scan[] {
  const isSorted = ['Sort', 'Aggregate', 'WindowAgg'].includes(node['Node Type'])
  const within = node['Node Type'] === 'Limit' || (isLimited && !isSorted)
  return [...scanAt(node, within), ...(node.Plans ?? []).flatMap((below) => scansBelow(below, within))]
}

/** The parts of a bitmap scan stand below it. */
function scanAt(node: Node, isLimited: boolean): Scan[] {
  const kind = node['Node Type']
  const table = node['Relation Name']
  if (table === undefined || kind === 'ModifyTable') return []
  const [below] = node.Plans ?? []
  const source = kind === 'Bitmap Heap Scan' && below ? below : node
  return [
    { kind, table, index: source['Index Name'] ?? '', condition: source['Index Cond'] ?? '', isLimited },
  ]
}
