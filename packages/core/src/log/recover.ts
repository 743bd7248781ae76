/**
 * What is done about a run whose worker is gone: its lease is taken over, the text of its draft becomes a message that
 * says it was interrupted, open calls are closed as "outcome unknown", and the run is ended or left for another worker.
 * Each step may be repeated after a crash of the recovery itself.
 */
import { type Actor, isHoldfastError, type MessagePart } from '@holdfast/protocol'
import type { SessionCommand } from '../session/decide/index.ts'
import { isLost } from '../session/deciding.ts'
import { isLive } from '../session/lifecycle.ts'
import type { Head } from '../session/state.ts'
import type { OpenDraft, StoredChunk } from '../store/store.ts'
import type { TenantLog } from './tenant-log.ts'

export interface RecoverOptions {
  /** `fail` (default) and `cancel` end the run; `suspend` leaves it for another worker to resume. */
  outcome?: 'fail' | 'cancel' | 'suspend'
  /** Shown in the failed run. */
  error?: string
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
  const sessionId = head.id
  const runId = head.run?.runId ?? ''
  const drafts = await log.store.listDrafts(log.tenantId, sessionId)
  const message = await interruptedMessage(log, sessionId, drafts, runId)
  const commands: SessionCommand[] = [
    { type: 'closeCalls', reason: 'recovery' },
    ...(message ? [message] : []),
    ending(options),
  ]
  const terms = { actor: recoveryActor, epoch, dropDrafts: drafts.map(({ draftId }) => draftId) }
  const { events } = await log.write(sessionId, commands, terms)
  const closedCalls = events.filter(({ type }) => type === 'tool.finished').length
  return { recovered: true, runId, keptDraft: message !== undefined, closedCalls }
}

function ending({
  outcome = 'fail',
  error = 'the worker of this run was lost',
}: RecoverOptions): SessionCommand {
  if (outcome === 'suspend') return { type: 'suspendRun', reason: 'shutdown' }
  if (outcome === 'cancel') return { type: 'cancelRun', reason: error }
  return { type: 'failRun', error, code: 'worker_lost' }
}

/** The newest draft of the run as a message; undefined when it had no text. */
async function interruptedMessage(
  log: TenantLog,
  sessionId: string,
  drafts: readonly OpenDraft[],
  runId: string,
): Promise<SessionCommand | undefined> {
  const own = drafts.filter((draft) => draft.runId === runId)
  const draft = own.toSorted((a, b) => a.epoch - b.epoch).at(-1)
  if (!draft) return undefined
  const chunks = await log.store.readDraft(log.tenantId, sessionId, draft.draftId, 0)
  if (chunks.length === 0) return undefined
  const message = { role: 'assistant' as const, parts: partsOf(chunks), finish: 'interrupted' as const }
  return { type: 'append', message, policy: 'enqueue', draftId: draft.draftId }
}

function partsOf(chunks: readonly StoredChunk[]): MessagePart[] {
  const parts: { type: 'text' | 'reasoning'; text: string }[] = []
  for (const { kind, text } of chunks) {
    const last = parts.at(-1)
    if (last?.type === kind) last.text += text
    else parts.push({ type: kind, text })
  }
  return parts
}
