/**
 * Putting right what was found, as far as what is stored allows. The log is only appended to; what was derived from it is
 * folded anew; nothing that is the only copy of anything is taken away. Each session is judged again before it is
 * touched, so a repair that was killed half-way is done by the next one, and one that was done finds nothing to do.
 */
import { type Actor, HoldfastError, limits, type TenantId } from '@holdfast/protocol'
import { textOf } from '../../session/projections.ts'
import { recoverRun } from '../recover.ts'
import type { TenantLog } from '../tenant-log.ts'
import type { Discovery, Fix, RebuiltRows } from './discovery.ts'
import { examine } from './examine.ts'
import type { Finding, FindingCode, RepairWay } from './findings.ts'

export interface RepairOptions {
  /** Says what would be done, and does nothing. */
  dryRun?: boolean
  /** Who is written on what is appended; default the system's repair. */
  actor?: Actor
}

export interface Repaired {
  dryRun: boolean
  /** What was found and put right, or would be. */
  repaired: Finding[]
  /** What nothing here can put right; `message` and `repair` say what can. */
  left: Finding[]
}

const repairActor: Actor = { kind: 'system', id: 'repair' }
/** Rows that one rebuilding write may hold. */
const rowsAtOnce = 500

/** A session by its id, or what a doctor found, of any tenant that `logOf` gives. */
export async function repair(
  log: TenantLog,
  logOf: (tenantId: TenantId) => TenantLog,
  target: string | Iterable<Finding> | AsyncIterable<Finding>,
  { dryRun = false, actor = repairActor }: RepairOptions = {},
): Promise<Repaired> {
  const done: Repaired = { dryRun, repaired: [], left: [] }
  if (typeof target === 'string') {
    await repairSession(log, target, actor, done)
    return done
  }
  const sessions = new Map<string, { tenantId: TenantId; sessionId: string }>()
  const ways = new Set<RepairWay>()
  for await (const finding of target) {
    const { tenantId = log.tenantId, sessionId, repair: way } = finding
    if (isOfStore(finding)) {
      ways.add(way)
      if (way === 'scrub' || way === 'reindex') done.repaired.push(finding)
      else done.left.push(finding)
    } else if (sessionId !== undefined) {
      sessions.set(JSON.stringify([tenantId, sessionId]), { tenantId, sessionId })
    }
  }
  for (const { tenantId, sessionId } of sessions.values()) {
    await repairSession(logOf(tenantId), sessionId, actor, done)
  }
  if (!dryRun) await repairStore(log, ways)
  return done
}

const ofStore: ReadonlySet<FindingCode> = new Set([
  'engine_damaged',
  'setting_lost',
  'schema_moved',
  'session_lost',
  'stray_rows',
  'garbage_wrong',
  'checkpoint_damaged',
  'row_damaged',
  'index_stale',
])

function isOfStore({ code }: Finding): boolean {
  return ofStore.has(code)
}

async function repairStore({ store, tenantId }: TenantLog, ways: ReadonlySet<RepairWay>): Promise<void> {
  if (ways.has('scrub')) await store.scrub()
  if (!ways.has('reindex')) return
  await store.resetIndex()
  while (await store.indexPending(tenantId, textOf, limits.searchIndexBytes));
}

async function repairSession(log: TenantLog, sessionId: string, actor: Actor, done: Repaired): Promise<void> {
  for (let tries = 1; ; tries++) {
    const pass = new Pass(log, sessionId, actor, done.dryRun)
    if (await pass.run()) {
      done.repaired.push(...pass.repaired)
      done.left.push(...pass.left)
      if (done.dryRun || !pass.needsAnother) return
    }
    if (tries >= limits.commitTries) {
      throw new HoldfastError('contention', `session ${sessionId} moved under each of ${tries} repairs`)
    }
  }
}

/** One look at a session, with the fixes on the way. */
class Pass {
  readonly repaired: Finding[] = []
  left: Finding[] = []
  /** The row of the session was wrong, and what it hid comes to light now. */
  needsAnother = false
  readonly #log: TenantLog
  readonly #sessionId: string
  readonly #actor: Actor
  readonly #dryRun: boolean
  #waiting: RebuiltRows[] = []
  readonly #appends: { code: FindingCode; fix: Fix }[] = []
  #lastSeq = 0

  constructor(log: TenantLog, sessionId: string, actor: Actor, dryRun: boolean) {
    this.#log = log
    this.#sessionId = sessionId
    this.#actor = actor
    this.#dryRun = dryRun
  }

  /** False: others wrote meanwhile, and it is to be done again. */
  async run(): Promise<boolean> {
    this.#lastSeq = (await this.#raw())?.lastSeq ?? 0
    for await (const found of examine(this.#log, this.#sessionId)) {
      if (!(await this.#take(found))) return false
    }
    if (!(await this.#flush())) return false
    if (!this.#dryRun && !this.needsAnother) await this.#append()
    return true
  }

  async #take({ finding, fix }: Discovery): Promise<boolean> {
    const told = { ...finding, tenantId: this.#log.tenantId }
    if (!fix) {
      this.left.push(told)
      return true
    }
    this.repaired.push(told)
    this.needsAnother ||= finding.code === 'seq_wrong'
    if (fix.type !== 'rebuild') {
      this.#appends.push({ code: finding.code, fix })
      return true
    }
    this.#waiting.push(fix.rows)
    return this.#waiting.length < rowsAtOnce || this.#flush()
  }

  async #flush(): Promise<boolean> {
    const rows = this.#waiting
    this.#waiting = []
    if (rows.length === 0 || this.#dryRun) return true
    const { store, tenantId } = this.#log
    const head = rows.findLast((row) => row.head)?.head
    const epoch = rows.findLast((row) => row.epoch !== undefined)?.epoch
    const isDone = await store.rebuild({
      tenantId,
      sessionId: this.#sessionId,
      lastSeq: this.#lastSeq,
      ...(head && { head }),
      ...(epoch !== undefined && { epoch }),
      parts: rows.flatMap((row) => row.parts ?? []),
      waypoints: rows.flatMap((row) => row.waypoints ?? []),
      refs: rows.flatMap((row) => row.refs ?? []),
      strayRefs: rows.flatMap((row) => row.strayRefs ?? []),
      usage: rows.flatMap((row) => row.usage ?? []),
      usageSeqs: rows.flatMap((row) => row.usageSeqs ?? []),
    })
    this.#log.forget(this.#sessionId, false)
    return isDone
  }

  /** What a session needs in events: the run by its own recovery, all else in one commit that says why. */
  async #append(): Promise<void> {
    const commands = this.#appends.flatMap(({ fix }) => (fix.type === 'append' ? fix.commands : []))
    const dropDrafts = this.#appends.flatMap(({ fix }) =>
      fix.type === 'append' ? (fix.dropDrafts ?? []) : [],
    )
    const findings = this.#appends.filter(({ fix }) => fix.type === 'append').map(({ code }) => code)
    if (this.#appends.some(({ fix }) => fix.type === 'recover')) await recoverRun(this.#log, this.#sessionId)
    if (findings.length === 0) return
    const told = { type: 'repair' as const, findings }
    await this.#log.writeFresh(this.#sessionId, [...commands, told], { actor: this.#actor, dropDrafts })
  }

  #raw() {
    return this.#log.store.readRawSession(this.#log.tenantId, this.#sessionId)
  }
}
