import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import { TemporaryPlace } from './testing/place.ts'
import { Pooler } from './testing/pooler.ts'
import { describePostgres, freshSchema } from './testing/server.ts'

const tenant = tenantId('t')
const session = { tenantId: tenant, sessionId: 's' }

describePostgres('behind a pooler that keeps no prepared statements', () => {
  let pooler: Pooler
  let place: TemporaryPlace

  beforeEach(async () => {
    const { url } = freshSchema()
    pooler = await Pooler.open(url, { isPlain: true })
    place = new TemporaryPlace({ url: pooler.urlOf(url) })
  })
  afterEach(async () => {
    await place.remove()
    await pooler.close()
  })

  it('a store that keeps none works', async () => {
    const store = await place.open(() => 1_000, { keepStatements: false })
    await store.commit([commitOf({ ...session, baseSeq: 0, create: true })])
    for (let baseSeq = 1; baseSeq < 20; baseSeq += 1) {
      const [outcome] = await store.commit([commitOf({ ...session, baseSeq })])
      expect(outcome?.status).toBe('committed')
    }
    expect((await store.readHead(tenant, 's'))?.seq).toBe(20)
  })

  it('a store that relies on them says so', async () => {
    const opening = place
      .open(() => 1_000)
      .then(async (store) => {
        for (let tries = 0; tries < 8; tries += 1) await store.readHead(tenant, 's')
      })
    await expect(opening).rejects.toMatchObject({
      code: 'store_unsupported',
      message: expect.stringContaining('keepStatements: false'),
    })
  })
})
