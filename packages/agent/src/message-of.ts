/** What an error says, whatever was thrown: providers tell those in a stream as objects that are no `Error`. */
export function messageOf(error: unknown): string {
  return hasMessage(error) ? error.message : textOf(error)
}

/** Objects without a prototype have no text, and those of others may throw. */
function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return '[object Object]'
  }
}

export function hasMessage(error: unknown): error is { message: string } {
  return (
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
  )
}
