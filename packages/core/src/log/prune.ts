/**
 * Deleting by age and number. A tree goes whole, and what others are based on goes only with all of them; what is
 * pinned, held, at work or asked about stays. Each tree is judged when its turn comes and deleted only as it was
 * judged, so any number of processes may prune at once, and one that died is followed by another that begins anew.
 */
import { HoldfastError, limits } from '@holdfast/protocol'
import type { Lease } from '../session/deciding.ts'
import { isUnfinished } from '../session/lifecycle.ts'
import type { Head } from '../session/state.ts'
import { deleteAll, forksOf, treeOf } from './delete-session.ts'
import { eachHead, findHead, type ListedHead } from './each-head.ts'
import { headRow } from './head-codec.ts'
import { requestHash } from './key-hash.ts'
import {
  activityIndexes,
  decodeListCursor,
  encodeListCursor,
  given,
  type ListPlan,
  type Position,
  planList,
  type SessionFilters,
} from './list-sessions.ts'
import { type Finality, finality } from './receipt.ts'
import { pageLimit } from './session-read.ts'
import { sessionSummary } from './summary-view.ts'
import type { TenantLog } from './tenant-log.ts'

export interface PruneOptions {
  /** Sessions whose last change is longer ago go. */
  olderThanMs?: number
  /** Of the rest, only so many stay: those changed last. Children and sessions that are spared do not count. */
  keepNewest?: number
  /** Only these sessions; children go with their root, whatever they are. */
  filter?: SessionFilters
  /** Says what would go, and deletes nothing. */
  dryRun?: boolean
  /** Most sessions that one call deletes, but one tree at least; default and maximum 1,000. */
  limit?: number
  /** Where an earlier call stopped. */
  after?: string
  /** Makes it final at once; default false, as it costs the size of the store: prune all, then scrub once. */
  scrub?: boolean
}

/**
 * Why a session is spared, or one of its tree. `running`: a run that did not end. `question`: it waits for an answer.
 * `recent`: changed since, or not to go yet. `forked`: sessions that stay are based on it.
 * `damaged`: the head of one that would go with it cannot be read, so nobody can say whether it is held.
 */
export type Spared = 'damaged' | 'held' | 'pinned' | 'running' | 'question' | 'recent' | 'forked'

export interface Pruned extends Finality {
  /** Deleted, or with `dryRun` what the same call without it would delete. */
  sessionIds: string[]
  /** How many events they had; 0 with `dryRun`. */
  events: number
  /** Sessions of this stretch that would be due, and stay. */
  kept: { sessionId: string; reason: Spared }[]
  /** Left because their heads are damaged, or of a newer version: nothing can be said of them. Absent: none. */
  damaged?: string[]
  dryRun: boolean
  /** Give it as `after`; absent when nothing more is due. */
  next?: string
}

export async function pruneSessions(log: TenantLog, options: PruneOptions): Promise<Pruned> {
  const { filter = {}, after, dryRun = false } = options
  checkOptions(options)
  // The tests are all of them, also what the index gives: they judge forks that the list never named.
  const plan = { ...planList(filter, activityIndexes), tests: planList(filter, []).tests }
  const bound = requestHash('prune', plan.index, [
    given(filter),
    options.olderThanMs ?? null,
    options.keepNewest ?? null,
  ])
  const start = after === undefined ? undefined : decodeListCursor(after, bound)
  const cut = await cutOf(log, plan, options)
  const pruning = new Pruning(log, plan, cut, { dryRun, limit: pageLimit(options.limit ?? limits.pageItems) })
  const end = await pruning.run(start && isAfter(start, cut) ? start : cut)
  return {
    ...pruning.result(),
    ...(end && { next: encodeListCursor(end, bound) }),
    ...(await finality(log, { scrub: options.scrub === true && !dryRun })),
  }
}

const optionNames: readonly string[] = [
  'olderThanMs',
  'keepNewest',
  'filter',
  'dryRun',
  'limit',
  'after',
  'scrub',
] satisfies (keyof PruneOptions)[]

/** A misspelt option would delete more than was meant. */
function checkOptions({ olderThanMs, keepNewest, ...options }: PruneOptions): void {
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name))
  if (unknown !== undefined) {
    throw new HoldfastError(
      'invalid_input',
      `prune: unknown ${unknown}; known are ${optionNames.join(', ')}.`,
    )
  }
  if (olderThanMs === undefined && keepNewest === undefined) {
    throw new HoldfastError('invalid_input', 'prune: say olderThanMs, keepNewest, or both.')
  }
  for (const [name, value] of Object.entries({ olderThanMs, keepNewest })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) continue
    throw new HoldfastError('invalid_input', `prune: ${name}: expected a whole number of at least 0.`)
  }
}

const beforeAll: Position = { key: Number.MAX_SAFE_INTEGER, id: '' }
const afterAll: Position = { key: Number.MIN_SAFE_INTEGER, id: '' }

/** In a list of newest activity first. */
function isAfter(a: Position, b: Position): boolean {
  return a.key < b.key || (a.key === b.key && a.id < b.id)
}

function placeOf(head: Head): Position {
  return { key: headRow(head).activity, id: head.id }
}

/** What stands after it in the list is due, by age or by number. */
async function cutOf(
  log: TenantLog,
  plan: ListPlan,
  { olderThanMs, keepNewest }: PruneOptions,
): Promise<Position> {
  const oldest = olderThanMs === undefined ? afterAll : { key: secondsAgo(log, olderThanMs), id: '' }
  if (keepNewest === undefined) return oldest
  if (keepNewest === 0) return beforeAll
  let stayed = 0
  for await (const { key, sessionId, head, lease } of eachHead(log, { ...plan.query, after: beforeAll })) {
    const at = { key, id: sessionId }
    if (isAfter(at, oldest)) return oldest
    if (head?.lineage !== 'root' || sparedFor(head) || !passes(plan, head, lease, log.nowMs)) continue
    stayed += 1
    if (stayed === keepNewest) return at
  }
  return oldest
}

function secondsAgo(log: TenantLog, ms: number): number {
  return Math.floor((log.nowMs - ms) / 1_000)
}

function passes({ tests }: ListPlan, head: Head, lease: Lease, nowMs: number): boolean {
  if (tests.length === 0) return true
  const summary = sessionSummary(head, lease, nowMs)
  return tests.every((test) => test(head, summary))
}

function sparedFor(head: Head): Spared | undefined {
  if (head.held) return 'held'
  if (head.pinned) return 'pinned'
  if (isUnfinished(head.run)) return 'running'
  return head.question ? 'question' : undefined
}

/** So often a tree is judged again that changes between its judgement and its deletion. */
const judgements = 8

/** One call on its way down the list. */
class Pruning {
  readonly #log: TenantLog
  readonly #plan: ListPlan
  readonly #cut: Position
  readonly #dryRun: boolean
  readonly #limit: number
  readonly #deleted = { sessionIds: [] as string[], events: 0 }
  readonly #kept: Pruned['kept'] = []
  readonly #damaged: string[] = []
  /** Roots that had their turn. */
  readonly #judged = new Set<string>()

  constructor(
    log: TenantLog,
    plan: ListPlan,
    cut: Position,
    { dryRun, limit }: { dryRun: boolean; limit: number },
  ) {
    this.#log = log
    this.#plan = plan
    this.#cut = cut
    this.#dryRun = dryRun
    this.#limit = limit
  }

  result(): Omit<Pruned, 'next' | keyof Finality> {
    return {
      ...this.#deleted,
      kept: this.#kept,
      ...(this.#damaged.length > 0 && { damaged: this.#damaged }),
      dryRun: this.#dryRun,
    }
  }

  /** Gives where it stopped; undefined at the end of the list. */
  async run(start: Position): Promise<Position | undefined> {
    let at = start
    let looked = 0
    for await (const one of eachHead(this.#log, { ...this.#plan.query, after: start })) {
      if (looked === limits.listScanRows || !(await this.#isDone(one))) return at
      at = { key: one.key, id: one.sessionId }
      looked += 1
    }
    return undefined
  }

  /** False: the call has deleted as much as it may. */
  async #isDone({ sessionId, head, lease }: ListedHead): Promise<boolean> {
    if (!head) {
      this.#damaged.push(sessionId)
      return true
    }
    const { id, rootSessionId } = head
    if (this.#judged.has(rootSessionId)) return true
    // A child has its turn with its root; one whose root is gone has its own.
    if (id !== rootSessionId && (await findHead(this.#log, rootSessionId))) return true
    if (!passes(this.#plan, head, lease, this.#log.nowMs)) return true
    if (this.#dryRun && (await this.#goesBefore(head))) return true
    if (!(await this.#pruneTree(head))) return false
    this.#judged.add(rootSessionId)
    return true
  }

  /** With a tree it is forked from, whose turn came before, perhaps in an earlier call: really deleted, it would be gone. */
  async #goesBefore(fork: Head): Promise<boolean> {
    for (const { sessionId } of await this.#log.store.readSegments(this.#log.tenantId, fork.id)) {
      const source = (await findHead(this.#log, sessionId))?.head
      const root = source && (await findHead(this.#log, source.rootSessionId))?.head
      if (!root || !isAfter(placeOf(fork), placeOf(root))) continue
      if ((await this.#judge(root.id)).spared === undefined) return true
    }
    return false
  }

  /** The tree of the session whose turn it is: its root, if that is not gone. */
  async #pruneTree(first: Head): Promise<boolean> {
    const { id: sessionId, rootSessionId } = first
    for (let tries = 1; tries <= judgements; tries++) {
      const judged = await this.#judge(rootSessionId)
      if (judged.spared) {
        this.#kept.push({ sessionId, reason: judged.spared })
        return true
      }
      const heads = this.#dryRun ? notGoneBefore(placeOf(first), judged.heads) : judged.heads
      const { sessionIds } = this.#deleted
      if (sessionIds.length > 0 && sessionIds.length + heads.length > this.#limit) return false
      for (const head of heads) this.#judged.add(head.rootSessionId)
      if (this.#dryRun) sessionIds.push(...heads.map(({ id }) => id).reverse())
      if (this.#dryRun || (await this.#deleteAll(heads))) return true
    }
    this.#kept.push({ sessionId, reason: 'recent' })
    return true
  }

  #deleteAll(heads: readonly Head[]): Promise<boolean> {
    const found = heads.map((head) => ({ sessionId: head.id, head }))
    return deleteAll(this.#log, found, this.#deleted)
  }

  /** The tree and every tree that is based on it, each after those it rests on; or why they stay. */
  async #judge(rootSessionId: string): Promise<{ heads: Head[]; spared?: never } | { spared: Spared }> {
    const heads: Head[] = []
    const roots = new Set([rootSessionId])
    for (const root of roots) {
      const tree = await treeOf(this.#log, root)
      const spared = this.#spared(tree, root)
      if (spared) return { spared: root === rootSessionId || spared === 'damaged' ? spared : 'forked' }
      for (const { head, sessionId } of tree) {
        if (head) heads.push(head)
        for (const fork of await forksOf(this.#log, sessionId)) {
          if (!fork.head) return { spared: 'damaged' }
          roots.add(fork.head.rootSessionId)
        }
      }
    }
    return { heads }
  }

  #spared(tree: readonly ListedHead[], root: string): Spared | undefined {
    for (const { head } of tree) {
      const spared = head ? sparedFor(head) : 'damaged'
      if (spared) return spared
      if (head && !isAfter(placeOf(head), this.#cut)) return 'recent'
    }
    const own = tree.find(({ sessionId }) => sessionId === root)
    const isOther = own?.head && !passes(this.#plan, own.head, own.lease, this.#log.nowMs)
    return isOther ? 'recent' : undefined
  }
}

/** Without the trees that had their turn before this one, perhaps in an earlier call: really deleted, they would be gone. */
function notGoneBefore(turn: Position, heads: readonly Head[]): Head[] {
  const places = new Map(heads.map((head) => [head.id, placeOf(head)]))
  return heads.filter(({ rootSessionId }) => {
    const root = places.get(rootSessionId)
    return root === undefined || !isAfter(turn, root)
  })
}
