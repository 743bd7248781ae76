import { describe, expect, test } from 'vitest'
import { findPrograms } from '../tools/postgres/programs.ts'
import { plantedBugs } from './lib/planted-store.ts'
import { prove } from './lib/prove.ts'

test('every history of many clients in several processes has an order that explains it', {
  timeout: 600_000,
}, async () => {
  const { status, output, summary } = await prove('linear', '--histories', '2000', '--ops', '200')
  expect(summary.faults, output).toEqual({ 'not linear': 0 })
  expect(summary.counted.operations).toBeGreaterThan(350_000)
  expect(summary.counted['without an answer']).toBeGreaterThan(0)
  expect(status, output).toBe(0)
})

test.each(plantedBugs)('a store with the bug %s is caught', { timeout: 600_000 }, async (bug) => {
  const { status, output, summary } = await prove('linear', '--histories', '30', '--planted', bug)
  expect(summary.faults['not linear'], output).toBeGreaterThan(0)
  expect(status).toBe(1)
})

describe.skipIf('missing' in findPrograms())(
  'on a Postgres behind a bad network',
  { timeout: 600_000 },
  () => {
    const onPostgres = (...args: string[]) => prove('linear', '--store', 'postgres', '--ops', '120', ...args)

    test('every history has an order that explains it, and no process ends', async () => {
      const { status, output, summary } = await onPostgres('--histories', '40')
      expect(summary.faults, output).toEqual({ 'not linear': 0 })
      expect(summary.counted['without an answer']).toBeGreaterThan(0)
      expect(status, output).toBe(0)
    })

    test.each(['lost-update', 'stale-read'])('a store with the bug %s is caught', async (bug) => {
      const { status, output, summary } = await onPostgres('--histories', '10', '--planted', bug)
      expect(summary.faults['not linear'], output).toBeGreaterThan(0)
      expect(status).toBe(1)
    })
  },
)
