/**
 * What was left open and will not close by itself: a run whose worker is gone, calls outside a run, children whose end
 * was not told, drafts of no run. What a host may still be about to do is left alone for a while.
 */
import { isHoldfastError, limits, toMs } from '@holdfast/protocol'
import type { Commands } from '../../session/command.ts'
import { interruptedParts } from '../../session/decide/draft-end.ts'
import type { SessionCommand } from '../../session/decide/index.ts'
import { isLost, type Lease } from '../../session/deciding.ts'
import { isLive, isUnfinished, lifecycleOf } from '../../session/lifecycle.ts'
import { type ChildHead, type Head, loadedPart, type State } from '../../session/state.ts'
import type { OpenDraft, StoredChunk } from '../../store/store.ts'
import type { TenantLog } from '../tenant-log.ts'
import { type Discovery, discovery } from './discovery.ts'
import { unlessCorrupt } from './unless-corrupt.ts'

/** How long something may stay open before it counts as left: no lease is longer. */
const patienceMs = limits.leaseTtlMs

/** `isStill`: nothing was written since the state. */
export async function* checkLife(
  log: TenantLog,
  state: State,
  lease: Lease,
  isStill: () => Promise<boolean>,
): AsyncGenerator<Discovery> {
  const { head } = state
  if (isLive(head.run) && isLost(lease, log.nowMs)) {
    const message = `run ${head.run.runId} is ${head.run.state} and nobody holds its lease`
    yield discovery('run_lost', head.id, message, { fix: { type: 'recover' } })
  }
  yield* openCalls(log, head)
  yield* children(log, state)
  yield* drafts(log, head, isStill)
}

function* openCalls(log: TenantLog, head: Head): Generator<Discovery> {
  const count = head.openCalls.length
  if (count === 0 || isUnfinished(head.run) || lifecycleOf(head, log.nowMs) !== 'active') return
  if (log.nowMs - toMs(head.updatedAt) < patienceMs) return
  const message = `${count} calls outside a run have waited for their results since ${head.updatedAt}`
  const commands: SessionCommand[] = [{ type: 'closeCalls', reason: 'repair' }]
  yield discovery('calls_open', head.id, message, { fix: { type: 'append', commands } })
}

async function* children(log: TenantLog, state: State): AsyncGenerator<Discovery> {
  for (const child of loadedPart(state.parts, 'children')?.open ?? []) {
    const end = await endOf(log, state.head.id, child)
    if (!end) continue
    const message = `child ${child.childId} ${end.outcome === 'failed' ? 'is not there' : 'has ended'}, and its parent was not told`
    const commands: SessionCommand[] = [{ type: 'finishChild', childId: child.childId, ...end }]
    yield discovery('child_open', state.head.id, message, { fix: { type: 'append', commands } })
  }
}

type ChildEnd = Pick<Commands['finishChild'], 'outcome' | 'spent'>

/** Undefined: it goes on, or whoever follows it may still tell. */
async function endOf(
  log: TenantLog,
  parentId: string,
  { childId }: ChildHead,
): Promise<ChildEnd | undefined> {
  const head = await headOf(log, childId)
  if (head === 'damaged') return undefined
  if (head === undefined) return unlessCorrupt(() => missingChild(log, parentId, childId))
  const lifecycle = lifecycleOf(head, log.nowMs)
  if (lifecycle !== 'closed' && lifecycle !== 'expired') return undefined
  if (log.nowMs - toMs(head.endedAt ?? head.updatedAt) < patienceMs) return undefined
  const { counters, spend } = head
  return {
    outcome: head.outcome ?? (lifecycle === 'closed' ? 'completed' : 'cancelled'),
    spent: {
      tokens: counters.promptTokens + counters.completionTokens + spend.childTokens,
      costMicrocents: counters.costMicrocents + spend.childMicrocents,
      toolCalls: spend.toolCalls + spend.childToolCalls,
    },
  }
}

async function headOf(log: TenantLog, sessionId: string): Promise<Head | 'damaged' | undefined> {
  try {
    return (await log.reads.getHead(sessionId))?.state.head
  } catch (error) {
    if (isHoldfastError(error, 'store_corrupt') || isHoldfastError(error, 'store_unsupported'))
      return 'damaged'
    throw error
  }
}

/** Deleted, or never made: what the ledger has of it is what it spent. */
async function missingChild(
  log: TenantLog,
  parentId: string,
  childId: string,
): Promise<ChildEnd | undefined> {
  const [seq] = await log.store.readRefs(log.tenantId, parentId, 'child', childId)
  const spawned = seq === undefined ? undefined : await log.reads.getEvent(parentId, seq)
  if (spawned && log.nowMs - toMs(spawned.at) < patienceMs) return undefined
  const sums = await log.store.sumUsage(log.tenantId, { sessionId: childId })
  const tokens = sums.promptTokens + sums.completionTokens
  return { outcome: 'failed', spent: { tokens, costMicrocents: sums.costMicrocents, toolCalls: 0 } }
}

async function* drafts(
  log: TenantLog,
  head: Head,
  isStill: () => Promise<boolean>,
): AsyncGenerator<Discovery> {
  const open = await unlessCorrupt(() => log.store.listDrafts(log.tenantId, head.id))
  if (!open) yield discovery('draft_damaged', head.id, 'a draft fails its checksum')
  for (const draft of open ?? []) {
    // A run may have begun since, and this may be what it writes.
    if (!(await isStill())) return
    const chunks = await unlessCorrupt(() => log.store.readDraft(log.tenantId, head.id, draft.draftId, 0))
    if (!chunks || !isGapFree(chunks, draft)) {
      const message = `draft ${draft.draftId} has not all of its ${draft.last} chunks, or one fails its checksum`
      yield discovery('draft_damaged', head.id, message)
    }
    // Its text may be nowhere else.
    if (!chunks) continue
    if (isUnfinished(head.run) && head.run.runId === draft.runId) continue
    const message = `draft ${draft.draftId} is of run ${draft.runId}, which is not under way`
    const commands = keptText(log, head, draft.draftId, chunks)
    const fix = { type: 'append', commands, dropDrafts: [draft.draftId] } as const
    yield discovery('draft_stray', head.id, message, { fix })
  }
}

function isGapFree(chunks: readonly StoredChunk[], { last }: OpenDraft): boolean {
  return chunks.length === last && chunks.every(({ chunk }, index) => chunk === index + 1)
}

/** Text that readers have seen stays, where a message may still be written. */
function keptText(
  log: TenantLog,
  head: Head,
  draftId: string,
  chunks: readonly StoredChunk[],
): SessionCommand[] {
  const parts = interruptedParts(chunks)
  const mayWrite = lifecycleOf(head, log.nowMs) === 'active' && !isUnfinished(head.run)
  if (parts.length === 0 || !mayWrite) return []
  const message = { role: 'assistant', parts, finish: 'interrupted' } as const
  return [{ type: 'append', message, policy: 'enqueue', draftId }]
}
