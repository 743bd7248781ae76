/**
 * One session's writer in this process: its commands in the order they came, each decided on the state that the ones
 * before it will leave, durable or not. What was decided waits in groups for the committer; an answer waits for its
 * commit. When a commit loses against another writer, everything decided on it is decided again.
 *
 * A refusal is believed only on a head that was read for it with nothing under way: the cached head may be behind
 * another process, or ahead of a commit that fails.
 */
import { HoldfastError, type Ids, limits } from '@holdfast/protocol'
import type { Deciding, Lease, Read } from '../session/deciding.ts'
import { isLive } from '../session/lifecycle.ts'
import type { PartName, State } from '../session/state.ts'
import type { Commit, OpenDraft, Verdict } from '../store/store.ts'
import { backOff } from './back-off.ts'
import { type Author, type Committer, closed } from './committer.ts'
import { drive, type Reader } from './drive.ts'
import { encodeEvent } from './event-codec.ts'
import { Group } from './group.ts'
import { KnownRefs } from './known-refs.ts'
import type { KnownTexts } from './known-texts.ts'
import { type LogReads, missing } from './log-reads.ts'
import { freeLease, type Plan, planRestored, planStart, planWrite, type WriteEnv } from './plan.ts'
import type { Basis, Request } from './request.ts'
import type { TailMemory } from './tail-memory.ts'
import type { WireTimes } from './wire-times.ts'
import { bytesOf } from './write-limits.ts'

/** What an actor needs from its surroundings. */
export interface ActorWorld {
  committer: Committer
  reads: LogReads
  ids: WriteEnv['ids']
  commitIds: Ids
  texts: KnownTexts
  times: WireTimes
  random: () => number
  keyTtlMs: number
  tailMemory: TailMemory
  /** Called after a commit is durable, in order. */
  committed(commit: Commit): void
  resting: Resting
}

/** Is told when an actor has nothing left to do, and may then let go of it. */
export interface Resting {
  rest(actor: Actor): void
}

/** Groups that may wait for a commit; then decisions wait too. */
const groupsAhead = 256

/** A read that must wait until nothing of the session is under way. */
class NotYet extends Error {}

export class Actor implements Author, Reader {
  readonly sessionId: string
  /** Takes it out of the table that it is found in, and lets go of what it shares memory with others for. */
  readonly leave: () => void
  readonly #world: ActorWorld
  readonly #queue: Request[] = []
  #pending: Group[] = []
  /** After the last pending group; undefined when it must be read. */
  #state: State | undefined
  #lease: Lease = freeLease
  /** After the last pending group; undefined when they must be looked for in the store. */
  #refs: KnownRefs | undefined
  /** Rises when decided work is dropped, so that a decision under way then is not used. */
  #generation = 0
  /** Reads and pauses under way: nothing is decided meanwhile. */
  #busy = 0
  /** The request whose decision waits for a read. */
  #deciding: Request | undefined

  constructor(sessionId: string, world: ActorWorld, leave: () => void) {
    this.sessionId = sessionId
    this.leave = () => {
      this.#forgetRefs()
      leave()
    }
    this.#world = world
  }

  get isIdle(): boolean {
    return this.#busy === 0 && this.#queue.length === 0 && this.#pending.length === 0
  }

  submit(request: Request): void {
    if (this.#world.committer.isClosed) {
      request.reject(closed())
      return
    }
    this.#queue.push(request)
    this.#pump()
  }

  /** Forgets the cached head: something beside this actor changed the session. */
  forget(): void {
    if (this.#pending.length === 0) this.#drop([])
  }

  #pump(): void {
    while (this.#busy === 0) {
      const request = this.#queue[0]
      if (request === undefined) break
      if (this.#pending.length > (request.fresh ? 0 : groupsAhead)) break
      this.#queue.shift()
      this.#begin(request)
    }
    if (this.isIdle) this.#rest()
  }

  /** Keeps the head and the refs, unless a run will write again soon: parts may be large, and are read again when they are needed. */
  #rest(): void {
    const { head, parts } = this.#state ?? {}
    if (head && hasAny(parts ?? {}) && !isLive(head.run)) this.#state = { head, parts: {} }
    this.#world.resting.rest(this)
  }

  #begin(request: Request): void {
    const needsHead = request.start === undefined && (this.#state === undefined || request.fresh)
    if (needsHead) {
      this.#meanwhile(this.#loadHead(request))
      return
    }
    try {
      const plan = this.#plan(request)
      if (plan instanceof Promise) this.#meanwhile(this.#takeLater(request, plan))
      else this.#take(request, plan)
    } catch (error) {
      this.#refused(request, error)
    }
  }

  /** Lets nothing else be decided until the work is done. */
  #meanwhile(work: Promise<void>): void {
    this.#busy += 1
    void work.then(() => {
      this.#busy -= 1
      this.#pump()
    })
  }

  async #loadHead(request: Request): Promise<void> {
    const generation = this.#generation
    try {
      const loaded = await this.#world.reads.getHead(this.sessionId)
      if (generation !== this.#generation) {
        this.#queue.unshift(request)
        return
      }
      if (!loaded) missing(this.sessionId)
      this.#state = loaded.state
      this.#lease = loaded.lease
      if (!this.#refs?.isOf(loaded.state.head.seq)) this.#forgetRefs()
      // After the head: then the use of the key by what the head has already is found.
      if (request.fresh && (await this.#answeredByKey(request))) return
      request.keyRead = request.fresh
      request.believed = true
      request.fresh = false
      this.#queue.unshift(request)
    } catch (error) {
      request.reject(error)
    }
  }

  #plan(request: Request): Plan | Promise<Plan> {
    const { start, terms, commands } = request
    const nowMs = this.#world.reads.store.now()
    const env: WriteEnv = {
      nowMs,
      at: terms.at ?? this.#world.times.of(nowMs),
      times: terms.times,
      actor: terms.actor,
      traceId: terms.traceId,
      epoch: terms.epoch,
      expectedVersion: terms.expectedVersion,
      dropDrafts: terms.dropDrafts,
      ids: this.#world.ids,
    }
    if (request.basis) return this.#planOn(request.basis, request, env)
    if (request.restored) {
      const before = start ? start.source : this.#state
      return drive(planRestored(before, start ? freeLease : this.#lease, request.restored), this)
    }
    const planning: Deciding<Plan> = start
      ? planStart(start.source, start.decision, env)
      : planWrite(this.#state as State, this.#lease, commands, env)
    return drive(planning, this)
  }

  async #planOn(basis: Basis, { commands }: Request, env: WriteEnv): Promise<Plan> {
    if (basis.state.head.seq !== this.#seq) throw contention(this.sessionId)
    const plan = await drive(planWrite(basis.state, this.#lease, commands, env), this)
    return { ...plan, refs: [...basis.refs, ...plan.refs] }
  }

  async #takeLater(request: Request, planning: Promise<Plan>): Promise<void> {
    this.#deciding = request
    const generation = this.#generation
    try {
      const plan = await planning
      if (generation === this.#generation) this.#take(request, plan)
    } catch (error) {
      if (generation !== this.#generation) return
      if (error instanceof NotYet) this.#again(request)
      else this.#refused(request, error)
    } finally {
      if (generation === this.#generation) this.#deciding = undefined
    }
  }

  #take(request: Request, plan: Plan): void {
    if (plan.events.length === 0) {
      this.#unchanged(request, plan)
      return
    }
    const rows = plan.events.map((event) => encodeEvent(event, this.#world.texts))
    let bytes: number
    try {
      bytes = bytesOf(rows, this.sessionId)
    } catch (error) {
      this.#refused(request, error)
      return
    }
    const last = this.#pending.at(-1)
    const joins = last?.takes(request, plan, bytes) === true
    const group = joins ? last : new Group(request.start ? request.start.source : this.#state, request, plan)
    group.add(request, plan, rows, bytes)
    this.#state = plan.state
    this.#lease = plan.lease
    this.#noteRefs(request, plan)
    request.believed = false
    if (!joins) this.#append(group, request.tries > 0)
  }

  /** Those of a session's first events are all that there are; a fork has its source's too. An erasure takes some away. */
  #noteRefs({ start, terms }: Request, plan: Plan): void {
    if (terms.erase || start) this.#forgetRefs()
    if (start && !start.source) this.#refs = new KnownRefs(this.#world.tailMemory)
    this.#refs?.add(plan.refs, plan.state.head.seq)
  }

  #forgetRefs(): void {
    this.#refs?.letGo()
    this.#refs = undefined
  }

  #append(group: Group, isUrgent: boolean): void {
    this.#pending.push(group)
    if (this.#pending.length === 1) this.#world.committer.ready(this, isUrgent)
  }

  #unchanged(request: Request, plan: Plan): void {
    if (!isBelieved(request)) {
      this.#again(request)
      return
    }
    // The parts that were read stay known; nothing else is new.
    this.#state = plan.state
    request.resolve({ sessionId: this.sessionId, events: [], epoch: undefined, replayed: false })
  }

  #refused(request: Request, error: unknown): void {
    const sure = request.start !== undefined || isBelieved(request) || !(error instanceof HoldfastError)
    if (sure) request.reject(error)
    else this.#again(request)
  }

  /** Decides the request once more, on a head read for it. */
  #again(request: Request): void {
    request.fresh = true
    this.#queue.unshift(request)
  }

  /** The key goes before every other check: a used one is answered with its first effect. */
  async #answeredByKey(request: Request): Promise<boolean> {
    const { key } = request.terms
    if (!key) return false
    const { store, tenantId } = this.#world.reads
    const used = await store.readKey(tenantId, this.sessionId, key.key)
    if (!used) return false
    if (used.hash === key.hash) await this.#replay(request, used.firstSeq, used.lastSeq)
    else request.reject(keyConflict(key.text))
    return true
  }

  async #replay(request: Request, firstSeq: number, lastSeq: number): Promise<void> {
    try {
      const events = []
      for await (const event of this.#world.reads.events(this.sessionId, firstSeq - 1, lastSeq))
        events.push(event)
      const taken = events.find((event) => event.type === 'lease.taken')?.data as
        | { epoch: number }
        | undefined
      request.resolve({ sessionId: this.sessionId, events, epoch: taken?.epoch, replayed: true })
    } catch (error) {
      request.reject(error)
    }
  }

  // Reader: what a plan asks beyond its own events.

  known(read: Read): { answer: unknown } | undefined {
    const answer = read.read === 'refs' ? this.#refs?.seqsOf(read.kind, read.id) : undefined
    return answer && { answer }
  }

  ask(read: Read): Promise<unknown> {
    switch (read.read) {
      case 'part':
        return this.#askPart(read.part)
      case 'refs':
        return this.#askRefs(read.kind, read.id)
      case 'event':
        return this.#askEvent(read.seq)
      case 'state':
        return this.#askState(read.atSeq)
      case 'drafts':
        return this.#askDrafts()
      case 'draft': {
        const { store, tenantId } = this.#world.reads
        return store.readDraft(tenantId, this.sessionId, read.draftId, 0)
      }
    }
  }

  async #askPart(part: PartName): Promise<unknown> {
    const { reads } = this.#world
    return (await reads.readParts(this.sessionId, [part], this.#seq))[part]
  }

  async #askRefs(kind: string, id: string): Promise<readonly number[]> {
    // Taken before the read: a group that becomes durable meanwhile is then in one of the two at least.
    const pending = this.#pending.flatMap(({ refs }) =>
      refs.filter((ref) => ref.kind === kind && ref.id === id),
    )
    const { store, tenantId } = this.#world.reads
    const stored = await store.readRefs(tenantId, this.sessionId, kind, id)
    if (pending.length === 0) return stored
    return [...new Set([...stored, ...pending.map((ref) => ref.seq)])].sort((a, b) => a - b)
  }

  async #askEvent(seq: number): Promise<unknown> {
    const group = this.#pending.find(({ baseSeq, events }) => baseSeq < seq && seq <= baseSeq + events.length)
    if (group) return group.events[seq - group.baseSeq - 1]
    return this.#world.reads.getEvent(this.sessionId, seq)
  }

  /** Without those that end with a commit under way. */
  async #askDrafts(): Promise<readonly OpenDraft[]> {
    const ending = this.#pending.flatMap(({ dropDrafts }) => dropDrafts)
    const { store, tenantId } = this.#world.reads
    const open = await store.listDrafts(tenantId, this.sessionId)
    return open.filter(({ draftId }) => !ending.includes(draftId))
  }

  async #askState(atSeq: number): Promise<State> {
    if (this.#pending.length > 0) throw new NotYet()
    return this.#world.reads.stateAt(this.sessionId, atSeq)
  }

  get #seq(): number {
    return this.#state?.head.seq ?? 0
  }

  // Author: what the committer asks and tells.

  seal(): { commit: Commit; bytes: number } | undefined {
    const group = this.#pending[0]
    if (!group || group.commit) return undefined
    const { commitIds, keyTtlMs, reads } = this.#world
    return {
      commit: group.seal(reads.tenantId, commitIds.next(), reads.store.now() + keyTtlMs),
      bytes: group.bytes,
    }
  }

  settle(outcome: Verdict, isReadBack = false): void {
    const group = this.#pending[0]
    if (!group) throw new Error(`session ${this.sessionId} has no commit under way`)
    switch (outcome.status) {
      case 'committed':
        this.#committed(group, outcome.lease, isReadBack)
        break
      case 'replayed':
        this.#lost(group, (request) => this.#replay(request, outcome.firstSeq, outcome.lastSeq))
        break
      case 'key_conflict':
        this.#lost(group, (request) => request.reject(keyConflict(request.terms.key?.text ?? '')))
        break
      case 'id_taken':
        this.#lost(group, (request) => request.reject(idTaken(this.sessionId)))
        break
      case 'source_missing':
        this.#lost(group, (request) => request.reject(sourceMissing(this.sessionId)))
        break
      default:
        this.#beaten(group)
    }
    this.#pump()
  }

  fail(error: unknown): void {
    const group = this.#pending[0]
    if (group) this.#lost(group, (request) => request.reject(error))
    this.#pump()
  }

  /** An outcome that was read back may show what others did since: then nothing of it is taken for ours. */
  #committed(group: Group, lease: Lease, isReadBack: boolean): void {
    this.#pending.shift()
    if (this.#pending.length > 0) this.#world.committer.ready(this)
    else if (isReadBack) this.forget()
    else this.#lease = lease
    this.#world.committed(group.commit as Commit)
    const epoch = group.move?.type === 'take' ? group.move.fromEpoch + 1 : undefined
    let first = 0
    for (let i = 0; i < group.requests.length; i++) {
      const end = first + (group.shares[i] as number)
      const events = group.requests.length === 1 ? group.events : group.events.slice(first, end)
      group.requests[i]?.resolve({ sessionId: this.sessionId, events, epoch, replayed: false })
      first = end
    }
  }

  /** The group is out; what was decided on it is decided again. */
  #lost(group: Group, answer: (request: Request) => void): void {
    const dependants = this.#pending.slice(1).flatMap(({ requests }) => requests)
    this.#drop(dependants)
    for (const request of group.requests) answer(request)
  }

  /** Another writer was first: the head is read anew and all is decided again, a bounded number of times. */
  #beaten(group: Group): void {
    const lost = this.#pending.flatMap(({ requests }) => requests)
    const left: Request[] = []
    let tries = 0
    for (const request of lost) {
      if (group.requests.includes(request)) request.tries += 1
      tries = Math.max(tries, request.tries)
      if (request.tries < limits.commitTries) left.push(request)
      else request.reject(contention(this.sessionId))
    }
    this.#drop(left)
    this.#meanwhile(backOff(tries, this.#world.random))
  }

  #drop(requests: readonly Request[]): void {
    this.#generation += 1
    this.#pending = []
    this.#state = undefined
    this.#forgetRefs()
    for (const request of requests) request.believed = false
    // A decision under way stood on what is dropped; it comes after those that were decided before it.
    this.#queue.unshift(...requests, ...(this.#deciding ? [this.#deciding] : []))
    this.#deciding = undefined
  }
}

function hasAny(fields: object): boolean {
  for (const _ in fields) return true
  return false
}

/** Decided on a head that was read for it, and without an earlier effect of its key. */
function isBelieved({ believed, keyRead, terms }: Request): boolean {
  return believed && (keyRead || terms.key === undefined)
}

function keyConflict(key: string): HoldfastError {
  return new HoldfastError(
    'key_conflict',
    `idempotency key "${key}" was used with another request; use a new key`,
  )
}

function idTaken(sessionId: string): HoldfastError {
  return new HoldfastError('id_taken', `session id ${sessionId} is or was in use; choose another`)
}

function sourceMissing(sessionId: string): HoldfastError {
  return new HoldfastError('not_found', `the session that ${sessionId} is forked from is gone`)
}

function contention(sessionId: string): HoldfastError {
  return new HoldfastError(
    'contention',
    `other writers of session ${sessionId} were first ${limits.commitTries} times; nothing was written`,
  )
}
