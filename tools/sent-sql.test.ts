import { tenantId } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { everyOperation } from '../packages/core/src/store/postgres/testing/every-operation.ts'
import { TemporaryPlace } from '../packages/core/src/store/postgres/testing/place.ts'
import { rewriting } from '../packages/core/src/store/postgres/testing/rewriting.ts'
import { describePostgres } from '../packages/core/src/store/postgres/testing/server.ts'
import { troublesOf } from './layers/distributed-sql.ts'

describePostgres('the SQL that is sent, put together and with its tables named', () => {
  it('is what a distributed Postgres runs as well', async () => {
    const place = new TemporaryPlace()
    await (await place.open(undefined)).close()
    const texts = new Set<string>()
    const driver = rewriting((sql) => {
      texts.add(sql)
      return sql
    })
    const store = await place.open(() => 1_000, { driver })
    await everyOperation(store, tenantId('t'), 'id')
    await store.resetIndex()
    await store.close()
    await place.remove()
    const named = [...texts].map((text) =>
      text.replaceAll(`"${place.schema}".`, '@').replace(/@"(\w+)"/g, '@$1'),
    )
    expect(named.filter((text) => /@usage\b/.test(text)).length).toBeGreaterThan(10)
    const troubles = named.flatMap((text) => troublesOf(text).map((trouble) => `${trouble}: ${text}`))
    expect(troubles).toEqual([])
  })
})
