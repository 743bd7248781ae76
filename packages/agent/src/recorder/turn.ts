/** A turn that is known only when it is over, as commands of one commit: a run that was never live. */
import type { HostCommand, NewMessage } from '@holdfast/core'
import { type Counted, ledgerRow } from './ledger-row.ts'
import type { Settings } from './options.ts'
import type { CallAnswer } from './recorded-call.ts'
import { failure, type RecordedResult } from './recorded-run.ts'

export interface RecordedRound extends Omit<CallAnswer, 'usage' | 'results'> {
  providerId?: string
  model?: string
  usage: Counted
  /** Of all its calls; one that is missing is closed as unknown. */
  results?: readonly RecordedResult[]
}

export interface RecordedTurn {
  /** Unique in the session: the same turn again is `duplicate_id`. Default: a new one. */
  runId?: string
  input: readonly NewMessage[]
  rounds: readonly RecordedRound[]
  /** Default: completed. */
  error?: string
}

export function turnCommands(turn: RecordedTurn, settings: Settings): HostCommand[] {
  const { owner, ttlMs, ids } = settings
  const runId = turn.runId ?? ids.next()
  const input = turn.input.map((message): HostCommand => ({ type: 'append', message }))
  const rounds = turn.rounds.flatMap((round, i) => roundCommands(round, `${runId}.${i + 1}`, settings))
  const end: HostCommand = turn.error === undefined ? { type: 'completeRun' } : failure(new Error(turn.error))
  return [...input, { type: 'startRun', recorded: true, runId, owner, ttlMs }, ...rounds, end]
}

function roundCommands(round: RecordedRound, attemptId: string, settings: Settings): HostCommand[] {
  const { parts, results = [], finish = 'complete', usage, ...named } = round
  const attempt = { attemptId, startedAt: settings.clock.now(), status: 'ok' as const, ...named }
  const calls = parts.filter(({ type }) => type === 'tool_call')
  const message = { role: 'assistant' as const, parts, finish }
  return [
    { type: 'startRound' },
    ...(parts.length > 0 ? [{ type: 'append' as const, message }] : []),
    { type: 'recordUsage', usage: ledgerRow(attempt, usage, settings) },
    ...results.map((result) => ({ type: 'finishTool' as const, ...result })),
    ...(results.length < calls.length ? [{ type: 'closeCalls' as const, reason: 'no result recorded' }] : []),
    { type: 'completeRound' },
  ]
}
