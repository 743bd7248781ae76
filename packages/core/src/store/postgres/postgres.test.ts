import { it } from 'vitest'
import { runStoreConformance, type StoreFixture } from '../conformance/index.ts'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'

const fixture: StoreFixture = {
  name: 'postgres',
  async open({ clock }) {
    const place = new TemporaryPlace()
    const another = () => place.open(clock)
    return {
      store: await another(),
      another,
      reopen: another,
      corrupt: async (tenantId, sessionId, seq) => {
        await place.behind(corruption, [seq, tenantId, sessionId])
      },
      corruptWaypoint: async (tenantId, sessionId, seq) => {
        await place.behind(waypointCorruption, [seq, tenantId, sessionId])
      },
      schema: {
        makeOlder: () => place.drop(),
        makeNewer: () => place.behind('INSERT INTO @schema_version VALUES (999)').then(() => {}),
      },
      dispose: () => place.remove(),
    }
  },
}

const corruption = `
  UPDATE @events SET body = left(body, -2) || '!"' WHERE seq = $1 AND tenant = $2 AND session = $3`

const waypointCorruption = `
  UPDATE @waypoints SET head = left(head, -1) || '!' WHERE seq = $1 AND tenant = $2 AND session = $3`

describePostgres('the Postgres store', () => {
  runStoreConformance(fixture, { test: it })
})
