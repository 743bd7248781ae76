/** What headers say about a write, and about how to answer it. */
import { checkKey, type WriteOptions } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'

/** `Idempotency-Key` and `If-Match`, as the log takes them. A condition that nothing is held against is refused. */
export function writeOptions(headers: Headers, takesVersion: boolean): WriteOptions {
  const key = headers.get('idempotency-key')
  const match = headers.get('if-match')
  const options: WriteOptions = {}
  if (key !== null) options.key = checkKey(key)
  if (match !== null && !takesVersion)
    throw new HoldfastError('invalid_input', 'If-Match: there is no version here to hold it against.')
  if (match !== null) options.expectedVersion = versionOf(match)
  return options
}

/** The version in an `ETag` of ours. */
function versionOf(tag: string): number {
  const digits = /^"(0|[1-9]\d{0,15})"$/.exec(tag.trim())?.[1]
  const version = Number(digits)
  if (digits !== undefined && Number.isSafeInteger(version)) return version
  throw new HoldfastError(
    'invalid_input',
    'If-Match: expected one `ETag` as an earlier answer gave it, such as "7".',
  )
}

export function etag(version: number): string {
  return `"${version}"`
}

/** `If-None-Match`: whether the caller has what this tag stands for. */
export function isKnown(headers: Headers, tag: string): boolean {
  const tags = headers.get('if-none-match')?.split(',') ?? []
  return tags.some((one) => ['*', tag, `W/${tag}`].includes(one.trim()))
}

/** `Prefer: return=minimal`: the caller wants no body. */
export function wantsMinimal(headers: Headers): boolean {
  const prefer = headers.get('prefer')
  return prefer !== null && /(^|[,;\s])return=minimal($|[,;\s])/i.test(prefer)
}
