/**
 * One session against its own log: each event by itself, then all that was derived from the log against a fresh fold of
 * it, then what was left open. One pass, in memory that does not grow with the log. The log is the truth; where it is
 * damaged, nothing derived beyond the damage is judged.
 */
import { type EventData, isHoldfastError, limits } from '@holdfast/protocol'
import { fold } from '../../session/fold/index.ts'
import { isLive } from '../../session/lifecycle.ts'
import type { FoldEvent, State } from '../../session/state.ts'
import { freeLease } from '../../store/judge.ts'
import type { LeaseRow, RawSession, Segment } from '../../store/store.ts'
import { headRow } from '../head-codec.ts'
import { missing } from '../log-reads.ts'
import type { TenantLog } from '../tenant-log.ts'
import { DerivedCheck } from './check-derived.ts'
import { faultOf } from './check-event.ts'
import { fileFault } from './check-file.ts'
import { isSameHead } from './check-kept.ts'
import { checkLife } from './check-life.ts'
import { segmentsFault } from './check-segments.ts'
import { viewFaults } from './check-view.ts'
import { type Discovery, discovery, type Fix, toRebuild } from './discovery.ts'
import { endOfLog, isOfThisVersion, otherIdOf } from './end-of-log.ts'
import type { FindingCode } from './findings.ts'
import { isSameJson } from './same-json.ts'
import { unlessCorrupt } from './unless-corrupt.ts'
import { type DamagedStep, type EventStep, walkLog } from './walk-log.ts'

/** Of a lease that was damaged. */
const unknownOwner = 'unknown'

/** Something was erased while the session was looked at: what was found may be of before and after. */
class Moved extends Error {}

export async function* examine(log: TenantLog, sessionId: string): AsyncGenerator<Discovery> {
  for (let tries = 1; ; tries++) {
    try {
      yield* new Examination(log, sessionId).run()
      return
    } catch (error) {
      if (!(error instanceof Moved) || tries >= limits.commitTries) throw error
    }
  }
}

class Examination {
  readonly #log: TenantLog
  readonly #sessionId: string
  /** After the events so far, as long as the fold is sound. */
  #state: State | undefined
  #isSound = true
  #isConfirmed = false

  constructor(log: TenantLog, sessionId: string) {
    this.#log = log
    this.#sessionId = sessionId
  }

  async *run(): AsyncGenerator<Discovery> {
    const raw = await this.#raw()
    if (!raw) missing(this.#sessionId)
    for await (const found of this.#all(raw)) {
      if (found.fix?.type === 'rebuild') await this.#confirm(raw)
      yield found
    }
  }

  async *#all(raw: RawSession): AsyncGenerator<Discovery> {
    const otherId = otherIdOf(raw, this.#sessionId)
    if (otherId !== undefined) {
      yield this.#unsound('id_wrong', `its head is that of session ${otherId}`)
      return
    }
    const { seq, problem, isRowWrong } = endOfLog(raw)
    if (isRowWrong) {
      // Readers believe the row: the rest can be read once it is right.
      const message =
        raw.seq === seq
          ? 'the row fails its checksum'
          : `the row says ${raw.seq}, the head and the log say ${seq}`
      yield this.#found('seq_wrong', message, { fix: toRebuild({}) })
      return
    }
    if (problem) yield this.#unsound('event_damaged', problem, seq)
    if (!isOfThisVersion(raw)) yield this.#unsound('head_newer', 'the head has a version not known here')
    yield* this.#walk(raw, Math.min(raw.seq, raw.lastSeq))
  }

  async *#walk(raw: RawSession, lastSeq: number): AsyncGenerator<Discovery> {
    const { store, tenantId, reads } = this.#log
    const segments = await unlessCorrupt(() => store.readSegments(tenantId, this.#sessionId))
    if (!segments) {
      const message = 'the rows of its prefix fail their checksum or do not join: restore them from a backup'
      yield this.#unsound('segments_wrong', message)
      return
    }
    const base = segments.at(-1)?.to ?? 0
    const derived = new DerivedCheck(reads, this.#sessionId, base)
    if (this.#isSound) await derived.begin()
    for await (const step of walkLog(reads, this.#sessionId, lastSeq)) {
      if ('problem' in step) yield this.#damaged(step)
      else yield* this.#judge(step, segments, derived)
    }
    if (!this.#isSound || this.#state?.head.seq !== lastSeq) return
    yield* derived.end(this.#state, () => this.#isStill(lastSeq))
    yield* this.#atEnd(raw, this.#state, derived.epoch)
  }

  async *#judge(
    step: EventStep,
    segments: readonly Segment[],
    derived: DerivedCheck,
  ): AsyncGenerator<Discovery> {
    const { event, seq } = step
    const base = segments.at(-1)?.to ?? 0
    yield* this.#judgeAlone(event)
    if (this.#isSound && seq === base + 1) yield* this.#judgeSegments(segments, event)
    if (!this.#isSound) return
    const before = this.#state
    const after = this.#fold(event)
    if (!after) yield this.#unsound('event_invalid', `event ${seq} cannot follow the ones before it`, seq)
    if (!after || seq <= base) return
    yield* this.#judgeResult(before, event)
    yield* derived.add(step, before, after)
  }

  async *#judgeAlone(event: FoldEvent): AsyncGenerator<Discovery> {
    const { seq } = event
    const fault = faultOf(event)
    if (fault) yield this.#unsound(fault.code, fault.message, seq)
    else {
      const lost = await fileFault(this.#log.reads, this.#sessionId, event)
      if (lost !== undefined) yield this.#found('attachment_damaged', lost, { seq })
    }
  }

  async *#judgeSegments(segments: readonly Segment[], event: FoldEvent): AsyncGenerator<Discovery> {
    const fault = await segmentsFault(this.#log, segments, event)
    if (fault !== undefined) yield this.#unsound('segments_wrong', fault, event.seq)
  }

  /** A result answers a call that is open just then. */
  *#judgeResult(before: State | undefined, { type, seq, data }: FoldEvent): Generator<Discovery> {
    if (type !== 'tool.finished') return
    const { callId } = data as EventData<'tool.finished'>
    if (before?.head.openCalls.includes(callId)) return
    const message = `event ${seq} is the result of call ${callId}, which is not open there`
    yield this.#found('unpaired', message, { seq })
  }

  /** Undefined: the event is of the right shape and still cannot be folded, so the log itself is wrong there. */
  #fold(event: FoldEvent): State | undefined {
    try {
      this.#state = fold(this.#state, event)
      return this.#state
    } catch {
      return undefined
    }
  }

  async *#atEnd(raw: RawSession, state: State, epoch: number): AsyncGenerator<Discovery> {
    const head = headRow(state.head)
    const { body: _folded, ...columns } = head
    const { body, ...stored } = raw.head
    if (raw.damaged || !isSameHead(body, state)) {
      const message = 'the head fails its checksum or is not the fold of the log'
      yield this.#found('head_wrong', message, { fix: toRebuild({ head }) })
    }
    if (raw.suspect?.includes('columns') || !isSameJson(stored, columns)) {
      const message = 'the columns that lists go by fail their checksum or are not what the log says'
      yield this.#found('columns_wrong', message, { fix: toRebuild({ head }) })
    }
    yield* this.#view(state)
    const wrong = this.#leaseFault(raw, state, epoch)
    const lease = wrong ? this.#mended(state, epoch) : raw.lease
    if (wrong) yield this.#found('lease_wrong', wrong, { fix: toRebuild({ lease }) })
    yield* checkLife(this.#log, state, lease, () => this.#isStill(raw.lastSeq))
  }

  async *#view(state: State): AsyncGenerator<Discovery> {
    try {
      for await (const fault of viewFaults(this.#log.reads, state)) yield this.#found('unpaired', fault)
    } catch (error) {
      if (!isHoldfastError(error, 'store_corrupt')) throw error
      yield this.#found('event_damaged', 'the events of its view cannot be read together: restore them')
    }
  }

  /** Every taking is an event, so nobody can hold a higher epoch than the last one in the log. */
  #leaseFault({ lease, suspect }: RawSession, { head }: State, epoch: number): string | undefined {
    if (suspect?.includes('lease')) return 'the lease fails its checksum'
    const isStray = lease.owner !== undefined && !isLive(head.run)
    if (lease.epoch === epoch && !isStray) return undefined
    const owner = isStray ? 'an owner without a run' : 'no stray owner'
    return `the lease has epoch ${lease.epoch} and ${owner}, the last one taken is ${epoch}`
  }

  /** The worker of a live run may be alive: it has as long as any lease to say so. */
  #mended({ head }: State, epoch: number): LeaseRow {
    if (!isLive(head.run)) return { ...freeLease, epoch }
    return { epoch, owner: unknownOwner, expiresAtMs: this.#log.nowMs + limits.leaseTtlMs }
  }

  #damaged({ seq, through, problem }: DamagedStep): Discovery {
    const which = seq === through ? `event ${seq}` : `each of the events ${seq} to ${through}`
    const fork = seq > 1 ? `, or fork the session at ${seq - 1} and go on without it` : ''
    const way = `restore it from a backup${fork}`
    return this.#unsound('event_damaged', `${which} ${problem}: ${way}`, seq)
  }

  /** From here on the fold would be a guess. */
  #unsound(code: FindingCode, message: string, seq?: number): Discovery {
    this.#isSound = false
    return this.#found(code, message, seq === undefined ? {} : { seq })
  }

  #found(code: FindingCode, message: string, more?: { seq?: number; fix?: Fix }): Discovery {
    return discovery(code, this.#sessionId, message, more)
  }

  #raw(): Promise<RawSession | undefined> {
    return this.#log.store.readRawSession(this.#log.tenantId, this.#sessionId)
  }

  /** Nothing was written since. */
  async #isStill(lastSeq: number): Promise<boolean> {
    return (await this.#raw())?.lastSeq === lastSeq
  }

  /** An erasure changes what is derived, and what was read before it says nothing any more. */
  async #confirm({ lastSeq }: RawSession): Promise<void> {
    if (this.#isConfirmed) return
    this.#isConfirmed = true
    const now = await this.#raw()
    if (!now) throw new Moved()
    for await (const step of walkLog(this.#log.reads, this.#sessionId, now.lastSeq, lastSeq)) {
      if ('event' in step && step.event.type === 'session.erased') throw new Moved()
    }
  }
}
