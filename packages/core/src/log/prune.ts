/**
 * Deleting by age and number. A tree goes whole, and what others are based on goes only with all of them; what is
 * pinned, held, at work or asked about stays. Each tree is judged when its turn comes and deleted only as it was
 * judged, so any number of processes may prune at once, and one that died is followed by another that begins anew.
 */
import { HoldfastError, limits } from '@holdfast/protocol'
import type { Lease } from '../session/deciding.ts'
import { isUnfinished } from '../session/lifecycle.ts'
import type { Head } from '../session/state.ts'
import type { ListRow } from '../store/store.ts'
import { deleteAll, forksOf, treeOf } from './delete-session.ts'
import { decodeHead, headRow } from './head-codec.ts'
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
 */
export type Spared = 'held' | 'pinned' | 'running' | 'question' | 'recent' | 'forked'

export interface Pruned extends Finality {
  /** Deleted, or with `dryRun` what the same call without it would delete. */
  sessionIds: string[]
  /** How many events they had; 0 with `dryRun`. */
  events: number
  /** Sessions of this stretch that would be due, and stay. */
  kept: { sessionId: string; reason: Spared }[]
  /** Left because their heads are damaged, so that nothing can be said of them. Absent: none. */
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
  for await (const row of rowsAfter(log, plan, beforeAll)) {
    const at = { key: row.key, id: row.sessionId }
    if (isAfter(at, oldest)) return oldest
    if (row.damaged) continue
    const head = decodeHead(row.body)
    if (head.lineage !== 'root' || sparedFor(head) || !passes(plan, head, row.lease, log.nowMs)) continue
    stayed += 1
    if (stayed === keepNewest) return at
  }
  return oldest
}

function secondsAgo(log: TenantLog, ms: number): number {
  return Math.floor((log.nowMs - ms) / 1_000)
}

async function* rowsAfter(log: TenantLog, plan: ListPlan, start: Position): AsyncGenerator<ListRow> {
  let after = start
  for (;;) {
    const rows = await log.store.listHeads(log.tenantId, { ...plan.query, after, limit: limits.pageItems })
    yield* rows
    const last = rows.at(-1)
    if (!last || rows.length < limits.pageItems) return
    after = { key: last.key, id: last.sessionId }
  }
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
    for await (const row of rowsAfter(this.#log, this.#plan, start)) {
      if (looked === limits.listScanRows || !(await this.#isDone(row))) return at
      at = { key: row.key, id: row.sessionId }
      looked += 1
    }
    return undefined
  }

  /** False: the call has deleted as much as it may. */
  async #isDone(row: ListRow): Promise<boolean> {
    if (row.damaged) {
      this.#damaged.push(row.sessionId)
      return true
    }
    const head = decodeHead(row.body)
    const { id, rootSessionId } = head
    if (this.#judged.has(rootSessionId)) return true
    // A child has its turn with its root; one whose root is gone has its own.
    if (id !== rootSessionId && (await this.#log.reads.getHead(rootSessionId))) return true
    if (!passes(this.#plan, head, row.lease, this.#log.nowMs)) return true
    if (this.#dryRun && (await this.#goesBefore(head))) return true
    if (!(await this.#pruneTree(rootSessionId, id))) return false
    this.#judged.add(rootSessionId)
    return true
  }

  /** With a tree it is forked from, whose turn came before, perhaps in an earlier call: really deleted, it would be gone. */
  async #goesBefore(fork: Head): Promise<boolean> {
    for (const { sessionId } of await this.#log.store.readSegments(this.#log.tenantId, fork.id)) {
      const source = (await this.#log.reads.getHead(sessionId))?.state.head
      const root = source && (await this.#log.reads.getHead(source.rootSessionId))?.state.head
      if (!root || !isAfter(placeOf(fork), placeOf(root))) continue
      if ((await this.#judge(root.id)).spared === undefined) return true
    }
    return false
  }

  async #pruneTree(rootSessionId: string, sessionId: string): Promise<boolean> {
    for (let tries = 1; tries <= judgements; tries++) {
      const judged = await this.#judge(rootSessionId)
      if (judged.spared) {
        this.#kept.push({ sessionId, reason: judged.spared })
        return true
      }
      const heads = this.#dryRun ? notGoneBefore(judged.heads) : judged.heads
      const { sessionIds } = this.#deleted
      if (sessionIds.length > 0 && sessionIds.length + heads.length > this.#limit) return false
      for (const head of heads) this.#judged.add(head.rootSessionId)
      if (this.#dryRun) sessionIds.push(...heads.map(({ id }) => id).reverse())
      if (this.#dryRun || (await deleteAll(this.#log, heads, this.#deleted))) return true
    }
    this.#kept.push({ sessionId, reason: 'recent' })
    return true
  }

  /** The tree and every tree that is based on it, each after those it rests on; or why they stay. */
  async #judge(rootSessionId: string): Promise<{ heads: Head[]; spared?: Spared }> {
    const heads: Head[] = []
    const roots = new Set([rootSessionId])
    for (const root of roots) {
      const tree = await treeOf(this.#log, root)
      const spared = this.#spared(tree, root)
      if (spared) return { heads, spared: root === rootSessionId ? spared : 'forked' }
      for (const { head } of tree) {
        heads.push(head)
        for (const fork of await forksOf(this.#log, head)) roots.add(fork.rootSessionId)
      }
    }
    return { heads }
  }

  #spared(tree: readonly { head: Head; lease: Lease }[], root: string): Spared | undefined {
    for (const { head } of tree) {
      const spared = sparedFor(head)
      if (spared) return spared
      if (!isAfter(placeOf(head), this.#cut)) return 'recent'
    }
    const own = tree.find(({ head }) => head.id === root)
    const isOther = own && !passes(this.#plan, own.head, own.lease, this.#log.nowMs)
    return isOther ? 'recent' : undefined
  }
}

/** Without the trees that had their turn before the first one, perhaps in an earlier call: really deleted, they would be gone. */
function notGoneBefore(heads: readonly Head[]): Head[] {
  const [first] = heads
  const places = new Map(heads.map((head) => [head.id, placeOf(head)]))
  return heads.filter(({ rootSessionId }) => {
    const root = places.get(rootSessionId)
    return first === undefined || root === undefined || !isAfter(placeOf(first), root)
  })
}
