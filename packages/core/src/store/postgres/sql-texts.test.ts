import { tenantId } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { hostileIds } from '../conformance/hostile.ts'
import { everyOperation } from './testing/every-operation.ts'
import { TemporaryPlace } from './testing/place.ts'
import { rewriting } from './testing/rewriting.ts'
import { describePostgres } from './testing/server.ts'

describePostgres('the SQL that runs', () => {
  it('is the same whatever the ids, words and sizes are', async () => {
    const place = new TemporaryPlace()
    await (await place.open(undefined)).close()
    const plain = await textsFor(place, ['plain'])
    expect(plain.size).toBeGreaterThan(100)
    const hostile = await textsFor(place, hostileIds)
    expect(hostile.size).toBeGreaterThan(100)
    expect([...hostile].filter((text) => !plain.has(text))).toEqual([])
    await place.remove()
  })
})

/** Every text that a new connection is handed while each of the ids stands in every place that takes a name. */
async function textsFor(place: TemporaryPlace, ids: readonly string[]): Promise<Set<string>> {
  const texts = new Set<string>()
  const driver = rewriting((sql) => {
    texts.add(sql)
    return sql
  })
  const store = await place.open(() => 1_000, { driver, connections: 1 })
  for (const [n, id] of ids.entries()) await everyOperation(store, tenantId(`of-${ids.length}-${n}`), id)
  await store.resetIndex()
  await store.scrub()
  await store.close()
  return texts
}
