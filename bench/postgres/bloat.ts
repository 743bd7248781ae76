/** What steady appending leaves behind: in the tables whose rows commits replace, and on the disk for each byte of text. */
import { openHoldfast } from '@holdfast/core'
import { repeat } from '../lib/measure.ts'
import { table } from '../lib/table.ts'
import { turn } from '../lib/text.ts'
import type { Place } from './place.ts'

const callers = 64

/** In bytes, but for the counts of rows. */
const SELECT_TABLES = `
  SELECT relname, n_live_tup AS live, n_dead_tup AS dead, n_tup_upd AS updates, n_tup_hot_upd AS hot,
    pg_table_size(relid) AS room, pg_indexes_size(relid) AS indices
  FROM pg_stat_user_tables WHERE schemaname = $1 ORDER BY relname`

interface Table {
  live: number
  dead: number
  updates: number
  hot: number
  room: number
  indices: number
}

/** In a place that has nothing else in it. Each caller goes from one of its sessions to the next. */
export async function bloat(place: Place, turns: number, sessionCount: number): Promise<void> {
  const store = await place.open()
  const holdfast = await openHoldfast({ store })
  const each = Array.from({ length: sessionCount })
  const sessions = await Promise.all(each.map(() => holdfast.sessions.create({ agentId: 'bench' })))
  const lanes = Array.from({ length: callers }, (_, lane) => sessions.filter((_, n) => n % callers === lane))
  const append = (lane: typeof sessions) =>
    repeat(Math.round(turns / callers), async (n) => lane[n % lane.length]?.append(turn(n)))
  await Promise.all(lanes.map(append))
  await holdfast.close()
  // A connection tells what it counted when it ends.
  await store.close()
  const found = await tables(place)
  const written = await rewritten(place)
  const rows = [...found].flatMap(([name, { live, dead, updates, hot, room, indices }]) => {
    if (live + dead === 0) return []
    const inPlace = `${Math.round((hot / Math.max(updates, 1)) * 100)} %`
    const anew = written.get(name) as Table
    const growth = ((room + indices) / (anew.room + anew.indices)).toFixed(2)
    return [[name, kiB(room), kiB(indices), ...[live, dead, updates].map(String), inPlace, growth]]
  })
  const header = ['', 'table', 'indices', 'live rows', 'dead rows', 'updates', 'inside their page', 'to anew']
  console.log(
    `\n${turns.toLocaleString('en')} turns in ${sessionCount.toLocaleString('en')} sessions; the last column: to the size when all is written anew\n\n${table(header, rows)}`,
  )
  const text =
    turns *
    turn(0)
      .flatMap(({ parts }) => parts)
      .reduce((sum, part) => sum + part.text.length, 0)
  const { room, indices } = found.get('events') as Table
  const all = [...found.values()].reduce((sum, one) => sum + one.room + one.indices, 0)
  const share = (bytes: number) => (bytes / text).toFixed(2)
  console.log(
    `\nbytes per byte of text: events ${share(room)}, with their index ${share(room + indices)}, all ${share(all)}`,
  )
}

/** The same tables without what updates have left behind. */
async function rewritten(place: Place): Promise<Map<string, Table>> {
  for (const { relname } of await place.ask(SELECT_TABLES, [place.schema]))
    await place.ask(`VACUUM FULL "${place.schema}"."${relname}"`)
  return tables(place)
}

async function tables({ ask, schema }: Place): Promise<Map<string, Table>> {
  const rows = await ask(SELECT_TABLES, [schema])
  return new Map(rows.map(({ relname, ...columns }) => [relname as string, numbersIn(columns)]))
}

/** `pg` gives a count of 64 bits as text. */
function numbersIn(columns: Record<string, string>): Table {
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [name, Number(value)]),
  ) as unknown as Table
}

function kiB(bytes: number): string {
  return `${Math.round(bytes / 1024).toLocaleString('en')} KiB`
}
