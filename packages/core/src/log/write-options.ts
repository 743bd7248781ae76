/** What a caller may add to any write, and the plain answer to one. */
import { type Actor, HoldfastError, isTime, parseInput, time } from '@holdfast/protocol'
import { checkActor, checkKey, checkTraceId } from './check-input.ts'
import { digestOf } from './key-hash.ts'
import { requireKnown } from './option-names.ts'
import type { WriteTerms, Written } from './request.ts'

export interface WriteOptions {
  /** Idempotency key: the same request with it has one effect, for as long as keys are kept. */
  key?: string
  /** Refused as `version_conflict` unless the session's version is this one. */
  expectedVersion?: number
  /** Who does this; absent: the handle's actor. */
  actor?: Actor
  /** The trace that this is a part of, by its W3C id; it is kept on the events. */
  traceId?: string
  /** Time to write on the events, for imports: one for all, or one for each command of a batch; absent: now. */
  at?: string | readonly (string | undefined)[]
}

/** What a write did. */
export interface Receipt {
  /** False: there was nothing to change. */
  changed: boolean
  /** Seq of its first and last event. */
  firstSeq?: number
  lastSeq?: number
  /** The session's version, when this write moved it. */
  version?: number
  /** The key was used before, and this is the effect it had then. */
  replayed: boolean
}

/** What, for one session, makes two requests the same. */
export interface Asked {
  sessionId: string
  operation: string
  body: unknown
}

const optionNames: readonly string[] = ['key', 'expectedVersion', 'actor', 'traceId', 'at']

/** A misspelt option would be ignored in silence: without its key a retry would write twice. */
function checkNames(options: WriteOptions): void {
  const hint = 'idempotencyKey' in options ? '; the idempotency key is `key`' : ''
  requireKnown(options, optionNames, 'options', hint)
}

/** `commands`: how many there are, for as many times; absent: there are none, and one time is for all. */
export function termsOf(
  options: WriteOptions | undefined,
  actor: Actor,
  asked: () => Asked,
  commands?: number,
): WriteTerms {
  if (options === undefined) return { actor }
  checkNames(options)
  const terms: WriteTerms = { actor: options.actor ? checkActor(options.actor) : actor }
  if (options.traceId !== undefined) terms.traceId = checkTraceId(options.traceId)
  if (commands !== undefined && Array.isArray(options.at)) terms.times = timesOf(options.at, commands)
  else if (options.at !== undefined) terms.at = timeOf(options.at)
  if (options.expectedVersion !== undefined) terms.expectedVersion = options.expectedVersion
  if (options.key !== undefined) {
    const { operation, sessionId, body } = asked()
    terms.key = digestOf(checkKey(options.key), sessionId, operation, body)
  }
  return terms
}

function timesOf(times: readonly unknown[], commands: number): (string | undefined)[] {
  if (times.length === commands) return times.map((at) => (at === undefined ? undefined : timeOf(at)))
  const message = `at: ${times.length} times for ${commands} commands; give one time for all, or one for each.`
  throw new HoldfastError('invalid_input', message)
}

function timeOf(at: unknown): string {
  return isTime(at) ? at : parseInput(time, at, 'at')
}

export function receiptOf({ events, replayed }: Written): Receipt {
  const first = events[0]
  const last = events[events.length - 1]
  if (!first || !last) return { changed: false, replayed }
  const receipt: Receipt = { changed: true, firstSeq: first.seq, lastSeq: last.seq, replayed }
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i]
    if (event?.runId !== undefined) continue
    if (event) receipt.version = event.seq
    break
  }
  return receipt
}
