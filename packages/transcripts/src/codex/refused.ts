/** What a session does not take may be a session of its own. */
import { type ErrorCode, isHoldfastError } from '@holdfast/protocol'

export async function unlessRefused<T>(
  codes: readonly ErrorCode[],
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (codes.some((code) => isHoldfastError(error, code))) return undefined
    throw error
  }
}
