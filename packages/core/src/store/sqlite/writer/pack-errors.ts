/** Errors on their way between threads. A structured clone would lose their class, and with it code and details. */
import { HoldfastError } from '@holdfast/protocol'

export interface PackedError {
  isOurs: boolean
  message: string
  stack: string | undefined
  /** For one of ours its code and details, for another what is plain of its own. */
  fields: Record<string, unknown>
  cause?: PackedError | { value: unknown }
}

export function packError(thrown: unknown): PackedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { message, stack } = error
  const isOurs = error instanceof HoldfastError
  const fields = isOurs ? { code: error.code, details: error.details } : plainFieldsOf(error)
  return { isOurs, message, stack, fields, ...('cause' in error && { cause: packCause(error.cause) }) }
}

export function unpackError({ isOurs, message, stack, fields, cause }: PackedError): Error {
  const because = cause && { cause: 'value' in cause ? cause.value : unpackError(cause) }
  const error = isOurs
    ? new HoldfastError(fields.code as HoldfastError['code'], message, {
        details: fields.details as Record<string, unknown>,
        ...because,
      })
    : Object.assign(new Error(message, because), fields)
  if (stack !== undefined) error.stack = stack
  return error
}

function packCause(cause: unknown): PackedError | { value: unknown } {
  return cause instanceof Error ? packError(cause) : { value: isPlain(cause) ? cause : String(cause) }
}

/** An engine's result codes, say. What is no plain value may be anything, and might not be sent. */
function plainFieldsOf(error: Error): Record<string, unknown> {
  const own = Object.entries(error).filter(([name, value]) => name !== 'cause' && isPlain(value))
  const { name } = error
  return { ...(name !== 'Error' && { name }), ...Object.fromEntries(own) }
}

function isPlain(value: unknown): boolean {
  return value === null || !['object', 'function', 'symbol'].includes(typeof value)
}
