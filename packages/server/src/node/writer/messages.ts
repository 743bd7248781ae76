/** What goes between the server's main thread and its writer thread. */
import type { Store } from '@holdfast/core'
import { type ErrorCode, HoldfastError, isHoldfastError } from '@holdfast/protocol'

/** Calls of the store that write and whose arguments can be copied to another thread. */
export const written = [
  'commit',
  'renewLease',
  'appendDraft',
  'putCheckpoint',
  'putRecord',
  'deleteSession',
  'sweepKeys',
  'rebuild',
  'resetIndex',
] as const
export type Written = (typeof written)[number]

export interface Asked {
  id: number
  /** By the clock of the main thread, which judges leases and keys. */
  nowMs: number
  call: Written | 'close'
  args: readonly unknown[]
}

export type Told =
  | { type: 'opened' }
  | { type: 'done'; id: number; value: unknown }
  | { type: 'failed'; id: number; error: CopiedError }
  /** Another process wrote to the file. */
  | { type: 'foreign write' }

/** An error without its class, which is not copied. */
export interface CopiedError {
  code: ErrorCode | undefined
  message: string
  details: Readonly<Record<string, unknown>>
}

export function copied(error: unknown): CopiedError {
  if (isHoldfastError(error)) return { code: error.code, message: error.message, details: error.details }
  return {
    code: undefined,
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    details: {},
  }
}

export function restored({ code, message, details }: CopiedError): Error {
  return code === undefined ? new Error(message) : new HoldfastError(code, message, { details })
}

type Outcomes = Awaited<ReturnType<Store['commit']>>
type Outcome = Outcomes[number]
type CopiedOutcome = Exclude<Outcome, { status: 'failed' }> | { status: 'failed'; error: CopiedError }

/** Outcomes of commits hold errors too. */
export function copiedOutcomes(outcomes: Outcomes): CopiedOutcome[] {
  return outcomes.map((outcome) =>
    outcome.status === 'failed' ? { status: 'failed', error: copied(outcome.error) } : outcome,
  )
}

export function restoredOutcomes(outcomes: readonly CopiedOutcome[]): Outcomes {
  return outcomes.map((outcome) =>
    outcome.status === 'failed'
      ? { status: 'failed', error: restored(outcome.error) as HoldfastError }
      : outcome,
  )
}
