import { Worker } from 'node:worker_threads'
import { openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { expect, test } from 'vitest'
import { importPrices, toldBy } from './prices.ts'

test('without a book the published prices are those of an import', async () => {
  const holdfast = await openHoldfast({ store: memory() })
  const { id, body } = await importPrices(holdfast.priceBooks)
  expect(id).toBe('genai-prices')
  expect(Object.keys(body.prices ?? {}).length).toBeGreaterThan(100)
  await holdfast.close()
})

test.each([
  ['throws', 'throw new Error("no list")', 'no list'],
  ['says nothing', '', 'ended with 0'],
  ['ends itself', 'process.exit(3)', 'ended with 3'],
])('a thread that %s is an error', async (_what, code, reason) => {
  await expect(toldBy(new Worker(code, { eval: true }))).rejects.toThrow(reason)
})
