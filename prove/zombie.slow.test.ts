import { describe, expect, test } from 'vitest'
import { findPrograms } from '../tools/postgres/programs.ts'
import { prove } from './lib/prove.ts'

test('a worker that wakes after its lease was taken is refused in everything', {
  timeout: 600_000,
}, async () => {
  const { status, output, summary } = await prove('zombie', '--rounds', '200')
  expect(summary.faults, output).toEqual({ 'zombie writes': 0, 'other faults': 0 })
  expect(summary.counted['refused operations']).toBeGreaterThan(200)
  expect(status, output).toBe(0)
})

test('a store that lets go of the fence is caught', { timeout: 600_000 }, async () => {
  const { status, summary } = await prove('zombie', '--rounds', '12', '--planted')
  expect(summary.faults['zombie writes']).toBeGreaterThan(0)
  expect(status).toBe(1)
})

describe.skipIf('missing' in findPrograms())('on Postgres', { timeout: 600_000 }, () => {
  test('it is refused in everything, and its run goes on elsewhere', async () => {
    const { status, output, summary } = await prove('zombie', '--store', 'postgres', '--rounds', '60')
    expect(summary.faults, output).toEqual({ 'zombie writes': 0, 'other faults': 0 })
    expect(summary.counted['refused operations']).toBeGreaterThan(60)
    expect(status, output).toBe(0)
  })

  test('a store that lets go of the fence is caught', async () => {
    const { status, summary } = await prove('zombie', '--store', 'postgres', '--rounds', '12', '--planted')
    expect(summary.faults['zombie writes']).toBeGreaterThan(0)
    expect(status).toBe(1)
  })
})
