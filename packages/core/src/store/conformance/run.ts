/** Runs the cases: through a test runner that is handed in, or in sequence with a report. */
import type { StoreCase } from './case.ts'
import { storeCases } from './cases/index.ts'
import { TestClock } from './clock.ts'
import type { StoreFixture } from './fixture.ts'
import { Trial } from './trial.ts'

export interface CaseResult {
  id: string
  title: string
  status: 'passed' | 'failed' | 'skipped'
  /** Why it was skipped. */
  reason?: string
  /** What it failed with. */
  error?: unknown
}

export interface ConformanceReport {
  passed: number
  failed: number
  skipped: number
  results: readonly CaseResult[]
}

export interface RunOptions {
  /** Runs a subset; without it all run. */
  only?: (storeCase: StoreCase) => boolean
  /** How long a case waits for what a store announces by itself; ten seconds unless given. */
  patienceMs?: number
}

export interface RegisterOptions extends RunOptions {
  /** The runner's function, such as `it` of vitest or `test` of `node:test`. */
  test: (title: string, run: (context?: unknown) => Promise<void>) => unknown
  /** Where a skip and its reason are told when the runner cannot; the console unless given. */
  log?: (line: string) => void
}

/**
 * With `test` every case is registered with that runner. Without it they run here, one after the other, and the
 * report has each result; nothing is thrown for a failed case.
 */
export function runStoreConformance(fixture: StoreFixture, options: RegisterOptions): void
export function runStoreConformance(fixture: StoreFixture, options?: RunOptions): Promise<ConformanceReport>
export function runStoreConformance(
  fixture: StoreFixture,
  options: RunOptions | RegisterOptions = {},
): undefined | Promise<ConformanceReport> {
  const cases = storeCases.filter(options.only ?? (() => true))
  if (!('test' in options)) return runInSequence(fixture, cases, options)
  for (const storeCase of cases) register(fixture, storeCase, options)
  return undefined
}

function register(fixture: StoreFixture, storeCase: StoreCase, options: RegisterOptions): void {
  const { test, log = console.log } = options
  test(titleOf(storeCase), async (context) => {
    const { status, title, reason, error } = await runCase(fixture, storeCase, options)
    if (status === 'failed') throw error
    if (status !== 'skipped') return
    if (canSkip(context)) context.skip(reason)
    else log(`skipped on ${fixture.name}: ${title}: ${reason}`)
  })
}

/** What vitest and node:test hand to a test can mark it as skipped, with the reason. */
function canSkip(context: unknown): context is { skip(reason: string | undefined): void } {
  return typeof (context as { skip?: unknown } | undefined)?.skip === 'function'
}

async function runInSequence(
  fixture: StoreFixture,
  cases: readonly StoreCase[],
  options: RunOptions,
): Promise<ConformanceReport> {
  const results: CaseResult[] = []
  for (const storeCase of cases) results.push(await runCase(fixture, storeCase, options))
  const count = (status: CaseResult['status']) => results.filter((result) => result.status === status).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), results }
}

async function runCase(
  fixture: StoreFixture,
  storeCase: StoreCase,
  { patienceMs = 10_000 }: RunOptions,
): Promise<CaseResult> {
  const base = { id: storeCase.id, title: titleOf(storeCase) }
  const clock = new TestClock()
  try {
    const place = await fixture.open({ clock: clock.now })
    const reason = await runAndDispose(storeCase, new Trial(place, clock, patienceMs))
    return reason === undefined ? { ...base, status: 'passed' } : { ...base, status: 'skipped', reason }
  } catch (error) {
    return { ...base, status: 'failed', error }
  }
}

/** Gives the reason when the case was skipped. */
async function runAndDispose(storeCase: StoreCase, trial: Trial): Promise<string | undefined> {
  try {
    const missing = storeCase.needs?.find((need) => trial.place[need] === undefined)
    if (missing) return `the fixture has no \`${missing}\``
    await storeCase.run(trial)
    return undefined
  } finally {
    await trial.place.dispose()
  }
}

function titleOf({ id, title }: StoreCase): string {
  return `${id} ${title}`
}
