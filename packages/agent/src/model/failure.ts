/** What a failed model call says about trying again. */
import { APICallError } from '@ai-sdk/provider'

export interface Failure {
  /** For the log; never with a request or response in it. */
  message: string
  code: 'model_error' | 'model_cut_off' | 'invalid_output'
  retryable: boolean
  /** The provider no longer has what the request referred to; it was not read. */
  isForgotten?: boolean
  /** The provider said when to come back. */
  retryAfterMs?: number
}

/** The stream ended without saying that it was complete. */
export class CutOff extends Error {
  override readonly name = 'CutOff'
}

export function failureOf(error: unknown): Failure {
  if (error instanceof CutOff) return { message: error.message, code: 'model_cut_off', retryable: true }
  if (APICallError.isInstance(error)) return apiFailure(error)
  const message = error instanceof Error ? error.message : String(error)
  return { message: shown(message), code: 'model_error', retryable: isNetwork(error) }
}

function apiFailure(error: APICallError): Failure {
  const { message, statusCode, isRetryable, responseHeaders } = error
  const retryAfterMs = retryAfterOf(responseHeaders ?? {})
  return {
    message: shown(statusCode === undefined ? message : `${statusCode}: ${message}`),
    code: 'model_error',
    retryable: isRetryable,
    ...(isForgotten(error) && { isForgotten: true }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** OpenAI's Responses, of a response and of an item of one. */
function isForgotten({ message, statusCode, data }: APICallError): boolean {
  const { error } = (data ?? {}) as { error?: { code?: unknown } }
  if (error?.code === 'previous_response_not_found') return true
  return statusCode === 404 && /^Item with id '[^']*' not found/.test(message)
}

function retryAfterOf(headers: Record<string, string>): number | undefined {
  const ms = Number(headers['retry-after-ms'])
  if (headers['retry-after-ms'] !== undefined && ms >= 0) return ms
  const seconds = Number(headers['retry-after'])
  return headers['retry-after'] !== undefined && seconds >= 0 ? seconds * 1_000 : undefined
}

const networkCodes = [
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
]

/** The connection broke, at any depth of the error. */
function isNetwork(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('code' in error && networkCodes.includes(String(error.code))) return true
  if (error instanceof TypeError && /fetch failed|terminated|network/i.test(error.message)) return true
  return isNetwork(error.cause)
}

function shown(message: string): string {
  return message.slice(0, 2_000).toWellFormed()
}
