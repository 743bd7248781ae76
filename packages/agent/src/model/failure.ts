/** What a failed model call says about trying again. */
import { APICallError } from '@ai-sdk/provider'
import { hasMessage, messageOf } from '../message-of.ts'

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

/** What a provider says: by refusing the request, or in the stream of its answer, where it is no `Error`. */
type Told = Pick<APICallError, 'message' | 'statusCode' | 'responseHeaders' | 'data'> & {
  isRetryable?: boolean
  type?: unknown
  code?: unknown
}

export function failureOf(error: unknown): Failure {
  if (error instanceof CutOff) return { message: error.message, code: 'model_cut_off', retryable: true }
  if (isTold(error)) return toldFailure(error)
  return { message: shown(messageOf(error)), code: 'model_error', retryable: isNetwork(error) }
}

function isTold(error: unknown): error is Told {
  return APICallError.isInstance(error) || (hasMessage(error) && !(error instanceof Error))
}

function toldFailure(told: Told): Failure {
  const { message, statusCode, isRetryable = isPassing(told), responseHeaders } = told
  const retryAfterMs = retryAfterOf(responseHeaders ?? {})
  return {
    message: shown(statusCode === undefined ? message : `${statusCode}: ${message}`),
    code: 'model_error',
    retryable: isRetryable,
    ...(isForgotten(told) && { isForgotten: true }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** Of an error whose provider package does not say it. */
function isPassing({ statusCode, code, type }: Told): boolean {
  const status = Number(statusCode ?? code)
  return status === 429 || status >= 500 || /overloaded|rate_limit|server_error/.test(`${code} ${type}`)
}

/** OpenAI's Responses, of a response and of an item of one. */
function isForgotten({ message, data }: Told): boolean {
  return codeIn(data) === 'previous_response_not_found' || /^Item with id '[^']*' not found/.test(message)
}

/** Of the body of a refusal, of an event of the stream, or of a response that failed. */
function codeIn(data: unknown): unknown {
  const { code, error, response } = objectOf(data)
  if (error !== undefined || response !== undefined) return codeIn(error ?? response)
  return code
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
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
