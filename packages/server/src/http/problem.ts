/** Every failure as it is answered: RFC 9457, with our code, retry advice and request id. */
import { errorCatalogue, HoldfastError, isHoldfastError, type Problem, toProblem } from '@holdfast/protocol'

/** Seconds after which a request that failed with `later` is worth another try. */
const retrySecs = 1

/** What the caller is told. Anything but a typed error is `server_failed`, whose cause stays here. */
export function typed(error: unknown): HoldfastError {
  if (isHoldfastError(error)) return error
  return new HoldfastError('server_failed', 'the server failed; its log has this request id.', {
    cause: error,
  })
}

/** A `not_found` says nothing of what was asked: what is another's answers byte for byte as what is not there. */
export function problemOf(error: HoldfastError, requestId: string): Problem {
  const problem = { ...toProblem(error), requestId }
  if (error.code !== 'not_found') return problem
  return { ...problem, detail: errorCatalogue.not_found.meaning, details: {} }
}

export function problemHeaders({ code, retry, details }: HoldfastError): Record<string, string> {
  return {
    'content-type': 'application/problem+json',
    ...(retry === 'later' && { 'retry-after': String(retrySecs) }),
    ...(code === 'range_not_satisfiable' && { 'content-range': `bytes */${details.size}` }),
    ...(code === 'unauthenticated' && { 'www-authenticate': 'Bearer' }),
  }
}
