import { type CommittedBatch, type Holdfast, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { HoldfastError } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HeldClock } from '../testing/each-server.ts'
import { DayQuotas } from './day-quotas.ts'

const quotas = { eventsPerDay: 1_000, sessionsPerDay: 10 }
const clock = new HeldClock()
let holdfast: Holdfast

beforeEach(async () => {
  holdfast = await openHoldfast({ store: memory() })
})

afterEach(() => holdfast.close())

function ofOneServer(records = holdfast.quotaUses): DayQuotas {
  return new DayQuotas(records, clock.now)
}

function wrote(events: number, isNew = false): CommittedBatch {
  return { commits: [{ tenantId: 'acme', events, isNew }] } as unknown as CommittedBatch
}

it('servers of one store count together, also when they add at the same time', async () => {
  const servers = [ofOneServer(), ofOneServer(), ofOneServer()]
  for (const server of servers) await server.read('acme', quotas)
  for (let n = 0; n < 20; n++) for (const server of servers) server.charge(wrote(3, n === 0))
  await Promise.all(servers.map((server) => server.close()))
  const late = ofOneServer()
  await late.read('acme', quotas)
  expect([late.left('acme', 'events', 1_000), late.left('acme', 'sessions', 10)]).toEqual([820, 7])
})

it('sees what another server added, five seconds later at the latest', async () => {
  const [one, other] = [ofOneServer(), ofOneServer()]
  await one.read('acme', quotas)
  await other.read('acme', quotas)
  one.charge(wrote(400))
  await one.close()
  expect(other.read('acme', quotas)).toBeUndefined()
  expect(other.left('acme', 'events', 1_000)).toBe(1_000)
  clock.advance(5_000)
  await other.read('acme', quotas)
  expect(Math.round(other.left('acme', 'events', 1_000))).toBe(600)
})

it('forgets over a day what was used, by the quota as it is now', async () => {
  const server = ofOneServer()
  await server.read('acme', quotas)
  server.charge(wrote(1_000))
  expect([...server.over()]).toEqual(['acme'])
  await server.close()
  clock.advance(43_200_000)
  expect([server.left('acme', 'events', 1_000), [...server.over()]]).toEqual([500, []])
})

it('counts nothing of tenants without a quota of a day', async () => {
  const server = ofOneServer()
  expect(server.read('acme', { requestsPerMin: 5 })).toBeUndefined()
  server.charge(wrote(9))
  await server.close()
  expect(await holdfast.quotaUses.get('acme')).toBeUndefined()
})

it('a store that fails is told of by the next reading and at the end, and what it missed is added once it works', async () => {
  let isBroken = false
  const breaking = new Proxy(holdfast.quotaUses, {
    get(records, name: 'get' | 'put') {
      return async (...given: [string, never, never]) => {
        if (isBroken) throw new HoldfastError('store_unavailable', 'gone')
        return records[name](...given)
      }
    },
  })
  const server = ofOneServer(breaking)
  await server.read('acme', quotas)
  isBroken = true
  server.charge(wrote(7))
  await expect(server.close()).rejects.toMatchObject({ code: 'store_unavailable' })
  await expect(server.read('acme', quotas)).rejects.toMatchObject({ code: 'store_unavailable' })
  isBroken = false
  await server.read('acme', quotas)
  await server.close()
  expect((await holdfast.quotaUses.get('acme'))?.body.events).toBe(7)
})
