/** What is refused before the first of several sessions is deleted, as far as their summaries tell it. */
import type { SessionSummary } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'

const ended: readonly unknown[] = ['completed', 'failed', 'cancelled']

export function requireDeletable(
  { id, held, pinned, run }: Pick<SessionSummary, 'id' | 'held' | 'pinned' | 'run'>,
  { force }: { force: boolean },
): void {
  if (held) throw new HoldfastError('session_held', `Session ${id} is under a legal hold; lift it first.`)
  if (force) return
  if (pinned) throw new HoldfastError('session_pinned', `Session ${id} is pinned.`)
  if (run && !ended.includes(run.state))
    throw new HoldfastError('run_live', `Run ${run.runId} of session ${id} has not ended.`)
}
