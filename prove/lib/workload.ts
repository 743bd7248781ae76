/**
 * What a writer of a proof does until it is stopped: several callers on several sessions, each waiting for its own
 * acks. It says what it is about to do and what was done, as soon as its promise is resolved.
 */
import type {
  ActiveSession,
  CreatedSession,
  Holdfast,
  HostCommand,
  InitializingRun,
  Receipt,
  RunningRun,
} from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import { hashOf, line } from './contents.ts'
import type { Bill, Intent, Kind, Range, Report } from './history.ts'
import { billOf, callPart, randomOf, text, usageLine, usageOf, writeOf } from './writes.ts'

export interface Work {
  holdfast: Holdfast
  report: (report: Report) => void
  /** Parts the ids of this writer from those of others. */
  writer: number
  /** Sessions to append to, made if need be. */
  sessions: readonly string[]
  /** Sessions with live runs, which no other writer may have. */
  running: readonly string[]
  /** Rounds that each caller makes; absent: without end. */
  rounds?: number
  /** Puts summaries in place of the past, which two writers of one session must not do at once. */
  compacts?: boolean
  /** The planted bug: says that it is done before it is. */
  acksEarly?: boolean
}

/** A write to be sent once more under its key, whether it is there or not. */
export type Again = Required<Pick<Intent, 'op' | 'session' | 'kind'>>

type Session = CreatedSession | ActiveSession

const lease = { owner: 'prover', ttlMs: 60_000 }

export class Workload {
  readonly #work: Work

  constructor(work: Work) {
    this.#work = work
  }

  async run(again: readonly Again[] = []): Promise<void> {
    const { sessions, running } = this.#work
    const open = new Map<string, Session>()
    for (const id of [...sessions, ...running]) open.set(id, await this.#open(id))
    await Promise.all(
      again.map(({ op, session, kind }) => this.#write(open.get(session) as Session, op, kind)),
    )
    await Promise.all(
      [...open.values()].flatMap((session) => this.#callers(session, running.includes(session.id))),
    )
  }

  async #open(id: string): Promise<Session> {
    const op = `op-0-${id}-0`
    const { sessions } = this.#work.holdfast
    let session: Session | undefined
    await this.#say({ op, session: id, hash: hashOf([line('create', op)]) }, async () => {
      session = (await sessions.create({ id, agentId: 'prover', title: op })) as Session
      return undefined
    })
    await sessions.recover(id)
    return session as Session
  }

  #callers(session: Session, hasRuns: boolean): Promise<void>[] {
    const caller = (name: string, turn: (op: (step: number) => string, n: number) => Promise<unknown>) => {
      return this.#repeat((n) =>
        turn((step) => `op-${this.#work.writer}-${session.id}${name}-${n * 10 + step}`, n),
      )
    }
    const writer = (name: string, kindOf: (n: number) => Kind) => {
      return caller(name, (op, n) => this.#write(session, op(0), kindOf(n)))
    }
    if (hasRuns) return [caller('a', (op) => this.#liveRun(session, op)), writer('b', () => 'ask')]
    return [
      caller('a', (op, n) => this.#talk(session, op, n)),
      writer('b', (n) => (n % 3 === 0 ? 'run' : 'talk')),
      writer('c', (n) => (n % 5 === 0 ? 'run' : 'ask')),
    ]
  }

  async #repeat(turn: (n: number) => Promise<unknown>): Promise<void> {
    const { rounds = Number.POSITIVE_INFINITY } = this.#work
    for (let n = 0; n < rounds; n++) await turn(n)
  }

  async #talk(session: Session, op: (step: number) => string, n: number): Promise<void> {
    const receipt = await this.#write(session, op(0), 'talk')
    if (this.#work.compacts && n % 4 === 3) await this.#compact(session, op(1), receipt?.lastSeq ?? 0)
  }

  /** Everything up to an own message, so that it covers whatever was covered before. */
  async #compact(session: Session, op: string, to: number): Promise<void> {
    const counts = { tokensBefore: 2, tokensAfter: 1, messagesCovered: 1 }
    const record = { compactionId: op, from: 1, to, trigger: 'manual' as const, ...counts }
    const intent = { op, session: session.id, hash: hashOf([line('compact', op)]) }
    const apply = (pathSeq: number) => session.compact({ record, pathSeq, summary: op, summaryTokens: 1 })
    await this.#say(intent, () => apply(0).catch((error) => apply(pathSeqOf(error))))
  }

  /** Keyed, so that it may be sent again. */
  async #write(session: Session, op: string, kind: Kind): Promise<Receipt | undefined> {
    const { commands, lines, bill } = writeOf(op, kind)
    const told = { op, session: session.id, kind, hash: hashOf(lines), ...(bill && { bill }) }
    return this.#say(told, () => session.batch(commands, { key: op }))
  }

  async #say(intent: Intent, send: () => Promise<Receipt | undefined>): Promise<Receipt | undefined> {
    const { report, acksEarly } = this.#work
    report({ intent })
    if (acksEarly) report({ ack: { op: intent.op } })
    const receipt = await untilWritten(send)
    if (!acksEarly) report({ ack: { op: intent.op, ...(receipt && { range: rangeOf(receipt) }) } })
    return receipt
  }

  /** A run as an agent has it: every step is a commit of its own under the lease, and the answer is drafted first. */
  async #liveRun(session: Session, op: (step: number) => string): Promise<void> {
    const random = randomOf(op(0))
    const step = (place: number, lines: string[], send: () => Promise<Receipt | undefined>, bill?: Bill) => {
      const intent = { op: op(place), session: session.id, hash: hashOf(lines) }
      return this.#say({ ...intent, ...(bill && { bill }) }, send)
    }
    let begun: InitializingRun | undefined
    await step(0, [line('start', op(0))], async () => {
      begun = await session.startRun({ ...lease, runId: op(0) })
      return undefined
    })
    const run = await (begun as InitializingRun).startRound()

    const asking = text('assistant', op(1), random)
    asking.parts.push(callPart(`${op(1)}.0`))
    await step(1, [line('assistant', asking.parts)], () => run.append(asking))
    const result = { callId: `${op(1)}.0`, output: op(2) }
    await step(2, [line('result', result.output, result.callId)], () => run.finishTool(result))
    const bill = billOf(random)
    await step(3, [usageLine(op(3), bill)], () => run.recordUsage(usageOf(op(3), bill)), bill)

    const answer = text('assistant', op(4), random)
    const draftId = await this.#draft(run, op(4), answer)
    const ending: HostCommand[] = [
      { type: 'append', message: answer, draftId },
      { type: 'completeRound' },
      { type: 'completeRun' },
    ]
    await step(4, [line('assistant', answer.parts)], () => run.batch(ending))
  }

  async #draft(run: RunningRun, op: string, { parts }: ReturnType<typeof text>): Promise<string> {
    const [part] = parts
    const draft = run.draft(`draft.${op}`)
    const words = part?.type === 'text' ? part.text.split(/(?<= )/) : []
    for (let written = 0; written < words.length; ) {
      for (const word of words.slice(written, written + 40)) draft.write(word)
      written += 40
      await draft.flush()
      const { draftId } = draft
      this.#work.report({
        drafted: { session: run.sessionId, draftId, op, text: words.slice(0, written).join('') },
      })
    }
    return draft.draftId
  }
}

function rangeOf({ firstSeq, lastSeq }: Receipt): Range {
  if (firstSeq === undefined || lastSeq === undefined)
    throw new Error('a write was answered without its seqs')
  return [firstSeq, lastSeq]
}

/** Where the path changed last: the refusal tells. */
function pathSeqOf(error: unknown): number {
  if (isHoldfastError(error, 'path_changed')) return error.details.pathSeq as number
  throw error
}

/** Other writers may be first too often: then nothing was written, and it is sent again. */
async function untilWritten<T>(send: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await send()
    } catch (error) {
      if (!isHoldfastError(error, 'contention')) throw error
    }
  }
}
