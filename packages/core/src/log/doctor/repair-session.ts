/** One session: judged, and put right as far as its log allows. */
import { type Actor, HoldfastError, limits } from '@holdfast/protocol'
import { isLive, lifecycleOf } from '../../session/lifecycle.ts'
import type { Head } from '../../session/state.ts'
import type { HeadRow, RawSession } from '../../store/store.ts'
import { isUnreadable } from '../each-head.ts'
import { decodeHead, encodeHead } from '../head-codec.ts'
import { recoverRun } from '../recover.ts'
import { expireSession } from '../sweep.ts'
import type { TenantLog } from '../tenant-log.ts'
import type { Discovery, Fix } from './discovery.ts'
import { examine } from './examine.ts'
import type { Finding } from './findings.ts'
import { isSameJson } from './same-json.ts'

/** Rows that one rebuilding write may hold. */
const rowsAtOnce = 500

interface FoundFix<T extends Fix['type']> {
  told: Finding
  fix: Extract<Fix, { type: T }>
}

interface Terms {
  actor: Actor
  dryRun: boolean
}

export async function repairSession(
  log: TenantLog,
  sessionId: string,
  terms: Terms,
): Promise<{ repaired: Finding[]; left: Finding[] }> {
  const repaired: Finding[] = []
  for (let tries = 1; ; tries++) {
    const pass = new Pass(log, sessionId, terms)
    const isWhole = await pass.run()
    repaired.push(...pass.repaired)
    if (isWhole && (terms.dryRun || !pass.needsAnother)) return { repaired, left: pass.left }
    if (tries >= limits.commitTries) {
      throw new HoldfastError('contention', `session ${sessionId} moved under each of ${tries} repairs`)
    }
  }
}

/** One look at a session, with the fixes on the way. */
class Pass {
  /** Done, or with `dryRun` to be done. */
  readonly repaired: Finding[] = []
  readonly left: Finding[] = []
  /** The row of the session was wrong, and what it hid comes to light now. */
  needsAnother = false
  readonly #log: TenantLog
  readonly #sessionId: string
  readonly #terms: Terms
  #waiting: FoundFix<'rebuild'>[] = []
  readonly #recoveries: FoundFix<'recover'>[] = []
  readonly #appends: FoundFix<'append'>[] = []
  /** Rebuilt, and other processes may go on with what was there before. */
  readonly #outdated: Finding[] = []
  #before: RawSession | undefined

  constructor(log: TenantLog, sessionId: string, terms: Terms) {
    this.#log = log
    this.#sessionId = sessionId
    this.#terms = terms
  }

  /** False: others wrote meanwhile, and it is to be done again. */
  async run(): Promise<boolean> {
    this.#before = await this.#raw()
    for await (const found of examine(this.#log, this.#sessionId)) {
      if (!(await this.#take(found))) return false
    }
    if (!(await this.#flush()) || !(await this.#outdate())) return false
    if (this.needsAnother && !this.#terms.dryRun) return true
    return (await this.#recover()) && this.#append()
  }

  async #take({ finding, fix }: Discovery): Promise<boolean> {
    const told = { ...finding, tenantId: this.#log.tenantId }
    this.needsAnother ||= finding.code === 'seq_wrong'
    if (!fix) this.left.push(told)
    else if (fix.type === 'recover') this.#recoveries.push({ told, fix })
    else if (fix.type === 'append') this.#appends.push({ told, fix })
    else this.#waiting.push({ told, fix })
    return this.#waiting.length < rowsAtOnce || this.#flush()
  }

  /** Counts them as repaired when `work` has done it, which a dry run takes for granted. */
  async #done(found: readonly { told: Finding }[], work: () => Promise<boolean>): Promise<boolean> {
    if (found.length === 0) return true
    const isDone = this.#terms.dryRun || (await work())
    if (isDone) this.repaired.push(...found.map(({ told }) => told))
    return isDone
  }

  #flush(): Promise<boolean> {
    const waiting = this.#waiting
    this.#waiting = []
    return this.#done(waiting, () => this.#rebuild(waiting))
  }

  async #rebuild(found: readonly FoundFix<'rebuild'>[]): Promise<boolean> {
    const { store, tenantId } = this.#log
    const rows = found.map(({ fix }) => fix.rows)
    const head = rows.findLast((row) => row.head)?.head
    const lease = rows.findLast((row) => row.lease)?.lease
    const isDone = await store.rebuild({
      tenantId,
      sessionId: this.#sessionId,
      lastSeq: this.#lastSeq,
      ...(head && { head }),
      ...(lease && { lease }),
      parts: rows.flatMap((row) => row.parts ?? []),
      waypoints: rows.flatMap((row) => row.waypoints ?? []),
      refs: rows.flatMap((row) => row.refs ?? []),
      strayRefs: rows.flatMap((row) => row.strayRefs ?? []),
      usage: rows.flatMap((row) => row.usage ?? []),
      usageSeqs: rows.flatMap((row) => row.usageSeqs ?? []),
    })
    this.#log.forget(this.#sessionId, false)
    if (isDone) this.#outdated.push(...this.#keptOf(found))
    return isDone
  }

  /** What may have been read before this pass, and be gone on with: another head, and parts while a run lives. */
  #keptOf(found: readonly FoundFix<'rebuild'>[]): Finding[] {
    const kept = this.#before && readable(this.#before)
    if (!kept) return []
    const replaced = found.filter(({ fix: { rows } }) => {
      const isPart = rows.parts?.some(({ seq }) => seq === this.#lastSeq) === true
      return isOther(kept, rows.head) || (isPart && isLive(kept.run))
    })
    return replaced.map(({ told }) => told)
  }

  /**
   * A rebuild leaves the log where it was, and a head kept elsewhere would pass for the one there is. One more event makes
   * whoever has it read anew. False: another wrote on such a head first.
   */
  async #outdate(): Promise<boolean> {
    if (this.#outdated.length === 0) return true
    const findings = this.#outdated.map(({ code }) => code)
    const terms = { actor: this.#terms.actor }
    const { events } = await this.#log.writeFresh(this.#sessionId, [{ type: 'repair', findings }], terms)
    return events[0]?.seq === this.#lastSeq + 1
  }

  /** A lost run ends by its own recovery, and in a session that has expired with its session. */
  #recover(): Promise<boolean> {
    return this.#done(this.#recoveries, async () => {
      const { state } = await this.#log.reads.requireHead(this.#sessionId)
      const isExpired = lifecycleOf(state.head, this.#log.nowMs) === 'expired'
      if (isExpired) return expireSession(this.#log, this.#sessionId)
      return (await recoverRun(this.#log, this.#sessionId)).recovered
    })
  }

  /** All else that a session needs in events, in one commit that says why. */
  #append(): Promise<boolean> {
    return this.#done(this.#appends, async () => {
      const commands = this.#appends.flatMap(({ fix }) => fix.commands)
      const dropDrafts = this.#appends.flatMap(({ fix }) => fix.dropDrafts ?? [])
      const repair = { type: 'repair' as const, findings: this.#appends.map(({ told }) => told.code) }
      const terms = { actor: this.#terms.actor, dropDrafts }
      await this.#log.writeFresh(this.#sessionId, [...commands, repair], terms)
      return true
    })
  }

  get #lastSeq(): number {
    return this.#before?.lastSeq ?? 0
  }

  #raw() {
    return this.#log.store.readRawSession(this.#log.tenantId, this.#sessionId)
  }
}

function readable({ damaged, head }: RawSession): Head | undefined {
  if (damaged) return undefined
  try {
    return decodeHead(head.body)
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return undefined
  }
}

function isOther(kept: Head, row: HeadRow | undefined): boolean {
  return row !== undefined && !isSameJson(JSON.parse(encodeHead(kept)), JSON.parse(row.body))
}
