/**
 * Compares a store, opened by a process that wrote nothing, with what its writers said. What it computes it computes
 * by its own means, but for the fold, which is compared with the stored head.
 */
import type { Store } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import { hashOf, lineOf, opOf } from './contents.ts'
import { type Drafted, holds, type Op, type Range } from './history.ts'
import { viewOf } from './inside.ts'
import { integrityProblems } from './integrity.ts'
import { pairingProblems } from './pairing.ts'
import { type RawEvent, readSession, type StoredSession } from './stored.ts'
import { type Place, storeAt } from './stores.ts'
import { billProblems, foldProblems, gapProblems } from './whole.ts'

export interface Findings {
  /** First and last seq of the writes that are there. */
  there: Record<string, Range>
  absent: string[]
  lost: string[]
  duplicated: string[]
  reordered: string[]
  /** Everything else that must never be. */
  wrong: string[]
}

/** What to compare: what is there, and what its writers said. */
export interface Audited {
  place: Place
  ops: readonly Op[]
  /** Answers that were in the making when the writer died. */
  drafted: readonly Drafted[]
}

export async function audit(audited: Audited): Promise<Findings> {
  const store = await storeAt(audited.place).open({})
  const findings = await auditStore(store, audited)
  await store.close()
  findings.wrong.push(...(await integrityProblems(audited.place)))
  return findings
}

export async function auditStore(store: Store, { ops, drafted }: Omit<Audited, 'place'>): Promise<Findings> {
  const findings: Findings = { there: {}, absent: [], lost: [], duplicated: [], reordered: [], wrong: [] }
  const draftsOf = Map.groupBy(drafted, (draft) => draft.session)
  for (const [sessionId, own] of Map.groupBy(ops, (op) => op.session)) {
    const problems = await auditSession(store, sessionId, {
      ops: own,
      drafted: draftsOf.get(sessionId) ?? [],
      findings,
    })
    findings.wrong.push(...problems.map((problem) => `${sessionId}: ${problem}`))
  }
  return findings
}

async function auditSession(
  store: Store,
  sessionId: string,
  { ops, drafted, findings }: Pick<Audited, 'ops' | 'drafted'> & { findings: Findings },
): Promise<string[]> {
  const session = await readSession(store, sessionId)
  const said = effects(session?.events ?? [])
  for (const op of ops) check(op, said.get(op.op) ?? [], findings)
  if (!session) return []
  for (const draft of drafted) findings.lost.push(...(await lostDraft(store, session, draft)))
  const bills = ops.flatMap((op) => (op.bill && op.op in findings.there ? [op.bill] : []))
  return [
    ...gapProblems(session),
    ...foldProblems(session),
    ...(await billProblems(store, session, bills)),
    ...pairingProblems(viewOf(session)),
    ...foreign(said, ops),
  ]
}

/** Durable text stays until a message takes its place: the answer, or what a recovery keeps of it. */
async function lostDraft(
  store: Store,
  session: StoredSession,
  { draftId, text }: Drafted,
): Promise<string[]> {
  const message = session.events.find(({ data }) => data.draftId === draftId)
  const chunks = await store.readDraft(DEFAULT_TENANT, session.sessionId, draftId, 0)
  if (message && chunks.length > 0) return [`${draftId} outlives its message`]
  const kept = message ? textOf(message) : chunks.map((chunk) => chunk.text).join('')
  return kept.startsWith(text)
    ? []
    : [`${draftId}: ${text.length} characters were durable, ${kept.length} are there`]
}

function textOf({ data }: RawEvent): string {
  return (data.parts as { text?: string }[]).map((part) => part.text ?? '').join('')
}

/** The events of each write, found by the id that it puts into its content. */
function effects(events: readonly RawEvent[]): Map<string, RawEvent[]> {
  const said = new Map<string, RawEvent[]>()
  for (const event of events) {
    const op = opOf(lineOf(event) ?? '')
    if (op !== undefined) said.set(op, [...(said.get(op) ?? []), event])
  }
  return said
}

/** One write: there once, whole, in one commit, at its seq and after all that was acked before it; or not at all. */
function check(op: Op, events: readonly RawEvent[], findings: Findings): void {
  const [first] = events
  if (!first) {
    if (op.status === 'acked' || op.status === 'there') findings.lost.push(op.op)
    else findings.absent.push(op.op)
    return
  }
  const { range, lines, hash, isDouble, isTorn } = effectOf(first, events)
  findings.there[op.op] = range
  if (isDouble) findings.duplicated.push(op.op)
  else if (hash !== op.hash)
    findings.wrong.push(
      `${op.op} is there in part, or changed: ${lines.map((line) => line.slice(0, 60)).join(' | ')}`,
    )
  if (isTorn) findings.wrong.push(`${op.op} is in two commits`)
  if (op.status === 'absent') findings.wrong.push(`${op.op} was settled as absent and is there now`)
  if (op.range && !holds(op.range, range))
    findings.reordered.push(`${op.op} was at ${op.range} and is at ${range}`)
  if (first.seq <= op.after) findings.reordered.push(`${op.op} is at ${first.seq}, not after ${op.after}`)
}

/** What the events of a write are together. */
interface Effect {
  events: readonly RawEvent[]
  range: Range
  lines: string[]
  hash: string
  isDouble: boolean
  isTorn: boolean
}

/** By the first event: in the next image it is mostly followed by the same ones. */
const effectsFrom = new WeakMap<RawEvent, Effect>()

function effectOf(first: RawEvent, events: readonly RawEvent[]): Effect {
  const found = effectsFrom.get(first)
  if (found?.events.length === events.length && found.events.every((event, n) => event === events[n]))
    return found
  const lines = events.map((event) => lineOf(event) ?? '')
  const made: Effect = {
    events,
    range: [first.seq, (events.at(-1) ?? first).seq],
    lines,
    hash: hashOf(lines),
    isDouble: new Set(lines).size < lines.length,
    isTorn: new Set(events.map((event) => event.commitId)).size > 1,
  }
  effectsFrom.set(first, made)
  return made
}

function foreign(said: ReadonlyMap<string, unknown>, ops: readonly Op[]): string[] {
  const known = new Set(ops.map((op) => op.op))
  return [...said.keys()].filter((op) => !known.has(op)).map((op) => `${op} is there and nobody sent it`)
}
