import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

it('gives so many at once, and the others in their order, some in every turn of the event loop', async () => {
  const turns = new Turns(2)
  const begun: number[] = []
  const ask = async (n: number) => {
    await turns.next()
    begun.push(n)
  }
  const all = Promise.all([1, 2, 3, 4, 5].map(ask))
  await Promise.resolve()
  expect(begun).toEqual([1, 2])
  await nextTurn()
  expect(begun).toEqual([1, 2, 3, 4])
  await all
  expect(begun).toEqual([1, 2, 3, 4, 5])
})

it('is at once again when a turn has passed', async () => {
  const turns = new Turns(1)
  expect(turns.next()).toBeUndefined()
  expect(turns.next()).toBeInstanceOf(Promise)
  await nextTurn()
  await nextTurn()
  expect(turns.next()).toBeUndefined()
})
