import BetterSqlite3 from 'better-sqlite3'
import { describe, it } from 'vitest'
import { runStoreConformance } from '../conformance/index.ts'
import type { BetterSqlite } from './index.ts'
import { fileFixture, memoryFixture } from './testing/fixtures.ts'

const libraries: Readonly<Record<string, { driver?: BetterSqlite }>> = {
  'node:sqlite': {},
  'better-sqlite3': { driver: BetterSqlite3 },
}

for (const [library, { driver }] of Object.entries(libraries)) {
  const options = driver ? { driver } : {}
  // `npm run check` leaves out the files, so that it takes seconds; `npm test` takes all.
  describe.skipIf(process.env.HOLDFAST_QUICK)(`the SQLite store in a file, with ${library}`, () => {
    runStoreConformance(fileFixture(library, options, driver), { test: it })
  })
  describe(`the SQLite store in memory, with ${library}`, () => {
    runStoreConformance(memoryFixture(library, options), { test: it })
  })
}
