import type { z } from 'zod'
import { HoldfastError } from './errors.ts'
import { inputPath, shownKey } from './input-path.ts'

const SHOWN_ISSUES = 8

/**
 * The value as its schema gives it, or `invalid_input` that names `what`, the first fault and, in
 * `details.issues`, at most eight of them. Scan untrusted input first: the scan bounds how much there is to parse.
 */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.slice(0, SHOWN_ISSUES).map((issue) => ({
    path: inputPath('', issue.path).replace(/^\./, ''),
    message: reason(issue),
  }))
  const first = result.error.issues[0]
  const where = inputPath(what, first?.path ?? [])
  throw new HoldfastError('invalid_input', `${where}: ${issues[0]?.message ?? 'invalid'}.`, {
    details: { issues },
  })
}

/** Zod's words, but those that would quote the input. */
function reason(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `unknown key ${issue.keys.slice(0, SHOWN_ISSUES).map(shownKey).join(', ')}`
  if (issue.code === 'invalid_union' && issue.discriminator) return `unknown ${issue.discriminator}`
  return issue.message
}
