import { setTimeout as sleep } from 'node:timers/promises'
import { tenantId } from '@holdfast/protocol'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { Connections } from './connection.ts'
import { plain } from './plain.ts'
import { longestAbsenceMs } from './settings.ts'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'
import { Transactions } from './transactions.ts'

const tenant = tenantId('t')

describePostgres('a process that stands still inside a transaction', () => {
  let place: TemporaryPlace
  let store: Store
  let theirs: Transactions

  beforeAll(async () => {
    place = new TemporaryPlace()
    store = await place.open(undefined)
    await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 0, create: true })])
    const { url, schema } = place
    const terms = { connections: 1, deadlineMs: undefined, keepsStatements: true }
    const connections = new Connections({ driver: pg, url, schema, ...terms })
    const settings = { role: 'holdfast_app', synchronousCommit: 'on' }
    theirs = new Transactions(connections, settings, plain.sending)
  })
  afterAll(async () => {
    await theirs.close()
    await place.remove()
  })

  it('lets go of the rows that it locked, and cannot say what came of its own write', async () => {
    const stopped = theirs.transact(tenant, async (tx) => {
      await tx.all('SELECT 1 FROM @sessions WHERE tenant = $1 FOR UPDATE', tenant)
      await sleep(longestAbsenceMs + 1_000)
    })
    const refused = expect(stopped).rejects.toMatchObject({ code: 'commit_unknown' })
    await sleep(200)
    const commit = commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 1 })
    expect(await store.commit([commit])).toMatchObject([{ status: 'committed' }])
    await refused
    expect(await theirs.read(tenant, 'SELECT 1')).toEqual([['1']])
  })
})
