import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'
import { providerNames } from './lib/providers/index.ts'

test('every prefix of every log gives a view that every provider takes', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('pairs', '--logs', '20000')
  expect(summary.counted).toMatchObject({ logs: 20_000 })
  expect(summary.counted.views).toBeGreaterThan(200_000)
  for (const kind of [
    'compaction.applied',
    'message.restored',
    'session.forked',
    'session.erased',
    'lease.lost',
  ])
    expect(output).toMatch(new RegExp(`[1-9]\\d* ${kind}`))
  expect(status, output).toBe(0)
})

test.each(['dropped', 'open', 'doubled'])(
  'every provider refuses a view with results that are %s',
  {
    timeout: 60_000,
  },
  async (kind) => {
    const { status, summary } = await prove('pairs', '--logs', '100', '--planted', kind)
    for (const name of providerNames) expect(summary.faults[name], name).toBeGreaterThan(0)
    expect(status).toBe(1)
  },
)
