/** A read that may find damage, where that is told in another way. */
import { isHoldfastError } from '@holdfast/protocol'

/** Undefined when what was read fails its checksum. */
export async function unlessCorrupt<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isHoldfastError(error, 'store_corrupt')) return undefined
    throw error
  }
}
