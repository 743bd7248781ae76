import { describe, expect, test } from 'vitest'
import { findPrograms } from '../tools/postgres/programs.ts'
import { prove } from './lib/prove.ts'

const none = { lost: 0, duplicated: 0, reordered: 0, wrong: 0 }

describe.skipIf('missing' in findPrograms())('a Postgres under load', { timeout: 600_000 }, () => {
  test('that crashes at any moment loses nothing that was acknowledged, and serves again at once', async () => {
    const { status, output, summary } = await prove('postgres', '--stops', '50')
    expect(summary.faults, output).toEqual(none)
    expect(summary.counted.acked).toBeGreaterThan(0)
    expect(status, output).toBe(0)
  })

  test.each([
    ['that syncs no commit unless it is asked to', ['--sync', 'off']],
    ['that cuts connections', ['--trouble', 'terminate']],
    ['that freezes', ['--trouble', 'freeze']],
    ['whose connections somebody else has taken', ['--trouble', 'crowd']],
    ['behind a network that cuts and half-closes connections', ['--trouble', 'network']],
  ])('%s loses nothing', async (_what, args) => {
    const { status, output, summary } = await prove('postgres', '--stops', '1', ...args)
    expect(summary.faults, output).toEqual(none)
    expect(summary.counted.acked).toBeGreaterThan(0)
    expect(status, output).toBe(0)
  })

  test.each([
    ['a store that takes a broken connection for a commit', ['--planted']],
    ['a server that never syncs in time', ['--sync', 'never']],
    [
      'a store that takes a connection that the network cut for a commit',
      ['--trouble', 'network', '--planted'],
    ],
  ])('the audit catches %s', async (_what, args) => {
    const { status, output, summary } = await prove('postgres', '--stops', '3', ...args)
    expect(summary.faults.lost, output).toBeGreaterThan(0)
    expect(status, output).toBe(1)
  })
})
