/** What an error says, whatever was thrown: providers tell those in a stream as objects that are no `Error`. */
export function messageOf(error: unknown): string {
  return hasMessage(error) ? error.message : String(error)
}

export function hasMessage(error: unknown): error is { message: string } {
  return (
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
  )
}
