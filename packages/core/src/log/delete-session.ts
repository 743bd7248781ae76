/** Deleting sessions: one with its children, what is based on it by `cascade`, or many by age and number. */
import { HoldfastError, limits } from '@holdfast/protocol'
import type { Lease } from '../session/deciding.ts'
import { isUnfinished } from '../session/lifecycle.ts'
import type { Head } from '../session/state.ts'
import { decodeHead } from './head-codec.ts'
import { missing } from './log-reads.ts'
import type { TenantLog } from './tenant-log.ts'

export interface DeleteOptions {
  /** Also the sessions that were forked from it. */
  cascade?: boolean
  /** Also when it is pinned or has a run that did not end. */
  force?: boolean
}

export interface Deleted {
  sessionIds: string[]
  events: number
}

export async function deleteSession(
  log: TenantLog,
  sessionId: string,
  { cascade = false, force = false }: DeleteOptions = {},
): Promise<Deleted> {
  const deleted: Deleted = { sessionIds: [], events: 0 }
  let root = (await log.reads.requireHead(sessionId)).state.head
  for (let tries = 1; ; tries++) {
    const heads = await closureOf(log, root, cascade)
    if (!force) for (const head of heads) requireDeletable(head)
    if (!cascade) await requireUnforked(log, heads)
    // Last found first: a crash between leaves no child without its parent, and no fork without its source.
    const left = await deleteAll(log, heads.map(({ id }) => id).reverse(), deleted)
    if (left === undefined) break
    // Forked meanwhile: with `cascade` the new fork is judged like the others, and goes too.
    if (!cascade || tries >= limits.commitTries) throw await hasForks(log, left)
    root = (await log.reads.requireHead(sessionId)).state.head
  }
  if (!deleted.sessionIds.includes(sessionId)) missing(sessionId)
  return deleted
}

/** Gives one that the store still refused when all else was gone; undefined when nothing is left. */
async function deleteAll(
  log: TenantLog,
  sessionIds: readonly string[],
  deleted: Deleted,
): Promise<string | undefined> {
  let left = sessionIds
  while (left.length > 0) {
    const refused = await deletePass(log, left, deleted)
    if (refused.length === left.length) return refused[0]
    left = refused
  }
  return undefined
}

/** Gives those that the store refused for now: one of the others may be a fork of it. */
async function deletePass(
  log: TenantLog,
  sessionIds: readonly string[],
  deleted: Deleted,
): Promise<string[]> {
  const refused: string[] = []
  for (const sessionId of sessionIds) {
    const outcome = await log.store.deleteSession(log.tenantId, sessionId, { cascade: false })
    if (outcome.status === 'has_forks') refused.push(sessionId)
    if (outcome.status !== 'deleted') continue
    deleted.sessionIds.push(...outcome.sessions)
    deleted.events += outcome.events
    for (const gone of outcome.sessions) log.forget(gone, true)
  }
  return refused
}

function requireDeletable(head: Head): void {
  if (head.pinned)
    throw new HoldfastError('session_pinned', `session ${head.id} is pinned; unpin it, or delete with force`)
  if (isUnfinished(head.run)) {
    throw new HoldfastError(
      'run_live',
      `run ${head.run.runId} of session ${head.id} has not ended; stop it, or delete with force`,
    )
  }
}

async function requireUnforked(log: TenantLog, heads: readonly Head[]): Promise<void> {
  const going = new Set(heads.map(({ id }) => id))
  for (const { id } of heads) {
    const forks = await log.store.listForks(log.tenantId, id)
    if (forks.some((fork) => !going.has(fork))) throw await hasForks(log, id)
  }
}

async function hasForks(log: TenantLog, sessionId: string): Promise<HoldfastError> {
  const forks = await log.store.listForks(log.tenantId, sessionId)
  return new HoldfastError(
    'has_forks',
    `${forks.length} sessions are forked from ${sessionId}; delete with cascade to delete them too`,
    { details: { forks: forks.slice(0, 100) } },
  )
}

/** The session, its children and with `cascade` the forks, of each of them again: each after those it rests on. */
async function closureOf(log: TenantLog, root: Head, cascade: boolean): Promise<Head[]> {
  const trees = new Map<string, Head[]>()
  const found = new Map([[root.id, root]])
  for (const head of found.values()) {
    for (const child of await childrenOf(log, head, trees)) found.set(child.id, child)
    if (cascade) for (const fork of await forksOf(log, head)) found.set(fork.id, fork)
  }
  return [...found.values()]
}

async function childrenOf(
  log: TenantLog,
  { id, rootSessionId }: Head,
  trees: Map<string, Head[]>,
): Promise<Head[]> {
  const tree = trees.get(rootSessionId) ?? (await treeOf(log, rootSessionId)).map(({ head }) => head)
  trees.set(rootSessionId, tree)
  return tree.filter((head) => head.parentSessionId === id)
}

async function forksOf(log: TenantLog, { id }: Head): Promise<Head[]> {
  const forks: Head[] = []
  for (const fork of await log.store.listForks(log.tenantId, id)) {
    const loaded = await log.reads.getHead(fork)
    if (loaded) forks.push(loaded.state.head)
  }
  return forks
}

/** Every session of a tree, oldest first. */
export async function treeOf(log: TenantLog, rootSessionId: string): Promise<{ head: Head; lease: Lease }[]> {
  const found: { head: Head; lease: Lease }[] = []
  let after: { key: number; id: string } | undefined
  for (;;) {
    const query = { index: 'root' as const, value: rootSessionId, limit: 1_000, ...(after && { after }) }
    const rows = await log.store.listHeads(log.tenantId, query)
    // One whose head is damaged cannot be placed in the tree; it hides none of the others.
    for (const row of rows) if (!row.damaged) found.push({ head: decodeHead(row.body), lease: row.lease })
    const last = rows.at(-1)
    if (!last || rows.length < 1_000) return found
    after = { key: last.key, id: last.sessionId }
  }
}

export interface PruneOptions {
  /** Sessions whose last change is longer ago go. */
  olderThanMs?: number
  /** Of the rest, only so many stay: those changed last. */
  keep?: number
  /** Says what would go, and deletes nothing. */
  dryRun?: boolean
  /** Most that one call deletes; default 1,000. */
  limit?: number
}

export interface Pruned {
  sessionIds: string[]
  /** Left because other sessions are based on them. */
  kept: string[]
  /** Left because their heads are damaged, so that nothing can be said of them. Absent: none. */
  damaged?: string[]
  dryRun: boolean
  /** More would go: call again. */
  more: boolean
}

/** Pinned sessions and those with a run that did not end are neither deleted nor counted. */
export async function pruneSessions(log: TenantLog, options: PruneOptions): Promise<Pruned> {
  const { olderThanMs, keep, dryRun = false, limit = 1_000 } = options
  if (olderThanMs === undefined && keep === undefined) {
    throw new HoldfastError('invalid_input', 'prune: say olderThanMs, keep, or both.')
  }
  const oldest = olderThanMs === undefined ? undefined : Math.floor((log.nowMs - olderThanMs) / 1_000)
  const { candidates, damaged, more } = await candidatesOf(log, { oldest, keep, limit })
  const told = damaged.length > 0 ? { damaged } : {}
  if (dryRun) return { sessionIds: candidates, kept: [], ...told, dryRun, more }
  const pruned: Pruned = { sessionIds: [], kept: [], ...told, dryRun, more }
  for (const sessionId of candidates) await pruneOne(log, sessionId, pruned)
  return pruned
}

async function pruneOne(log: TenantLog, sessionId: string, pruned: Pruned): Promise<void> {
  try {
    pruned.sessionIds.push(...(await deleteSession(log, sessionId)).sessionIds)
  } catch (error) {
    const codes = ['has_forks', 'session_pinned', 'run_live']
    if (!(error instanceof HoldfastError)) throw error
    if (codes.includes(error.code)) pruned.kept.push(sessionId)
    else if (error.code !== 'not_found') throw error
  }
}

/** Newest first, so the count is of those that were changed last. */
async function candidatesOf(
  log: TenantLog,
  { oldest, keep, limit }: { oldest: number | undefined; keep: number | undefined; limit: number },
): Promise<{ candidates: string[]; damaged: string[]; more: boolean }> {
  const candidates: string[] = []
  const damaged: string[] = []
  let stayed = 0
  let after: { key: number; id: string } | undefined
  for (;;) {
    const rows = await log.store.listHeads(log.tenantId, {
      index: 'all',
      limit: 1_000,
      ...(after && { after }),
    })
    for (const row of rows) {
      if (row.damaged) {
        damaged.push(row.sessionId)
        continue
      }
      const head = decodeHead(row.body)
      if (head.pinned || isUnfinished(head.run)) continue
      const isOld = oldest !== undefined && row.key < oldest
      const isOver = keep !== undefined && stayed >= keep
      if (!isOld && !isOver) stayed += 1
      else if (candidates.length >= limit) return { candidates, damaged, more: true }
      else candidates.push(row.sessionId)
    }
    const last = rows.at(-1)
    if (!last || rows.length < 1_000) return { candidates, damaged, more: false }
    after = { key: last.key, id: last.sessionId }
  }
}
