/** Deleting a session with its children, and by `cascade` with what is based on them. */
import { HoldfastError } from '@holdfast/protocol'
import type { Lease } from '../session/deciding.ts'
import { isUnfinished } from '../session/lifecycle.ts'
import type { Head } from '../session/state.ts'
import { decodeHead } from './head-codec.ts'
import { missing } from './log-reads.ts'
import { type Finality, finality } from './receipt.ts'
import type { TenantLog } from './tenant-log.ts'

export interface DeleteOptions {
  /** Also the sessions that were forked from it. */
  cascade?: boolean
  /** Also when it is pinned or has a run that did not end. A hold is not forced. */
  force?: boolean
  /** Makes it final at once; default false, as it costs the size of the store: delete many, then scrub once. */
  scrub?: boolean
}

export interface Deleted extends Finality {
  sessionIds: string[]
  events: number
}

export type DeletedSessions = Pick<Deleted, 'sessionIds' | 'events'>

/** Each deletion is of the head that it was judged by; so often it is judged again when that moves. */
const deleteTries = 64

export async function deleteSession(
  log: TenantLog,
  sessionId: string,
  { scrub = false, ...options }: DeleteOptions = {},
): Promise<Deleted> {
  const deleted = await deleteJudged(log, sessionId, options)
  return { ...deleted, ...(await finality(log, { scrub })) }
}

export async function deleteJudged(
  log: TenantLog,
  sessionId: string,
  { cascade = false, force = false }: DeleteOptions,
): Promise<DeletedSessions> {
  const deleted: DeletedSessions = { sessionIds: [], events: 0 }
  for (let tries = 1; tries <= deleteTries; tries++) {
    const root = (await log.reads.requireHead(sessionId)).state.head
    const heads = await closureOf(log, root, cascade)
    for (const head of heads) requireDeletable(head, force)
    if (!cascade) await requireUnforked(log, heads)
    if (!(await deleteAll(log, heads, deleted))) continue
    if (!deleted.sessionIds.includes(sessionId)) missing(sessionId)
    return deleted
  }
  throw new HoldfastError('contention', `session ${sessionId} moved ${deleteTries} times; delete it again`)
}

/**
 * The first of them last, and each only as it was judged. False: some are left, which moved or were forked meanwhile.
 * After a crash between two of them what is left is whole: no fork without its source.
 */
export async function deleteAll(
  log: TenantLog,
  [root, ...others]: readonly Head[],
  deleted: DeletedSessions,
): Promise<boolean> {
  let left = others.reverse()
  while (left.length > 0) {
    const refused = await deletePass(log, left, deleted)
    if (refused.length === left.length) return false
    left = refused
  }
  return root === undefined || (await deletePass(log, [root], deleted)).length === 0
}

/** Gives those that the store refused for now: one of the others may be a fork of it. */
async function deletePass(log: TenantLog, heads: readonly Head[], deleted: DeletedSessions): Promise<Head[]> {
  const refused: Head[] = []
  for (const head of heads) {
    const outcome = await log.store.deleteSession(log.tenantId, head.id, { cascade: false, seq: head.seq })
    if (outcome.status === 'has_forks' || outcome.status === 'moved') refused.push(head)
    if (outcome.status !== 'deleted') continue
    deleted.sessionIds.push(...outcome.sessions)
    deleted.events += outcome.events
    for (const gone of outcome.sessions) log.forget(gone, true)
  }
  return refused
}

function requireDeletable(head: Head, force: boolean): void {
  if (head.held) {
    throw new HoldfastError('session_held', `session ${head.id} is under a legal hold; lift it first`)
  }
  if (force) return
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
    if (forks.every((fork) => going.has(fork))) continue
    throw new HoldfastError(
      'has_forks',
      `${forks.length} sessions are forked from ${id}; delete with cascade to delete them too`,
      { details: { forks: forks.slice(0, 100) } },
    )
  }
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

export async function forksOf(log: TenantLog, { id }: Head): Promise<Head[]> {
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
