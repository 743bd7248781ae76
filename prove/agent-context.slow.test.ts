import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'

const sharedData = join(import.meta.dirname, '../../shared/data')
const none = {
  ...{ 'beyond the budget': 0, 'pinned lost': 0, unpaired: 0 },
  ...{ 'not found again': 0, 'held after a failure': 0, 'ended early': 0 },
}

test('what a model is sent fits, however long the session grows', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('agent-context', '--rounds', '1000')
  expect(summary.faults, output).toEqual(none)
  for (const what of ['summaries', 'failed summaries', 'without a model'])
    expect(summary.counted[what], what).toBeGreaterThan(0)
  expect(status, output).toBe(0)
})

test.skipIf(!existsSync(sharedData))(
  'long sessions of other programs go on (needs the real transcripts in ../shared/data beside the checkout)',
  { timeout: 600_000 },
  async () => {
    const { output, summary } = await prove('agent-context', '--rounds', '10', '--transcripts', sharedData)
    expect(summary.faults, output).toEqual(none)
    expect(summary.counted.transcripts).toBeGreaterThan(5)
    expect(summary.counted.summaries).toBeGreaterThan(5)
  },
)

test('facts that are not pinned are missed', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('agent-context', '--rounds', '100', '--planted')
  expect(summary.faults['pinned lost'], output).toBeGreaterThan(0)
  expect(status).toBe(1)
})
