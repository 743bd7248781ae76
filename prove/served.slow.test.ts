import { describe, expect, test } from 'vitest'
import { findPrograms } from '../tools/postgres/programs.ts'
import { prove } from './lib/prove.ts'

const clean = {
  http: { lost: 0, doubled: 0, moved: 0, wrong: 0 },
  cuts: { gaps: 0, repeats: 0, altered: 0 },
  storm: { 'more effects': 0, 'other answers': 0, refused: 0, 'taken for another': 0, untried: 0 },
  requests: { failures: 0, hangs: 0, grown: 0 },
  stopped: { grown: 0 },
} as const

test.each([
  ['http', ['--cycles', '100'], 'cycles', 100],
  ['cuts', ['--cuts', '2000'], 'cuts', 2_000],
  ['storm', [], 'sent', 2_000],
  ['requests', ['--requests', '20000'], 'requests', 20_000],
  ['stopped', [], 'messages', 640],
] as const)('%s finds no fault', { timeout: 600_000 }, async (name, args, counted, least) => {
  const { status, output, summary } = await prove(name, ...args)
  expect(summary.faults, output).toEqual(clean[name])
  expect(summary.counted[counted]).toBeGreaterThanOrEqual(least)
  if (name === 'requests') expect(summary.counted['by the agent'], output).toBeGreaterThan(20)
  expect(status, output).toBe(0)
})

test.each([
  ['http', ['--cycles', '10'], 'doubled'],
  ['cuts', ['--cuts', '200'], 'gaps'],
  ['storm', [], 'more effects'],
  ['requests', ['--requests', '400'], 'failures'],
  ['stopped', [], 'grown'],
] as const)('%s catches its planted bug', { timeout: 600_000 }, async (name, args, fault) => {
  const { status, output, summary } = await prove(name, ...args, '--planted')
  expect(summary.faults[fault], output).toBeGreaterThan(0)
  expect(status, output).toBe(1)
})

describe.skipIf('missing' in findPrograms())('two servers of one Postgres', { timeout: 600_000 }, () => {
  test('a follower on one of what is written on the other: no gap, no repeat', async () => {
    const { status, output, summary } = await prove('cuts', '--store', 'postgres', '--cuts', '1000')
    expect(summary.faults, output).toEqual(clean.cuts)
    expect(summary.counted.cuts).toBeGreaterThanOrEqual(1_000)
    expect(output).toContain('ms when hints are lost')
    expect(status, output).toBe(0)
  })

  test('half a frame that is taken for seen is caught', async () => {
    const { status, output, summary } = await prove(
      'cuts',
      '--store',
      'postgres',
      '--cuts',
      '200',
      '--planted',
    )
    expect(summary.faults.gaps, output).toBeGreaterThan(0)
    expect(status, output).toBe(1)
  })
})
