/**
 * The shape of a decision. A `decide…` function is a pure generator: it yields the few bounded reads that it needs,
 * gets their results, and returns the events to write. Whoever drives it (the engine on a store, a test on an array)
 * does the reading, so a decision never knows where the log is kept.
 */
import { type Actor, type EventData, type EventType, HoldfastError, type Ids } from '@holdfast/protocol'
import type { Head, PartName, Parts, State } from './state.ts'

export type Read =
  | { read: 'part'; part: PartName }
  /** Seqs of the events that carry a chosen id, rising. */
  | { read: 'refs'; kind: RefKind; id: string }
  /** One event. */
  | { read: 'event'; seq: number }
  /** Head and all parts as they were after `seq`. */
  | { read: 'state'; atSeq: number }
  /** The drafts that are open, oldest first. */
  | { read: 'drafts' }
  /** What a draft holds. */
  | { read: 'draft'; draftId: string }

/** Kinds of chosen ids that a session can be asked for. */
export type RefKind =
  | 'message'
  | 'call'
  | 'result'
  | 'question'
  | 'child'
  | 'attempt'
  | 'run'
  | 'compaction'
  | 'unanswered'
  | 'answered'
  | 'delivered'
  /** Messages that no compaction replaces, all under one id. */
  | 'protected'

export type Deciding<T> = Generator<Read, T, unknown>

export function* readPart<K extends PartName>(part: K): Deciding<Parts[K] | undefined> {
  return (yield { read: 'part', part }) as Parts[K] | undefined
}

export function* readRefs(kind: RefKind, id: string): Deciding<readonly number[]> {
  return (yield { read: 'refs', kind, id }) as readonly number[]
}

export function* readEvent(seq: number): Deciding<{ type: string; data: unknown } | undefined> {
  return (yield { read: 'event', seq }) as { type: string; data: unknown } | undefined
}

export function* readState(atSeq: number): Deciding<State> {
  return (yield { read: 'state', atSeq }) as State
}

/** An open draft: text of a message in the making. */
export interface Draft {
  draftId: string
  runId: string
  epoch: number
}

export interface DraftPiece {
  kind: 'text' | 'reasoning'
  text: string
}

export function* readDrafts(): Deciding<readonly Draft[]> {
  return (yield { read: 'drafts' }) as readonly Draft[]
}

export function* readDraft(draftId: string): Deciding<readonly DraftPiece[]> {
  return (yield { read: 'draft', draftId }) as readonly DraftPiece[]
}

/** The lease as the store has it, beside the fold. */
export interface Lease {
  epoch: number
  owner: string | undefined
  expiresAtMs: number | undefined
}

export type LeaseMove =
  | { type: 'take'; fromEpoch: number; owner: string; ttlMs: number }
  /** `lost`: by another than its holder, only if it is past its end when it is written. */
  | { type: 'release'; lost?: true; due?: true }
  /** Somebody is wanted to work on a session that nobody holds, or nobody any more. */
  | { type: 'due'; isDue: boolean }

/** The lease as it is once the move was written. */
export function leaseAfter({ epoch, ...held }: Lease, move: LeaseMove, nowMs: number): Lease {
  if (move.type === 'take')
    return { epoch: move.fromEpoch + 1, owner: move.owner, expiresAtMs: nowMs + move.ttlMs }
  if (move.type === 'due' && held.owner !== undefined) return { epoch, ...held }
  const isDue = move.type === 'due' ? move.isDue : move.due === true
  return { epoch, owner: undefined, expiresAtMs: isDue ? nowMs : undefined }
}

/** What a decision may know beside the state: the clock, who asks, the lease, and a source of ids. */
export interface Env {
  nowMs: number
  /** Time written on the events; an import gives the original one. */
  at: string
  actor: Actor
  /** Of the request. */
  traceId?: string | undefined
  lease: Lease
  /** The epoch that the caller writes under; absent on the side lane. */
  epoch?: number
  /** A whole finished run is written in this one commit, so nobody needs to hold a lease. */
  recording?: boolean
  /** Compared with the version of the session. */
  expectedVersion?: number
  ids: Ids
}

/** An event to be written. `run: true` puts it in the run lane: it carries the run's id and needs the epoch. */
export type NewEvent = { [T in EventType]: { type: T; data: EventData<T>; run?: true } }[EventType]

export interface Decision {
  events: NewEvent[]
  lease?: LeaseMove
  /** Drafts that end with these events, beside those that the events name. */
  dropDrafts?: readonly string[]
}

export const nothing: Decision = { events: [] }

export function decided(...events: NewEvent[]): Decision {
  return { events }
}

/** A decision that reads nothing is made at once. */
export type Decide<C> = (head: Head, command: C, env: Env) => Deciding<Decision> | Decision

export function refuse(
  code: ConstructorParameters<typeof HoldfastError>[0],
  message: string,
  details?: Record<string, unknown>,
): never {
  throw new HoldfastError(code, message, details ? { details } : {})
}

export function isLost(lease: Lease, nowMs: number): boolean {
  return lease.owner === undefined || (lease.expiresAtMs !== undefined && lease.expiresAtMs <= nowMs)
}
