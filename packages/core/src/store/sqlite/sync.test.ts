import { tenantId } from '@holdfast/protocol'
import { expect, it, onTestFinished } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import { memory } from '../memory/index.ts'
import { type SqliteOptions, sqlite } from './index.ts'
import { TemporaryPlace } from './temporary.ts'

const writers: readonly (readonly [string, SqliteOptions])[] = [
  ['on the caller’s thread', {}],
  ['on a thread of its own', { writer: 'thread' }],
]

it.each(writers)('the end of each transaction is told with its time, %s', async (_name, options) => {
  const place = new TemporaryPlace()
  onTestFinished(() => place.remove())
  const store = await sqlite(place.path, options).open({})
  onTestFinished(() => store.close())
  const times: number[] = []
  const stop = store.onSync?.((tookMs) => times.push(tookMs))
  const write = (sessionId: string) =>
    store.commit([commitOf({ tenantId: tenantId('t'), sessionId, baseSeq: 0, create: true })])
  await write('a')
  await write('b')
  await store.putRecord(tenantId('t'), { kind: 'k', id: 'r', key: undefined, body: '1' }, 0)
  expect(times).toHaveLength(3)
  for (const tookMs of times) expect(tookMs).toBeGreaterThan(0)
  stop?.()
  await write('c')
  expect(times).toHaveLength(3)
})

it('memory, which syncs nothing, tells nothing of it', async () => {
  const store = await memory().open({})
  expect(store.onSync).toBeUndefined()
  await store.close()
})
