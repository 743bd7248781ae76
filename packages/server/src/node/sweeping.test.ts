import { memory } from '@holdfast/core/memory'
import { expect, it } from 'vitest'
import { HeldClock } from '../testing/each-server.ts'
import { serve } from './serve.ts'

it('a session past its expiry is expired without anybody asking', async () => {
  const clock = new HeldClock()
  const serving = await serve({ store: memory(), port: 0, signals: [], clock: clock.now, sweepMs: 5 })
  const session = await serving.holdfast.forTenant('other').sessions.create({ agentId: 'agent', ttlSecs: 1 })
  clock.advance(2_000)
  for await (const item of session.follow()) {
    if (item.type === 'event' && item.eventType === 'session.expired') break
  }
  await serving.close()
})

it('a sweep that fails is told of, and the next one tries again', async () => {
  const failures: unknown[] = []
  const told = Promise.withResolvers<void>()
  const onSweepFailed = (error: unknown) => {
    if (failures.push(error) === 2) told.resolve()
  }
  const serving = await serve({ store: memory(), port: 0, signals: [], sweepMs: 5, onSweepFailed })
  await serving.holdfast.close()
  await told.promise
  expect(failures[1]).toMatchObject({ code: 'store_closed' })
  await serving.close()
})
