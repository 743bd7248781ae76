import { z } from 'zod'
import { type ErrorCode, errorCatalogue, type HoldfastError } from './errors.ts'
import { objectOnUse } from './on-use.ts'

const codes = Object.keys(errorCatalogue) as ErrorCode[]

/**
 * An error on the wire (RFC 9457): the body of a failed request and the data of an error frame in a stream. Readers act
 * on `code` and never guess from the status.
 */
export const problem = objectOnUse(() => ({
  code: z.enum(codes),
  status: z.int().min(400).max(599),
  /** What the code means, the same for every occurrence. */
  title: z.string(),
  /** What happened here, to which id, and what to do next. */
  detail: z.string(),
  retry: z.enum(['never', 'reload', 'later']),
  details: z.record(z.string(), z.unknown()),
  /** Of the request that failed, as in its `x-request-id`; absent where there was none. */
  requestId: z.string().optional(),
}))
export type Problem = z.infer<typeof problem>

export function toProblem(error: HoldfastError): Problem {
  const { status, retry, meaning } = errorCatalogue[error.code]
  return { code: error.code, status, title: meaning, detail: error.message, retry, details: error.details }
}
