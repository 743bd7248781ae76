import type { ErrorCode } from '@holdfast/protocol'
import type { Route } from '../route.ts'

/** Codes that any request may meet. */
const anywhere: readonly ErrorCode[] = ['invalid_input', 'limit_exceeded', 'forbidden']

/** The same of one that needs a key, which is looked for in the store; and a refusal is written down there. */
const known: readonly ErrorCode[] = [
  'unauthenticated',
  'rate_limited',
  'store_busy',
  'store_full',
  'store_unavailable',
  'commit_unknown',
  'store_corrupt',
  'server_failed',
]

/** Of a write whose keys and versions the log of the session sees to. */
const inLog: readonly ErrorCode[] = ['version_conflict', 'key_conflict', 'contention', 'session_read_only']

/** Whether there is a version that `If-Match` is held against. */
export function takesVersion(route: Route): boolean {
  return codesOf(route).includes('version_conflict')
}

/** Any of its failures is one of these. */
export function codesOf({ codes, reach, body, method, once, writes, streams }: Route): readonly ErrorCode[] {
  const changes = method !== 'GET'
  return [
    ...new Set<ErrorCode>([
      ...anywhere,
      ...(reach === 'public' ? [] : known),
      ...(reach === 'session' ? (['not_found'] as const) : []),
      ...(body === undefined ? [] : (['unsupported_media_type'] as const)),
      ...(body === 'file' ? (['server_busy'] as const) : []),
      ...(changes && once === 'answer' ? (['key_conflict'] as const) : []),
      ...(changes && once === 'log' && reach === 'session' && writes !== 'session' ? inLog : []),
      ...(streams ? (['server_draining', 'reader_stalled'] as const) : []),
      ...codes,
    ]),
  ]
}
