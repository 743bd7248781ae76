/**
 * A session in memory, for tests of the pure model: an array of events, the state after each, and a lease. It drives
 * `decide` by answering its reads from the array. Every event is checked against its schema and passed through JSON, so a
 * test sees what a store would give back.
 */
import { type Actor, type EventType, eventSchemas, toTime } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import { decide, decideCreate, decideFork, type SessionCommand } from '../decide/index.ts'
import {
  type Deciding,
  type Decision,
  type Env,
  type Lease,
  leaseAfter,
  type NewEvent,
  type Read,
} from '../deciding.ts'
import { place } from '../envelope.ts'
import { fold } from '../fold/index.ts'
import { type Ref, refsOf } from '../projections.ts'
import type { FoldEvent, State } from '../state.ts'

export interface Caller {
  /** Writes under the epoch of the lease, as the worker of the run. */
  own?: boolean
  /** Writes under this epoch. */
  epoch?: number
  recording?: boolean
  expectedVersion?: number
  actor?: Actor
}

type CreateFields = Partial<Command<'create'>>

export const startMs = Date.parse('2026-01-02T03:04:05.000Z')
export const worker = { owner: 'worker-1', ttlMs: 30_000 }

export class TestLog {
  nowMs = startMs
  lease: Lease = { epoch: 0, owner: undefined, expiresAtMs: undefined }
  readonly events: FoldEvent[]
  /** `states[n]` is the state after seq n. */
  readonly states: (State | undefined)[]
  readonly refs: Ref[]
  #ids = 0

  private constructor(
    events: FoldEvent[] = [],
    states: (State | undefined)[] = [undefined],
    refs: Ref[] = [],
  ) {
    this.events = events
    this.states = states
    this.refs = refs
  }

  static create(fields: CreateFields = {}): TestLog {
    const log = new TestLog()
    log.#write(decideCreate({ ...defaults, ...fields }), {})
    return log
  }

  get state(): State {
    const state = this.states[this.events.length]
    if (!state) throw new Error('the log is empty')
    return state
  }

  get head(): State['head'] {
    return this.state.head
  }

  /** Decides and writes; returns the new events. Throws what `decide` throws, and then nothing is written. */
  do(command: SessionCommand, caller: Caller = {}): FoldEvent[] {
    return this.#write(this.drive(decide(this.head, command, this.env(caller))), caller)
  }

  /** Several commands, each decided on the state that the one before left. */
  doAll(commands: readonly SessionCommand[], caller: Caller = {}): FoldEvent[] {
    return commands.flatMap((command) => this.do(command, caller))
  }

  /** The types of the events that a command makes. */
  types(command: SessionCommand, caller: Caller = {}): string[] {
    return this.do(command, caller).map((event) => event.type)
  }

  fork(seq: number, fields: Partial<Command<'fork'>> = {}): TestLog {
    const source = this.states[seq]
    if (!source) throw new Error(`no state at ${seq}`)
    const { id: sessionId } = source.head
    const forked = new TestLog(
      this.events.slice(0, seq),
      this.states.slice(0, seq + 1),
      this.refs.filter((ref) => ref.seq <= seq),
    )
    forked.nowMs = this.nowMs
    const { pinned: _p, lineage: _l, rootSessionId: _r, spawnDepth: _s, ...identity } = defaults
    forked.#write(
      decideFork(source, {
        ...identity,
        ...fields,
        type: 'fork',
        id: `${sessionId}-fork`,
        source: { sessionId, seq },
      }),
      {},
    )
    return forked
  }

  /** A copy that goes its own way. */
  copy(): TestLog {
    const copy = new TestLog([...this.events], [...this.states], [...this.refs])
    copy.nowMs = this.nowMs
    copy.lease = this.lease
    copy.#ids = this.#ids
    return copy
  }

  env({ own, epoch, recording, expectedVersion, actor = { kind: 'system' } }: Caller): Env {
    const writes = own ? this.lease.epoch : epoch
    return {
      nowMs: this.nowMs,
      at: toTime(this.nowMs),
      actor,
      lease: this.lease,
      ids: { next: () => `made-${++this.#ids}` },
      ...(writes !== undefined && { epoch: writes }),
      ...(recording && { recording }),
      ...(expectedVersion !== undefined && { expectedVersion }),
    }
  }

  drive<T>(deciding: Deciding<T>): T {
    let step = deciding.next()
    while (!step.done) step = deciding.next(this.#read(step.value))
    return step.value
  }

  #read(read: Read): unknown {
    switch (read.read) {
      case 'part':
        return this.state.parts[read.part] ?? undefined
      case 'refs':
        return this.refs.filter((ref) => ref.kind === read.kind && ref.id === read.id).map((ref) => ref.seq)
      case 'event':
        return this.events[read.seq - 1]
      case 'state':
        return this.states[read.atSeq]
      case 'drafts':
      case 'draft':
        return []
    }
  }

  #write(decision: Decision, caller: Caller): FoldEvent[] {
    const env = this.env(caller)
    const written = decision.events.map((event) => this.#append(event, env))
    if (decision.lease) this.lease = leaseAfter(this.lease, decision.lease, this.nowMs)
    return written
  }

  #append(event: NewEvent, env: Env): FoldEvent {
    const before = this.states[this.events.length]
    const seq = this.events.length + 1
    const placed = JSON.parse(JSON.stringify(place(event, before?.head, env, seq))) as FoldEvent
    eventSchemas[event.type as EventType].parse(placed.data)
    const after = fold(before, placed)
    this.events.push(placed)
    this.states.push(after)
    this.refs.push(...refsOf(before?.head, placed, after.head))
    return placed
  }
}

export const defaults: Command<'create'> = {
  type: 'create',
  id: 'session-1',
  tenantId: 'tenant-1',
  conversationId: 'conversation-1',
  threadId: 'conversation-1',
  agentId: 'agent-1',
  agentName: 'Agent One',
  purpose: 'interactive',
  channel: 'api',
  modelPolicy: 'locked',
  pinned: false,
  lineage: 'root',
  rootSessionId: 'session-1',
  spawnDepth: 0,
  ttlSliding: false,
  providerId: 'anthropic',
  model: 'claude',
}
