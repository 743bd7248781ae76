/** Whether every total of the ledger is the sum of its rows, added up here in the plainest way. */
import type { Holdfast, Store } from '@holdfast/core'
import { nothing, plus, type Sums } from './bill.ts'
import type { Step } from './spending.ts'

type Row = Awaited<ReturnType<Store['listUsage']>>['rows'][number]
type Figures = Pick<
  Awaited<ReturnType<Store['sumUsage']>>,
  'rows' | 'promptTokens' | 'completionTokens' | 'costMicrocents' | 'costUnknown'
>

const groupings = ['sessionId', 'rootSessionId', 'ownerUserId', 'agentId', 'model', 'purpose', 'day'] as const

export async function balance(
  store: Store,
  holdfast: Holdfast,
  step: Step,
): Promise<{ totals: Sums; wrong: string[] }> {
  const wrong: string[] = []
  const rows = await rowsOf(store, holdfast)
  const equal = (what: string, told: Sums, chosen: readonly Row[]) => {
    const sum = added(chosen)
    if (`${told}` !== `${sum}`) wrong.push(`${holdfast.tenantId} ${what}: told ${told}, the rows give ${sum}`)
  }
  const totals = figuresOf(await holdfast.usage.totals())
  equal('tenant', totals, rows)
  if ('session' in step) {
    const { session: id } = step
    const own = rows.filter(({ sessionId }) => sessionId === id)
    equal(`session ${id}`, figuresOf(await holdfast.usage.totals({ sessionId: id })), own)
    const root = own[0]?.rootSessionId ?? id
    const tree = rows.filter(({ rootSessionId }) => rootSessionId === root)
    equal(`tree ${root}`, figuresOf(await holdfast.usage.totals({ rootSessionId: root })), tree)
    const counters = (await holdfast.sessions.get(id))?.counters
    if (counters) equal(`head of ${id}`, figuresOf({ ...counters, rows: own.length }), own)
    // One grouping after the other, for each costs a walk.
    const by = groupings[rows.length % groupings.length] ?? 'day'
    const { groups } = await holdfast.usage.rollUp({ by: [by], limit: 1_000 })
    for (const { key, ...figures } of groups)
      equal(
        `${by} ${key[by]}`,
        figuresOf(figures),
        rows.filter((row) => valueIn(row, by) === key[by]),
      )
    equal(`all of ${by}`, groups.map(figuresOf).reduce(plus, nothing), rows)
  }
  return { totals, wrong }
}

/** All rows of a tenant, those of deleted sessions too. */
export async function rowsOf(store: Store, { tenantId }: Holdfast): Promise<Row[]> {
  const rows: Row[] = []
  let after: Parameters<Store['listUsage']>[1]['after']
  do {
    const walk = { filter: {}, limit: 1_000, ...(after && { after }) }
    const stretch = await store.listUsage(tenantId, walk)
    rows.push(...stretch.rows)
    after = stretch.next
  } while (after)
  return rows
}

export function figuresOf({
  rows,
  promptTokens,
  completionTokens,
  costMicrocents,
  costUnknown,
}: Figures): Sums {
  return [rows, promptTokens, completionTokens, costMicrocents, costUnknown]
}

function added(rows: readonly Row[]): Sums {
  return rows
    .map((row): Sums => {
      const { promptTokens, completionTokens, costMicrocents } = row
      return [1, promptTokens, completionTokens, costMicrocents ?? 0, costMicrocents === undefined ? 1 : 0]
    })
    .reduce(plus, nothing)
}

function valueIn(row: Row, by: (typeof groupings)[number]): string | undefined {
  return by === 'day' ? row.at.slice(0, 10) : row[by]
}
