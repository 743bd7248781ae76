import { describe, expect, test } from 'vitest'
import { findPrograms } from '../tools/postgres/programs.ts'
import { prove } from './lib/prove.ts'

describe.skipIf('missing' in findPrograms())('a primary that dies under load', { timeout: 600_000 }, () => {
  test('loses nothing that was acknowledged when a standby has it too', async () => {
    const { status, output, summary } = await prove('failover', '--runs', '5')
    expect(summary.faults, output).toEqual({ lost: 0, duplicated: 0, reordered: 0, wrong: 0 })
    expect(summary.counted.acked).toBeGreaterThan(0)
    expect(status, output).toBe(0)
  })

  test.each([
    ['no commit waited for a standby', 'asynchronous'],
    ['the standby that is promoted has not received all that the other has', 'least'],
  ])('loses some when %s', async (_what, planted) => {
    const { status, output, summary } = await prove('failover', '--runs', '5', '--planted', planted)
    expect(summary.faults.lost, output).toBeGreaterThan(0)
    expect(status, output).toBe(1)
  })
})
