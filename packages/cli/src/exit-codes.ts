/** How a command ended, as a number for scripts. The one table; the README shows it, and a test compares the two. */
import type { HoldfastError } from '@holdfast/protocol'

export const exitCodes = {
  ok: { code: 0, meaning: 'Done. Also when the reader of a pipe left early.' },
  failed: { code: 1, meaning: 'Something unforeseen failed; `HOLDFAST_DEBUG=1` shows where.' },
  usage: { code: 2, meaning: 'The command line, a setting or an input is wrong. Nothing was done.' },
  missing: { code: 3, meaning: 'The store, a session or a file is not there.' },
  refused: { code: 4, meaning: 'The state of the session does not permit it, or the answer was no.' },
  store: {
    code: 5,
    meaning:
      'The store or its disk is busy, full, damaged or out of reach; what was being written is not there.',
  },
  findings: { code: 6, meaning: '`doctor` found errors, `repair` left some, or `copy` a session.' },
  interrupted: { code: 130, meaning: 'Ctrl-C. What was written until then is whole.' },
} as const

export type Ending = keyof typeof exitCodes

/** A typed error by its HTTP status, which its table gives it. */
export function endingOf({ status }: HoldfastError): Ending {
  if (status === 404) return 'missing'
  if (status >= 500) return 'store'
  return status === 409 || status === 412 ? 'refused' : 'usage'
}
