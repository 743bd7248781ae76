/**
 * What a write would do to a session: its commands decided one after another, each on the state that the ones before
 * left, and their events folded. Pure; the reads it yields are those that its own events do not answer.
 */
import type { Actor, Ids } from '@holdfast/protocol'
import { requireNoRun } from '../session/decide/guard.ts'
import { decide, type SessionCommand } from '../session/decide/index.ts'
import {
  type Deciding,
  type Decision,
  type Draft,
  type Env,
  type Lease,
  type LeaseMove,
  leaseAfter,
  refuse,
} from '../session/deciding.ts'
import { place } from '../session/envelope.ts'
import { fold, foldInPlace, partsOf } from '../session/fold/index.ts'
import { isUnfinished } from '../session/lifecycle.ts'
import { type Ref, refsOf } from '../session/projections.ts'
import type { FoldEvent, LoadedParts, PartName, State } from '../session/state.ts'

/** What every command of one write shares. */
export interface WriteEnv {
  nowMs: number
  /** Time written on the events. */
  at: string
  /** The same for each command, by its place. */
  times?: readonly (string | undefined)[] | undefined
  actor: Actor
  traceId: string | undefined
  epoch: number | undefined
  expectedVersion: number | undefined
  /** Drafts that the write ends whatever its commands say. */
  dropDrafts: readonly string[] | undefined
  ids: Ids
}

export interface Plan {
  state: State
  lease: Lease
  move: LeaseMove | undefined
  events: FoldEvent[]
  refs: Ref[]
  /** Drafts that it ends, beside those that its events name. */
  dropDrafts: string[]
  /** Parts as the store has them, read for this plan. */
  loaded: LoadedParts
}

export function* planWrite(
  state: State,
  lease: Lease,
  commands: readonly SessionCommand[],
  env: WriteEnv,
): Deciding<Plan> {
  const working = new Working(state, lease)
  if (env.dropDrafts) working.dropDrafts.push(...env.dropDrafts)
  if (commands.some(isRecorded)) requireNoRun(state.head, 'recording a run')
  let recording = false
  const { nowMs, actor, traceId, ids } = env
  let place = 0
  let { epoch, expectedVersion } = env
  for (const command of commands) {
    const at = env.times?.[place++] ?? env.at
    const own: Env = { nowMs, at, actor, traceId, lease: working.lease, ids }
    if (epoch !== undefined) own.epoch = epoch
    if (recording) own.recording = true
    if (expectedVersion !== undefined) own.expectedVersion = expectedVersion
    const decision = yield* answered(decide(working.state.head, command, own), working)
    yield* apply(working, decision, own)
    if (decision.lease?.type === 'take') epoch = working.lease.epoch
    expectedVersion = undefined
    recording = (recording || isRecorded(command)) && isUnfinished(working.state.head.run)
  }
  if (recording) requireRecorded(working.state)
  return working
}

function isRecorded(command: SessionCommand): boolean {
  return command.type === 'startRun' && command.recorded === true
}

/** The plan of a session's first commit. `source` is what a fork is folded on. */
export function* planStart(source: State | undefined, decision: Decision, env: WriteEnv): Deciding<Plan> {
  const working = new Working(source as State, freeLease)
  yield* apply(working, decision, env)
  return working
}

/** Events as they are, on the state before the first of them; `undefined` before a session's first. */
export function* planRestored(
  state: State | undefined,
  lease: Lease,
  events: readonly FoldEvent[],
): Deciding<Plan> {
  const working = new Working(state as State, lease)
  for (const event of events) yield* take(working, event)
  return working
}

export const freeLease: Lease = { epoch: 0, owner: undefined, expiresAtMs: undefined }

/** A plan in the making. */
class Working implements Plan {
  state: State
  lease: Lease
  move: LeaseMove | undefined = undefined
  readonly events: FoldEvent[] = []
  readonly refs: Ref[] = []
  readonly dropDrafts: string[] = []
  readonly loaded: LoadedParts = {}
  /** Before the first of `events`; undefined before a session's first. */
  readonly #before: State | undefined
  /** The state is a copy that only this plan holds. */
  #isOwn = false
  /** After each of `events`, as far as it was asked for. */
  readonly #states: State[] = []

  constructor(state: State, lease: Lease) {
    this.#before = state
    this.state = state
    this.lease = lease
  }

  /** One copy for all events of the plan. */
  fold(event: FoldEvent): void {
    this.state = this.#isOwn ? foldInPlace(this.state, event) : fold(this.state, event)
    this.#isOwn = true
  }

  /** A part that was read. */
  load(part: PartName, stored: unknown): void {
    const { head, parts } = this.state
    this.loaded[part] = stored as never
    if (this.#isOwn) parts[part] = stored as never
    else this.state = { head, parts: { ...parts, [part]: stored } }
  }

  /** After `events[index]`. Folded again: it is rarely asked for, and a state for each would be a copy for each. */
  stateAfter(index: number): State | undefined {
    let state = this.#states.at(-1) ?? this.#before
    for (const event of this.events.slice(this.#states.length, index + 1)) {
      // A part may have been loaded since: then no event up to here has changed it.
      state = fold(state && { ...state, parts: { ...this.loaded, ...state.parts } }, event)
      this.#states.push(state)
    }
    return this.#states[index]
  }
}

function* apply(
  working: Working,
  decision: Decision,
  env: Pick<Env, 'at' | 'actor' | 'traceId' | 'nowMs'>,
): Deciding<void> {
  for (const decided of decision.events) {
    const before = working.state as State | undefined
    yield* take(working, place(decided, before?.head, env, (before?.head.seq ?? 0) + 1))
  }
  if (decision.dropDrafts) working.dropDrafts.push(...decision.dropDrafts)
  if (decision.lease) moveLease(working, decision.lease, env.nowMs)
}

function* take(working: Working, event: FoldEvent): Deciding<void> {
  const { state } = working as { state: State | undefined }
  const seq = (state?.head.seq ?? 0) + 1
  if (event.seq !== seq)
    refuse('version_conflict', `event ${event.seq} does not follow: the next one is ${seq}`, { seq: seq - 1 })
  for (const part of partsOf(event.type)) yield* loadPart(working, part)
  const before = state && { unanswered: state.head.unanswered, waiting: state.head.waiting }
  working.fold(event)
  const refs = refsOf(before, event, working.state.head)
  if (refs.length > 0) working.refs.push(...refs)
  working.events.push(event)
}

/** Who is wanted is told by the last that says so; a batch that takes or releases the lease says it with that. */
function moveLease(working: Working, move: LeaseMove, nowMs: number): void {
  const before = working.move
  if (before && before.type !== 'due') {
    if (move.type === 'due') return
    refuse('invalid_input', 'one batch may move the lease once; record the run, or end it in another')
  }
  working.move = move
  working.lease = leaseAfter(working.lease, move, nowMs)
}

function requireRecorded({ head }: State): void {
  if (isUnfinished(head.run)) {
    refuse('invalid_input', `the batch records run ${head.run.runId} of session ${head.id} and must end it`)
  }
}

/** Answers from the working state what it holds; passes the rest on. */
function* answered<T>(deciding: Deciding<T>, working: Working): Deciding<T> {
  let step = deciding.next()
  while (!step.done) {
    const read = step.value
    const firstOwn = working.state.head.seq - working.events.length + 1
    switch (read.read) {
      case 'part':
        step = deciding.next(yield* loadPart(working, read.part))
        break
      case 'refs': {
        const stored = (yield read) as readonly number[]
        const own = working.refs.filter((ref) => ref.kind === read.kind && ref.id === read.id)
        step = deciding.next(own.length === 0 ? stored : [...stored, ...own.map((ref) => ref.seq)])
        break
      }
      case 'event':
        step = deciding.next(read.seq >= firstOwn ? working.events[read.seq - firstOwn] : yield read)
        break
      case 'state':
        step = deciding.next(read.atSeq >= firstOwn ? working.stateAfter(read.atSeq - firstOwn) : yield read)
        break
      case 'drafts': {
        const open = (yield read) as readonly Draft[]
        const ended = [...working.dropDrafts, ...draftsNamed(working.events)]
        step = deciding.next(open.filter(({ draftId }) => !ended.includes(draftId)))
        break
      }
      case 'draft':
        step = deciding.next(yield read)
        break
    }
  }
  return step.value
}

/** Drafts whose place these events take. */
export function draftsNamed(events: readonly FoldEvent[]): string[] {
  const drafts: string[] = []
  for (const { type, data } of events) {
    if (type !== 'message.appended') continue
    const { draftId } = data as { draftId?: string }
    if (draftId !== undefined) drafts.push(draftId)
  }
  return drafts
}

function* loadPart(working: Working, part: PartName): Deciding<unknown> {
  const { state } = working as { state: State | undefined }
  if (state !== undefined && state.parts[part] === undefined)
    working.load(part, (yield { read: 'part', part }) ?? null)
  return working.state?.parts[part] ?? undefined
}
