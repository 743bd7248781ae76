/** The one place where an error becomes words on stderr and the ending of the command. */
import type { ErrorCode } from '@holdfast/protocol'
import { type Ending, endingOf } from './exit-codes.ts'
import { fileRefusal } from './file-refusal.ts'

export interface Reported {
  ending: Ending
  /** For stderr. */
  lines: string[]
}

export interface ReportOptions {
  /** One JSON text in place of words. */
  asJson: boolean
  /** With the stack of what was unforeseen. */
  debug: boolean
  /** What was asked for. */
  command?: string | undefined
}

/** What helps next, where the message itself cannot know the command line. */
const advice: Partial<Record<ErrorCode, string>> = {
  session_closed: 'holdfast fork <id> continues it as a new session.',
  session_expired: 'holdfast fork <id> continues it as a new session.',
  run_live: 'Wait for the run to end, or give --cancel (close) or --force (delete).',
  session_pinned: 'Give --force to delete it all the same.',
  no_agent: 'holdfast chat --agent <id> begins a session with one that does.',
  has_forks: 'Give --cascade to delete the forks with it.',
  fork_inside_round: 'holdfast show <id> gives the seq of each message as #12; choose one after the result.',
  unauthenticated:
    'HOLDFAST_KEY is the key that is given; holdfast keys create makes one where the store is.',
  server_unreachable: 'holdfast serve starts one where the store is.',
  store_busy: 'Another process is writing; try again in a moment.',
  store_full: 'Make room on the disk, then run the command again.',
  store_corrupt: 'holdfast doctor tells what is damaged, holdfast repair what can be put right.',
  contention: 'Others are writing to the session; run the command again.',
}

/** Those that others send to: what they cannot read themselves they do not send back to themselves. */
const examiners = ['doctor', 'repair']
const rescue = 'holdfast export <id> saves a session that can still be read; the rest is in a backup.'

export async function reportError(error: unknown, options: ReportOptions): Promise<Reported> {
  const { HoldfastError, isHoldfastError } = await import('@holdfast/protocol')
  const refusal = fileRefusal(error)
  if (refusal) return reportError(new HoldfastError(refusal.code, refusal.message), options)
  if (!isHoldfastError(error)) return reportUnforeseen(error, options)
  const { code, details } = error
  const ending = endingOf(error)
  if (options.asJson)
    return { ending, lines: [JSON.stringify({ error: { code, message: error.message, details } })] }
  const [first = '', ...rest] = error.message.split('\n')
  const hint = code === 'store_corrupt' && examiners.includes(options.command ?? '') ? rescue : advice[code]
  return { ending, lines: [`holdfast: ${first}`, ...rest, ...(hint ? [`  ${hint}`] : [])] }
}

function reportUnforeseen(error: unknown, { asJson, debug }: ReportOptions): Reported {
  const message = error instanceof Error ? error.message : String(error)
  if (asJson) return { ending: 'failed', lines: [JSON.stringify({ error: { code: 'failed', message } })] }
  const stack = debug && error instanceof Error ? (error.stack?.split('\n').slice(1) ?? []) : []
  return { ending: 'failed', lines: [`holdfast: ${message}`, ...stack] }
}
