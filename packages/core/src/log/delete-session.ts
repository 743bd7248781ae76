/** Deleting a session with its children, and by `cascade` with what is based on them. */
import { HoldfastError } from '@holdfast/protocol'
import { isUnfinished } from '../session/lifecycle.ts'
import { eachHead, type FoundHead, findHead, type ListedHead, unreadable } from './each-head.ts'
import { missing } from './log-reads.ts'
import { type Finality, finality } from './receipt.ts'
import type { TenantLog } from './tenant-log.ts'

export interface DeleteOptions {
  /** Also the sessions that were forked from it. */
  cascade?: boolean
  /** Also when it is pinned or has a run that did not end. A hold is not forced. */
  force?: boolean
  /**
   * Also those whose heads cannot be read, although one of them may be held, pinned or at work: for what neither a repair
   * nor a backup brings back.
   */
  damaged?: boolean
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
  const deleted: DeletedSessions = { sessionIds: [], events: 0 }
  await deleteJudged(log, sessionId, options, deleted)
  return { ...deleted, ...(await finality(log, { scrub })) }
}

/** Adds to `deleted` what goes, also when it throws half-way. */
export async function deleteJudged(
  log: TenantLog,
  sessionId: string,
  { cascade = false, ...judgement }: DeleteOptions,
  deleted: DeletedSessions,
): Promise<void> {
  for (let tries = 1; tries <= deleteTries; tries++) {
    const root = (await findHead(log, sessionId)) ?? missing(sessionId)
    const heads = await closureOf(log, root, cascade)
    for (const found of heads) requireDeletable(found, judgement)
    if (!cascade) await requireUnforked(log, heads)
    if (!(await deleteAll(log, heads, deleted))) continue
    if (!deleted.sessionIds.includes(sessionId)) missing(sessionId)
    return
  }
  throw new HoldfastError('contention', `session ${sessionId} moved ${deleteTries} times; delete it again`)
}

/**
 * The first of them last, and each only as it was judged. False: some are left, which moved or were forked meanwhile.
 * After a crash between two of them what is left is whole: no fork without its source.
 */
export async function deleteAll(
  log: TenantLog,
  [root, ...others]: readonly FoundHead[],
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
async function deletePass(
  log: TenantLog,
  heads: readonly FoundHead[],
  deleted: DeletedSessions,
): Promise<FoundHead[]> {
  const refused: FoundHead[] = []
  for (const found of heads) {
    const { sessionId, head } = found
    const judged = { cascade: false, ...(head && { seq: head.seq }) }
    const outcome = await log.store.deleteSession(log.tenantId, sessionId, judged)
    if (outcome.status === 'has_forks' || outcome.status === 'moved') refused.push(found)
    if (outcome.status !== 'deleted') continue
    deleted.sessionIds.push(...outcome.sessions)
    deleted.events += outcome.events
    for (const gone of outcome.sessions) log.forget(gone, true)
  }
  return refused
}

function requireDeletable(
  { sessionId, head }: FoundHead,
  { force = false, damaged = false }: Pick<DeleteOptions, 'force' | 'damaged'>,
): void {
  if (!head) {
    if (damaged) return
    throw unreadable(sessionId, 'repair it, or delete with damaged')
  }
  if (head.held) {
    throw new HoldfastError('session_held', `session ${sessionId} is under a legal hold; lift it first`, {
      details: { sessionId },
    })
  }
  if (force) return
  if (head.pinned)
    throw new HoldfastError(
      'session_pinned',
      `session ${sessionId} is pinned; unpin it, or delete with force`,
    )
  if (isUnfinished(head.run)) {
    throw new HoldfastError(
      'run_live',
      `run ${head.run.runId} of session ${sessionId} has not ended; stop it, or delete with force`,
    )
  }
}

async function requireUnforked(log: TenantLog, heads: readonly FoundHead[]): Promise<void> {
  const going = new Set(heads.map(({ sessionId }) => sessionId))
  for (const id of going) {
    const forks = await log.store.listForks(log.tenantId, id)
    if (forks.every((fork) => going.has(fork))) continue
    throw new HoldfastError(
      'has_forks',
      `session ${id} has forks (${forks.length}); delete with cascade to delete them too`,
      { details: { forks: forks.slice(0, 100) } },
    )
  }
}

/** The session, its children and with `cascade` the forks, of each of them again: each after those it rests on. */
async function closureOf(log: TenantLog, root: FoundHead, cascade: boolean): Promise<FoundHead[]> {
  const trees = new Map<string, FoundHead[]>()
  const found = new Map([[root.sessionId, root]])
  for (const one of found.values()) {
    for (const child of await childrenOf(log, one, trees)) found.set(child.sessionId, child)
    if (cascade) for (const fork of await forksOf(log, one.sessionId)) found.set(fork.sessionId, fork)
  }
  return [...found.values()]
}

async function childrenOf(
  log: TenantLog,
  { sessionId, head }: FoundHead,
  trees: Map<string, FoundHead[]>,
): Promise<FoundHead[]> {
  const root = head?.rootSessionId ?? (await rootByRow(log, sessionId))
  const tree = trees.get(root) ?? (await treeOf(log, root))
  trees.set(root, tree)
  const children: FoundHead[] = []
  for (const one of tree) if (await isChild(log, one, sessionId)) children.push(one)
  return children
}

async function rootByRow(log: TenantLog, sessionId: string): Promise<string> {
  const row = await log.store.readRawSession(log.tenantId, sessionId)
  return row?.head.rootSessionId ?? sessionId
}

/** One whose head cannot be read is a child of the session that says to have spawned it. */
async function isChild(log: TenantLog, { sessionId, head }: FoundHead, parent: string): Promise<boolean> {
  if (head) return head.parentSessionId === parent
  return (await log.store.readRefs(log.tenantId, parent, 'child', sessionId)).length > 0
}

export async function forksOf(log: TenantLog, sessionId: string): Promise<FoundHead[]> {
  const forks: FoundHead[] = []
  for (const id of await log.store.listForks(log.tenantId, sessionId)) {
    const fork = await findHead(log, id)
    if (fork) forks.push(fork)
  }
  return forks
}

/** Every session of a tree, each after its parent; those that cannot be placed come last. */
export async function treeOf(log: TenantLog, rootSessionId: string): Promise<ListedHead[]> {
  const tree: ListedHead[] = []
  for await (const one of eachHead(log, { index: 'root', value: rootSessionId })) tree.push(one)
  const children = Map.groupBy(tree, ({ head }) => head?.parentSessionId)
  const placed = new Set(tree.filter(({ sessionId }) => sessionId === rootSessionId))
  for (const { sessionId } of placed) for (const child of children.get(sessionId) ?? []) placed.add(child)
  return [...placed, ...tree.filter((one) => !placed.has(one))]
}
