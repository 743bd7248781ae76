import type { HttpCase } from '../case.ts'
import { fileCases } from './files.ts'
import { logCases } from './log.ts'
import { messageCases } from './messages.ts'
import { refusalCases } from './refusals.ts'
import { sessionCases } from './sessions.ts'

/** Every promise of the HTTP interface that a caller can see for itself. */
export const httpCases: readonly HttpCase[] = [
  ...sessionCases,
  ...messageCases,
  ...logCases,
  ...fileCases,
  ...refusalCases,
]
