import type { SessionSummary } from '@holdfast/core'
import { expect, it } from 'vitest'
import { eachServer } from '../testing/each-server.ts'
import { changes } from './changes.ts'
import { type Change, changedSince, changeOf, FleetWatch, Position } from './fleet.ts'

eachServer('a fleet that is watched', {}, (place) => {
  it('is looked through once for all who follow it', async () => {
    const { holdfast, clock } = place
    const looks = { shared: 0, own: 0, atOnce: 0 }
    const watch = new FleetWatch({
      clock: clock.now,
      everyMs: 1,
      look: async (fromMs) => {
        looks.shared += 1
        looks.atOnce += 1
        expect(looks.atOnce).toBe(1)
        const found = await changedSince(holdfast, {}, fromMs)
        looks.atOnce -= 1
        return found
      },
    })
    const stop = new AbortController()
    const look = (fromMs: number) => {
      looks.own += 1
      return changedSince(holdfast, {}, fromMs)
    }
    const following = { watch, look, filters: {}, sinceMs: clock.now(), signal: stop.signal }
    const readers = Array.from({ length: 20 }, () => changes(following))
    const first = readers.map((reader) => reader.next())
    for (const id of ['s1', 's2', 's3']) {
      clock.advance(5_000)
      await holdfast.sessions.create({ agentId: 'agent', id })
      const given = await Promise.all(id === 's1' ? first : readers.map((reader) => reader.next()))
      for (const { value } of given)
        expect(value?.map(({ event }) => (event as never as { id: string }).id)).toEqual([id])
      // One object for all: it is encoded once.
      expect(new Set(given.map(({ value }) => value?.[0])).size).toBe(1)
    }
    expect(looks.own).toBe(20)
    stop.abort()
    await Promise.all(readers.map((reader) => reader.next()))
    const { shared } = looks
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(looks.shared).toBeLessThanOrEqual(shared + 1)
  })

  it('is looked through by a reader who fell behind, who misses and repeats nothing', async () => {
    const { holdfast, clock } = place
    const look = (fromMs: number) => changedSince(holdfast, {}, fromMs)
    const watch = new FleetWatch({ clock: clock.now, everyMs: 1, look })
    const stop = new AbortController()
    const reader = changes({ watch, look, filters: {}, sinceMs: clock.now(), signal: stop.signal })
    const seen: string[] = []
    for (let n = 0; n < 6; n++) {
      clock.advance(5_000)
      const before = watch.count
      await holdfast.sessions.create({ agentId: 'agent', id: `s${n}` })
      if (n > 0) await watch.after(before, stop.signal)
      if (n % 3 !== 0) continue
      const { value } = await reader.next()
      for (const { event } of value ?? []) seen.push((event as never as { id: string }).id)
    }
    while (seen.length < 6) {
      const { value } = await reader.next()
      for (const { event } of value ?? []) seen.push((event as never as { id: string }).id)
    }
    expect(seen).toEqual(['s0', 's1', 's2', 's3', 's4', 's5'])
    stop.abort()
    await reader.next()
  })

  it('ends its readers with the failure of a look', async () => {
    const failing = async () => {
      throw new Error('the store is gone')
    }
    const watch = new FleetWatch({ clock: place.clock.now, everyMs: 1, look: failing })
    const { signal } = new AbortController()
    const reader = changes({ watch, look: async () => [], filters: {}, sinceMs: 0, signal })
    await expect(reader.next()).rejects.toThrow('the store is gone')
  })
})

it('a reader is given what was written late among what is newer, and nothing twice', () => {
  const at = (id: string, seq: number, time: string) =>
    changeOf({ id, seq, updatedAt: `2026-11-21T10:00:${time}Z` } as SessionSummary)
  const position = new Position(Date.parse('2026-11-21T10:00:10Z'))
  const given = (...changes: Change[]) => position.fresh(changes).map(({ session }) => session.id)
  expect(given(at('a', 1, '10.200'))).toEqual(['a'])
  expect(given(at('c', 1, '11.900'))).toEqual(['c'])
  expect(given(at('a', 1, '10.200'), at('b', 1, '10.999'), at('c', 1, '11.900'))).toEqual(['b'])
  expect(given(at('a', 2, '12.000'))).toEqual(['a'])
  expect(given(at('b', 1, '10.999'), at('c', 1, '11.900'))).toEqual([])
})
