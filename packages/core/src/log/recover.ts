/**
 * What is done about a run whose worker is gone: its lease is taken over, the text of its draft becomes a message that
 * says it was interrupted, open calls are closed as "outcome unknown", and the run is ended or left for another worker.
 * Each step may be repeated after a crash of the recovery itself.
 */
import { type Actor, isHoldfastError } from '@holdfast/protocol'
import { interruptedParts, newestOf } from '../session/decide/draft-end.ts'
import type { SessionCommand } from '../session/decide/index.ts'
import { isLost } from '../session/deciding.ts'
import { isLive } from '../session/lifecycle.ts'
import type { Head } from '../session/state.ts'
import type { OpenDraft } from '../store/store.ts'
import type { TenantLog } from './tenant-log.ts'

export interface RecoverOptions {
  /** `fail` (default) and `cancel` end the run; `suspend` leaves it for another worker to resume. */
  outcome?: 'fail' | 'cancel' | 'suspend'
  /** Shown in the failed run. */
  error?: string
  /** Agents whose lost runs are left to their workers. */
  leaveAgents?: ReadonlySet<string>
}

export interface Recovered {
  /** False: there was no live run with a lost lease. */
  recovered: boolean
  runId?: string
  /** Draft text was kept as an interrupted message. */
  keptDraft: boolean
  closedCalls: number
}

export const recoveryActor: Actor = { kind: 'system', id: 'recovery' }
const ownerName = 'recovery'
const ttlMs = 60_000
const nothingDone: Recovered = { recovered: false, keptDraft: false, closedCalls: 0 }

export async function recoverRun(
  log: TenantLog,
  sessionId: string,
  options: RecoverOptions = {},
): Promise<Recovered> {
  const { state, lease } = await log.reads.requireHead(sessionId)
  if (!isLive(state.head.run) || !isLost(lease, log.nowMs)) return nothingDone
  if (options.leaveAgents?.has(state.head.agentId)) return nothingDone
  const epoch = await takeOver(log, sessionId)
  if (epoch === undefined) return nothingDone
  return finish(log, state.head, epoch, options)
}

/** Another was first, the worker lives after all, or the expiry of the session ends the run. */
const notOurs: readonly string[] = ['lease_held', 'no_live_run', 'contention', 'session_expired']

/** Undefined: another was first, or the worker lives after all. */
async function takeOver(log: TenantLog, sessionId: string): Promise<number | undefined> {
  try {
    const terms = { actor: recoveryActor }
    const { epoch } = await log.writeFresh(
      sessionId,
      [{ type: 'takeOverRun', owner: ownerName, ttlMs }],
      terms,
    )
    return epoch
  } catch (error) {
    if (isHoldfastError(error) && notOurs.includes(error.code)) return undefined
    throw error
  }
}

async function finish(
  log: TenantLog,
  head: Head,
  epoch: number,
  options: RecoverOptions,
): Promise<Recovered> {
  const end = ending(head, options)
  const drafts = end.type === 'suspendRun' ? await log.store.listDrafts(log.tenantId, head.id) : []
  const commands: SessionCommand[] = [
    { type: 'closeCalls', reason: 'recovery' },
    ...(await interruptedMessage(log, head.id, head.run?.runId ?? '', drafts)),
    end,
  ]
  const terms = { actor: recoveryActor, epoch, dropDrafts: drafts.map(({ draftId }) => draftId) }
  const { events } = await log.write(head.id, commands, terms)
  const count = (wanted: string) => events.filter(({ type }) => type === wanted).length
  return {
    recovered: true,
    runId: head.run?.runId ?? '',
    keptDraft: count('message.appended') > 0,
    closedCalls: count('tool.finished'),
  }
}

/** A run that was finalizing can only fail. */
function ending(
  { run }: Head,
  { outcome = 'fail', error = 'the worker of this run was lost' }: RecoverOptions,
): SessionCommand {
  if (run?.state === 'finalizing') return { type: 'failRun', error, code: 'worker_lost' }
  if (outcome === 'suspend') return { type: 'suspendRun', reason: 'shutdown' }
  if (outcome === 'cancel') return { type: 'cancelRun', reason: error }
  return { type: 'failRun', error, code: 'worker_lost' }
}

/** The end of a run keeps its draft; a run that goes on needs it as a message of its own. */
export async function interruptedMessage(
  log: TenantLog,
  sessionId: string,
  runId: string,
  drafts: readonly OpenDraft[],
): Promise<SessionCommand<'append'>[]> {
  const draft = newestOf(drafts, runId)
  if (!draft) return []
  const { draftId } = draft
  const parts = interruptedParts(await log.store.readDraft(log.tenantId, sessionId, draftId, 0))
  if (parts.length === 0) return []
  const message = { role: 'assistant' as const, parts, finish: 'interrupted' as const }
  return [{ type: 'append', message, policy: 'enqueue', draftId }]
}
