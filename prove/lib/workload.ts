/**
 * What a writer of a proof does until it is stopped: several callers on several sessions, each waiting for its own
 * acks. It says what it is about to do and what was done, as soon as its promise is resolved.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  ActiveSession,
  CreatedSession,
  DraftWriter,
  HeldRun,
  Holdfast,
  HostCommand,
  InitializingRun,
  Receipt,
  RunningRun,
} from '@holdfast/core'
import { type ErrorCode, type HoldfastError, isHoldfastError } from '@holdfast/protocol'
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
  /** Asked before each round. */
  isStopped?: () => boolean
  /** The store goes away and comes back: its errors are told, and what has a key is sent again. And sessions are made. */
  outlives?: boolean
  /** The planted bug: says that it is done before it is. */
  acksEarly?: boolean
}

/** A write to be sent once more under its key, whether it is there or not. */
export type Again = Required<Pick<Intent, 'op' | 'session' | 'kind'>>

type Session = CreatedSession | ActiveSession

type Send = () => Promise<Receipt | undefined>

const lease = { owner: 'prover', ttlMs: 60_000 }

export class Workload {
  readonly #work: Work
  readonly #opened = new Map<string, Session>()

  constructor(work: Work) {
    this.#work = work
  }

  /** Makes or finds the sessions. */
  async open(): Promise<void> {
    const { sessions, running } = this.#work
    for (const id of [...sessions, ...running]) this.#opened.set(id, await this.#open(id))
  }

  async run(again: readonly Again[] = []): Promise<void> {
    const { running } = this.#work
    const open = this.#opened
    if (open.size === 0) await this.open()
    await Promise.all(
      again.map(({ op, session, kind }) => this.#write(open.get(session) as Session, op, kind)),
    )
    await Promise.all(
      [...open.values()].flatMap((session) => this.#callers(session, running.includes(session.id))),
    )
  }

  async #open(id: string): Promise<Session> {
    const session = await this.#create(id, `op-0-${id}-0`)
    await this.#work.holdfast.sessions.recover(id)
    return session
  }

  /** With a chosen id: again, it is the same session. */
  async #create(id: string, op: string): Promise<Session> {
    let session: Session | undefined
    await this.#say({ op, session: id, hash: hashOf([line('create', op)]) }, async () => {
      const { sessions } = this.#work.holdfast
      session = (await sessions.create({ id, agentId: 'prover', title: op })) as Session
      return undefined
    })
    return session as Session
  }

  #callers(session: Session, hasRuns: boolean): Promise<void>[] {
    const caller = (name: string, turn: (op: (step: number) => string, n: number) => Promise<void>) => {
      return this.#repeat((n) =>
        turn((step) => `op-${this.#work.writer}-${session.id}${name}-${n * 10 + step}`, n),
      )
    }
    const writer = (name: string, kindOf: (n: number) => Kind) => {
      return caller(name, (op, n) => this.#write(session, op(0), kindOf(n)))
    }
    if (hasRuns) {
      return [
        caller('a', (op) => this.#liveRun(session, op)),
        writer('b', () => 'ask'),
        ...(this.#work.outlives ? [caller('c', (op, n) => this.#make(session, op(0), n))] : []),
      ]
    }
    return [
      caller('d', (op) => this.#writeOnce(session, op(0))),
      writer('a', () => 'talk'),
      writer('b', (n) => (n % 3 === 0 ? 'run' : 'talk')),
      writer('c', (n) => (n % 5 === 0 ? 'run' : 'ask')),
    ]
  }

  /** Another session, now and then. */
  async #make(neighbour: Session, op: string, n: number): Promise<void> {
    await this.#create(`made${this.#work.writer}${neighbour.id}${n}`, op)
    await sleep(100)
  }

  async #repeat(turn: (n: number) => Promise<void>): Promise<void> {
    const { rounds = Number.POSITIVE_INFINITY, isStopped } = this.#work
    for (let n = 0; n < rounds && !isStopped?.(); n++) await turn(n)
  }

  /** Keyed, so that it may be sent again. */
  async #write(session: Session, op: string, kind: Kind): Promise<void> {
    const { commands, lines, bill } = writeOf(op, kind)
    const told = { op, session: session.id, kind, hash: hashOf(lines), ...(bill && { bill }) }
    await this.#say(told, () => session.batch(commands, { key: op }))
  }

  /** Without a key: when it may have been written it is not sent again. */
  async #writeOnce(session: Session, op: string): Promise<void> {
    const { commands, lines } = writeOf(op, 'ask')
    await this.#say({ op, session: session.id, hash: hashOf(lines) }, () => session.batch(commands), true)
  }

  async #say(intent: Intent, send: Send, isOnce = false): Promise<void> {
    const { report, acksEarly } = this.#work
    const { op } = intent
    report({ intent })
    if (acksEarly) report({ ack: { op, atMs: Date.now() } })
    for (;;) {
      try {
        const receipt = await send()
        if (acksEarly) return
        report({ ack: { op, ...(receipt && { range: rangeOf(receipt) }), atMs: Date.now() } })
        return
      } catch (error) {
        const isOver = isOnce && !isHoldfastError(error, 'contention')
        await this.#outlive(op, error, isOver)
        if (isOver) return
      }
    }
  }

  /** Throws what a caller cannot live with. Other writers may be first too often: then nothing was written. */
  async #outlive(op: string, error: unknown, isOver: boolean): Promise<void> {
    const { outlives = false, report } = this.#work
    if (!isPassing(error, outlives)) throw error
    if (!outlives) return
    report({ failed: { op, code: error.code, isOver } })
    await sleep(20)
  }

  /** A run as an agent has it: every step is a commit of its own under the lease, and the answer is drafted first. */
  async #liveRun(session: Session, op: (step: number) => string): Promise<void> {
    const random = randomOf(op(0))
    const step = (place: number, lines: string[], send: () => Promise<Receipt | undefined>, bill?: Bill) => {
      const intent = { op: op(place), session: session.id, hash: hashOf(lines) }
      return this.#say({ ...intent, ...(bill && { bill }) }, send)
    }
    const key = (place: number) => ({ key: op(place) })
    let begun: InitializingRun | undefined
    await step(0, [line('start', op(0))], async () => {
      begun = await session.startRun({ ...lease, runId: op(0) }, key(0))
      return undefined
    })
    const run = await this.#startRound(begun as InitializingRun, op(5))

    const asking = text('assistant', op(1), random)
    asking.parts.push(callPart(`${op(1)}.0`))
    await step(1, [line('assistant', asking.parts)], () => run.append(asking, key(1)))
    const result = { callId: `${op(1)}.0`, output: op(2) }
    await step(2, [line('result', result.output, result.callId)], () => run.finishTool(result, key(2)))
    const bill = billOf(random)
    const recordUsage: HostCommand = { type: 'recordUsage', usage: usageOf(op(3), bill) }
    await step(3, [usageLine(op(3), bill)], () => run.batch([recordUsage], key(3)), bill)

    const answer = text('assistant', op(4), random)
    const draftId = await this.#draft(run, op(4), answer)
    const ending: HostCommand[] = [
      { type: 'append', message: answer, draftId },
      { type: 'completeRound' },
      { type: 'completeRun' },
    ]
    await step(4, [line('assistant', answer.parts)], () => run.batch(ending, key(4)))
  }

  /** No content of a caller's is in it, so nobody is told. */
  async #startRound(run: InitializingRun, key: string): Promise<RunningRun> {
    for (;;) {
      try {
        await run.batch([{ type: 'startRound' }], { key })
        await run.heartbeat(lease.ttlMs)
        return run as HeldRun as RunningRun
      } catch (error) {
        await this.#outlive(key, error, false)
      }
    }
  }

  /** A draft that failed is given up, and its text drafted anew. */
  async #draft(run: RunningRun, op: string, { parts }: ReturnType<typeof text>): Promise<string> {
    const [part] = parts
    const words = part?.type === 'text' ? part.text.split(/(?<= )/) : []
    for (let tries = 1; ; tries++) {
      const draft = run.draft(`draft.${op}.${tries}`)
      const drafted = { session: run.sessionId, draftId: draft.draftId, op }
      try {
        await this.#stream(draft, words, (text) => this.#work.report({ drafted: { ...drafted, text } }))
        return draft.draftId
      } catch (error) {
        this.#work.report({ drafted: { ...drafted, text: '' } })
        await this.#outlive(op, error, false)
      }
    }
  }

  async #stream(draft: DraftWriter, words: readonly string[], told: (text: string) => void): Promise<void> {
    for (let written = 0; written < words.length; ) {
      for (const word of words.slice(written, written + 40)) draft.write(word)
      written += 40
      await draft.flush()
      told(words.slice(0, written).join(''))
    }
  }
}

/** The last: messages pile up behind a run whose worker is cut off. */
const outages: readonly ErrorCode[] = ['store_busy', 'store_unavailable', 'commit_unknown', 'limit_exceeded']

export function isPassing(error: unknown, outlives: boolean): error is HoldfastError {
  if (!isHoldfastError(error)) return false
  return error.code === 'contention' || (outlives && outages.includes(error.code))
}

function rangeOf({ firstSeq, lastSeq }: Receipt): Range {
  if (firstSeq === undefined || lastSeq === undefined)
    throw new Error('a write was answered without its seqs')
  return [firstSeq, lastSeq]
}
