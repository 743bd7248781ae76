/**
 * The conformance cases with a writer thread, in as many files as there are shares: each case starts threads, and some versions of
 * V8 end a process in which hundreds of them were started and ended.
 */
import { describe, it } from 'vitest'
import { runStoreConformance } from '../../conformance/index.ts'
import { fileFixture } from './fixtures.ts'

const shares = 4

/** `share`: 0 and up. `npm run check` leaves it out. */
export function runThreadShare(share: number): void {
  const name = `the SQLite store in a file, with a writer thread, part ${share + 1} of ${shares}`
  describe.skipIf(process.env.HOLDFAST_QUICK)(name, () => {
    let cases = 0
    const fixture = fileFixture('node:sqlite, writer thread', { writer: 'thread' })
    runStoreConformance(fixture, { test: it, only: () => cases++ % shares === share })
  })
}
