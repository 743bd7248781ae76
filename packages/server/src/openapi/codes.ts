import type { ErrorCode } from '@holdfast/protocol'
import type { Route } from '../route.ts'

/** Codes that any request may meet which is not public. */
const anywhere: readonly ErrorCode[] = [
  'invalid_input',
  'limit_exceeded',
  'unauthenticated',
  'forbidden',
  'rate_limited',
  'not_found',
  'contention',
  'store_busy',
  'store_full',
  'store_unavailable',
  'commit_unknown',
  'store_corrupt',
  'server_draining',
  'server_failed',
]

/** Any of its failures is one of these. */
export function codesOf({ codes, reach, body, method, once }: Route): readonly ErrorCode[] {
  if (reach === 'public')
    return [...new Set<ErrorCode>(['invalid_input', 'limit_exceeded', ...codes, 'server_failed'])]
  const typed: readonly ErrorCode[] = typeof body !== 'object' ? [] : ['unsupported_media_type']
  const keyed: readonly ErrorCode[] = method !== 'GET' && once === 'answer' ? ['key_conflict'] : []
  return [...new Set([...anywhere, ...typed, ...keyed, ...codes])]
}
