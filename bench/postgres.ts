/**
 * The Postgres store beside hand-written statements on the same server, where every commit is synced.
 *
 * `HOLDFAST_BENCH_ROUNDS`: of each contender. `--sessions n`: how many the list is a page of. `--turns n`: of which the
 * bloat is looked at.
 */
import { parseArgs } from 'node:util'
import { bloat } from './postgres/bloat.ts'
import { byHandTables } from './postgres/by-hand.ts'
import { manyCallers } from './postgres/callers.ts'
import { list } from './postgres/list.ts'
import { oneCaller } from './postgres/one-caller.ts'
import { openServer, type Place, type Server } from './postgres/place.ts'
import { tail } from './postgres/tail.ts'

export async function postgres(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      sessions: { type: 'string', default: '10000' },
      turns: { type: 'string', default: '10240' },
    },
  })
  const server = await openServer()
  try {
    await inPlace(server, async (place) => oneCaller(place, await byHandTables(place)))
    await inPlace(server, async (place) => manyCallers(place, await byHandTables(place)))
    await inPlace(server, async (place) => tail(place, await byHandTables(place)))
    await inPlace(server, async (place) => list(place, await byHandTables(place), Number(values.sessions)))
    await inPlace(server, (place) => bloat(place, Number(values.turns)))
  } finally {
    await server.remove()
  }
}

/** Each measurement has tables of its own: what one leaves behind is not in the way of the next. */
async function inPlace(server: Server, measure: (place: Place) => Promise<void>): Promise<void> {
  const place = await server.place()
  try {
    await measure(place)
  } finally {
    await place.drop()
  }
}
