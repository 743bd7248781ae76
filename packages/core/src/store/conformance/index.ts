/** The public suite of the store seam: hand it a store, and it says which promise that store breaks. */
export { type Clause, clauses } from '../clauses.ts'
export type { StoreCase } from './case.ts'
export { storeCases } from './cases/index.ts'
export type { Need, OpenedPlace, StoreFixture } from './fixture.ts'
export {
  type CaseResult,
  type ConformanceReport,
  type RegisterOptions,
  type RunOptions,
  runStoreConformance,
} from './run.ts'
