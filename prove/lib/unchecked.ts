/** The planted bug: a store that gives an event as it lies there, whatever its checksum says. */
import { DatabaseSync } from 'node:sqlite'
import type { Store } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'

type ReadEvents = Store['readEvents']

const SELECT_ALL = `
  SELECT events.seq, v, type, at, commit_id AS commitId, coalesce(events.body, bodies.body) AS body
  FROM events JOIN sessions USING (session) JOIN tenants USING (tenant)
    LEFT JOIN bodies ON bodies.session = events.session AND bodies.hash = events.aside
  WHERE tenants.id = ? AND sessions.id = ? ORDER BY events.seq`

export function unchecked(store: Store, file: string): Store {
  const readEvents = store.readEvents.bind(store)
  store.readEvents = (...asked) => readEvents(...asked).catch((error) => asTheyLie(error, file, asked))
  return store
}

function asTheyLie(error: unknown, file: string, [tenant, session, range]: Parameters<ReadEvents>) {
  if (!isHoldfastError(error, 'store_corrupt')) throw error
  using db = new DatabaseSync(file)
  const { after = 0, through = Number.MAX_SAFE_INTEGER, direction, limit } = range
  const rows = db.prepare(SELECT_ALL).all(tenant, session) as unknown as Awaited<ReturnType<ReadEvents>>
  const found = rows.filter(({ seq }) => after < seq && seq <= through)
  return (direction === 'forward' ? found : found.toReversed()).slice(0, limit)
}
