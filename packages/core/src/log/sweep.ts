/**
 * What the clock makes due: sessions past their expiry, questions past theirs, runs whose lease was lost, keys that were
 * kept long enough. Each is judged again on a fresh head, so that any number of sweeps may run at once. A sweep does a
 * bounded amount; what it could not do now is due again at the next.
 */
import { isHoldfastError } from '@holdfast/protocol'
import { isLive } from '../session/lifecycle.ts'
import type { DueKind } from '../store/store.ts'
import { type RecoverOptions, recoverRun, recoveryActor } from './recover.ts'
import type { TenantLog } from './tenant-log.ts'

export interface SweepOptions {
  /** Sessions of each kind that something is done for; default 200. Those that cannot be swept do not count. */
  limit?: number
  /** What becomes of a run whose worker was lost; `leave`: others see to it. */
  lostRuns?: RecoverOptions | 'leave'
}

export interface Swept {
  expiredSessions: number
  expiredQuestions: number
  recoveredRuns: number
  expiredKeys: number
  /** Sessions that could not be swept, with the code of their error; the others were. */
  failed: { sessionId: string; code: string }[]
}

export async function sweepTenant(
  log: TenantLog,
  options: SweepOptions = {},
): Promise<Omit<Swept, 'expiredKeys'>> {
  const failed: Swept['failed'] = []
  const each = (kind: DueKind, work: (sessionId: string) => Promise<boolean>) =>
    sweepDue(log, kind, options.limit ?? 200, work, failed)
  // Expiry goes before recovery: it ends a lost run of an expired session.
  const expiredSessions = await each('expiry', (sessionId) => expireSession(log, sessionId))
  const expiredQuestions = await each('question', (sessionId) => expireQuestion(log, sessionId))
  const recoveredRuns = await recoverAll(log, each, options.lostRuns)
  return { expiredSessions, expiredQuestions, recoveredRuns, failed }
}

async function recoverAll(
  log: TenantLog,
  each: (kind: DueKind, work: (sessionId: string) => Promise<boolean>) => Promise<number>,
  lostRuns: SweepOptions['lostRuns'],
): Promise<number> {
  if (lostRuns === 'leave') return 0
  return each('lease', async (sessionId) => (await recoverRun(log, sessionId, lostRuns)).recovered)
}

export function sweepKeys(log: TenantLog, limit = 1_000): Promise<number> {
  return log.store.sweepKeys(log.nowMs, limit)
}

/** One session's failure never hides another's turn. */
async function sweepDue(
  log: TenantLog,
  kind: DueKind,
  limit: number,
  work: (sessionId: string) => Promise<boolean>,
  failed: Swept['failed'],
): Promise<number> {
  const atMs = log.nowMs
  let done = 0
  // What is left undone stays at the head of the list.
  let undone = 0
  while (done < limit) {
    const due = await log.store.listDue(log.tenantId, kind, atMs, limit - done, undone)
    if (due.length === 0) break
    for (const sessionId of due) {
      if (await isDone(sessionId, work, failed)) done += 1
      else undone += 1
    }
  }
  return done
}

async function isDone(
  sessionId: string,
  work: (sessionId: string) => Promise<boolean>,
  failed: Swept['failed'],
): Promise<boolean> {
  try {
    return await work(sessionId)
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    if (!isSettled(error.code)) failed.push({ sessionId, code: error.code })
    return false
  }
}

/** Others did it meanwhile, or a live worker will. */
function isSettled(code: string): boolean {
  return code === 'run_live' || code === 'not_found' || code === 'stale_epoch'
}

/** A run that nobody holds any more ends with its session, under the epoch that was lost. */
export async function expireSession(log: TenantLog, sessionId: string): Promise<boolean> {
  const { state, lease } = await log.reads.requireHead(sessionId)
  const epoch = isLive(state.head.run) && lease.owner !== undefined ? lease.epoch : undefined
  const { events } = await log.writeFresh(sessionId, [{ type: 'expire' }], { actor: recoveryActor, epoch })
  return events.length > 0
}

async function expireQuestion(log: TenantLog, sessionId: string): Promise<boolean> {
  const { question } = (await log.reads.requireHead(sessionId)).state.head
  if (!question) return false
  const command = { type: 'expireQuestion' as const, questionId: question.questionId }
  const { events } = await log.writeFresh(sessionId, [command], { actor: recoveryActor })
  return events.length > 0
}
