import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const script = fileURLToPath(new URL('./index.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-test-'))
const page = join(folder, 'benchmarks.md')
const tiny = { HOLDFAST_BENCH_SHARE: '0.001', HOLDFAST_BENCH_ROUNDS: '2', HOLDFAST_BENCH_DIR: folder }

/** Cells of the tables below a title, by row. */
function tableOf(title: RegExp): string[][] {
  const section = readFileSync(page, 'utf8')
    .split('\n## ')
    .find((text) => title.test(text.split('\n')[0] ?? ''))
  const rows = (section ?? '').split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

beforeAll(() => {
  const env = { ...process.env, ...tiny }
  const { status, stderr } = spawnSync(process.execPath, [script, 'all', '--out', page], {
    env,
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
}, 300_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const time = /^[\d.]+ ms$/
const rate = /^[\d,]+\/s$/

test.each([
  ['One caller', 12, time],
  ['The last 50', 20, time],
  ['A session resumed', 9, time],
  ['A page of 50', 8, time],
  ['Processes writing', 9, rate],
] as const)('%s: the contenders of each size, measured in the same rounds', (title, rows, unit) => {
  const table = tableOf(new RegExp(`^${title}`))
  expect(table).toHaveLength(rows)
  for (const [, contender, median, rounds] of table) {
    expect(contender).toMatch(/^(hand-written|the store alone|holdfast)/)
    expect(median).toMatch(unit)
    expect(rounds).toContain(' – ')
  }
})

test('many callers: two ways by hand, the store alone and Holdfast, turns a second', () => {
  const table = tableOf(/64 callers/)
  expect(table.map(([contender]) => contender?.split(',')[0])).toEqual([
    'hand-written',
    'hand-written',
    'the store alone',
    'holdfast',
    'holdfast with a writer thread',
  ])
  for (const [, median] of table) expect(median).toMatch(rate)
})

test('over HTTP: a bare echo and Holdfast in the same rounds, and how long each answer took', () => {
  const table = tableOf(/durable appends over HTTP/)
  expect(table.map(([contender]) => contender)).toEqual(['a bare JSON echo', 'holdfast'])
  for (const [, median, , , p50, p99] of table) {
    expect(median).toMatch(rate)
    expect([p50, p99]).toEqual([expect.stringMatching(time), expect.stringMatching(time)])
  }
})

test('streams: deliveries a second and their delay, memory of those who wait, appends beside those who stand still', () => {
  const [deliveries, ...delays] = tableOf(/followers of one session/)
  expect(deliveries?.[1]).toMatch(rate)
  for (const [, median] of delays) expect(median).toMatch(time)
  const [before, after] = tableOf(/followers who wait/).map(([, memory]) =>
    Number(memory?.replace(' MB', '')),
  )
  expect(before).toBeGreaterThan(0)
  expect(after).toBeGreaterThan(0)
  const beside = tableOf(/while others stand still/)
  expect(beside).toHaveLength(2)
  for (const [, median] of beside) expect(median).toMatch(rate)
})

test('an agent: a round and the first text, beside a bare loop with the same model', () => {
  const each = tableOf(/^A round of an agent/)
  expect(each).toHaveLength(9)
  const first = tableOf(/^The first text/)
  expect(first).toHaveLength(6)
  for (const [, contender, median] of [...each, ...first]) {
    expect(contender).toMatch(/^(streamText alone|holdfast)/)
    expect(median).toMatch(time)
  }
})

test('bytes on disk for each byte of text, without the search index and with it', () => {
  const [byHand, plain, indexed] = tableOf(/^Bytes per byte/).map(([, , , share]) => Number(share))
  expect(byHand).toBeGreaterThan(1)
  expect(plain).toBeGreaterThan(1)
  expect(indexed).toBeGreaterThanOrEqual(plain as number)
})

test('memory after each step, and every message of the session was read', () => {
  const rows = tableOf(/^Memory/)
  const peaks = rows.map(([, , peak]) => Number(peak?.replace(' MB', '')))
  expect(peaks).toHaveLength(10)
  for (const steps of [peaks.slice(0, 5), peaks.slice(5)])
    expect(steps).toEqual(steps.toSorted((a, b) => a - b))
  // A thousandth of a million, the events that made the session, and two turns appended by each.
  expect(rows.flatMap(([name]) => name?.match(/1,0\d\d events/) ?? [])).toEqual([
    '1,006 events',
    '1,010 events',
  ])
})

test('transcripts: imported, again, indexed, searched and listed, each beside its target', () => {
  const steps = tableOf(/^Import of \d+ MB/).map(([step]) => step?.split(',')[0])
  expect(steps).toEqual(['imported', 'again', 'indexed for search', 'search', '`holdfast sessions`'])
})

test('the command: its start, and a few of its works', () => {
  const works = tableOf(/^The command/).map(([work]) => work)
  expect(works).toEqual(expect.arrayContaining(['node alone', 'holdfast --help', 'holdfast sessions']))
})

test('the page says with which command, cores and versions it was made', () => {
  const text = readFileSync(page, 'utf8')
  expect(text).toContain('Written by `HOLDFAST_BENCH_SHARE=0.001 npm run bench`')
  expect(text).toMatch(/\d+ cores, \d+ GB of memory; Node \d+\.\d+\.\d+ with SQLite 3\.\d+\.\d+/)
})
