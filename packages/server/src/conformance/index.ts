/** The HTTP interface as a black box: an address and a key in, a verdict out. */
export type { HttpCase } from './case.ts'
export { httpCases } from './cases/index.ts'
export {
  type HttpReport,
  type HttpResult,
  type HttpRunOptions,
  runHttpCase,
  runHttpConformance,
} from './run.ts'
export type { Target } from './trial.ts'
