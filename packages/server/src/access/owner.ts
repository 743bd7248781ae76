/** A caller bound to a user makes and sees what is of that user alone. */
import { HoldfastError } from '@holdfast/protocol'
import type { Credential } from './credential.ts'

/** Whose a new session is. */
export function ownerOf<T extends { ownerUserId?: string | undefined }>({ userId }: Credential, input: T): T {
  if (userId === undefined || input.ownerUserId === userId) return input
  if (input.ownerUserId === undefined) return { ...input, ownerUserId: userId }
  throw new HoldfastError('forbidden', 'ownerUserId: the key is bound to another user.')
}

/** The same for a list's filters; undefined when nothing can pass them. */
export function narrowed<T extends { ownerUserId?: string | undefined }>(
  { userId }: Credential,
  filters: T,
): T | undefined {
  if (userId === undefined) return filters
  if (filters.ownerUserId !== undefined && filters.ownerUserId !== userId) return undefined
  return { ...filters, ownerUserId: userId }
}
