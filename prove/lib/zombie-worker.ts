/**
 * A worker of the zombie proof. Told to `work`, it holds a run until it is refused, and then tries everything once more,
 * as one that does not know that it is dead. Told to `take`, it takes the run over as soon as its lease is lost, and
 * ends it. It says before each operation that it begins, and after it how it ended.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ActiveSession,
  type DraftWriter,
  type HeldRun,
  type Holdfast,
  openHoldfast,
  type RunningRun,
} from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import { messages, report } from './child.ts'
import { fenceless } from './fenceless.ts'
import { Random } from './random.ts'
import { storeAt } from './stores.ts'
import { callPart, usageOf } from './writes.ts'
import { type Ending, type ZombieReport, type ZombieTask, zombieId } from './zombie-task.ts'

type Send = (op: string) => Promise<unknown>

const round = [
  'startRound',
  'ask',
  'finish',
  'heartbeat',
  'bill',
  'draft',
  'draft',
  'answer',
  'completeRound',
]

class Worker {
  readonly #random: Random
  readonly #session: ActiveSession
  readonly #task: ZombieTask
  /** Refused, which happens only to one that lost its lease. */
  #isDead = false
  #ops = 0

  constructor(session: ActiveSession, task: ZombieTask) {
    this.#session = session
    this.#task = task
    this.#random = new Random(task.seed)
  }

  async work(): Promise<void> {
    const { ttlMs } = this.#task
    const run = (await this.#session.startRun({ owner: 'zombie', ttlMs })) as unknown as RunningRun
    const ways = this.#ways(run)
    for (let step = 0; !this.#isDead; step++) {
      const way = round[step % round.length] as string
      await this.#attempt(way, ways[way] as Send)
    }
    for (const [way, send] of Object.entries(ways)) await this.#attempt(way, send)
    await this.#attempt('aside', (op) => this.#session.append(said('user', op)))
  }

  /** Everything that a worker does under its lease. */
  #ways(run: RunningRun): Record<string, Send> {
    let asked = ''
    let draft: DraftWriter | undefined
    return {
      startRound: (op) => run.startRound(op),
      ask: (op) => {
        asked = op
        return run.append({ role: 'assistant', parts: [callPart(op)] })
      },
      finish: (op) => run.finishTool({ callId: asked, output: op }),
      heartbeat: () => run.heartbeat(this.#task.ttlMs),
      bill: (op) => run.recordUsage(usageOf(op, { promptTokens: 1, completionTokens: 1, costMicrocents: 1 })),
      draft: (op) => {
        draft ??= run.draft(`draft-${op}`)
        draft.write(op)
        return draft.flush()
      },
      answer: async (op) => {
        const draftId = draft?.draftId
        const answered = await run.append(said('assistant', op), draftId === undefined ? {} : { draftId })
        draft = undefined
        return answered
      },
      completeRound: () => run.completeRound(),
      suspend: () => run.suspend('shutdown'),
      complete: () => run.complete(),
      fail: () => run.fail('a zombie'),
    }
  }

  async #attempt(way: string, send: Send): Promise<void> {
    this.#ops += 1
    const op = `${this.#task.session}.${way}.${this.#ops}.`
    report({ begun: op, at: String(process.hrtime.bigint()) } satisfies ZombieReport)
    report((await this.#outcome(op, send)) satisfies ZombieReport)
    await sleep(this.#random.below(3))
  }

  async #outcome(op: string, send: Send): Promise<{ ended: string; seq?: number; code?: string }> {
    try {
      const receipt = (await send(op)) as { lastSeq?: number } | undefined
      return { ended: op, ...(receipt?.lastSeq !== undefined && { seq: receipt.lastSeq }) }
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      this.#isDead = true
      return { ended: op, code: error.code }
    }
  }

  async take(sessions: Holdfast['sessions'], how: Ending): Promise<void> {
    const run = how === 'goOn' ? await this.#takeOver() : await this.#recover(sessions, how)
    report({ taken: true } satisfies ZombieReport)
    if (run) await this.#goOn(run)
  }

  async #goOn(run: HeldRun): Promise<void> {
    const { session } = this.#task
    await run.closeCalls('taken over')
    for (const op of ['more', 'and more']) await run.append(said('assistant', `${session}.rescue.${op}`))
    const inRound = (await this.#isInRound()) ? [{ type: 'completeRound' as const }] : []
    await run.batch([{ type: 'closeCalls', reason: 'ending' }, ...inRound, { type: 'completeRun' }])
  }

  async #isInRound(): Promise<boolean> {
    const { events } = await this.#session.events({ direction: 'backward', limit: 100 })
    return events.find(({ type }) => type.startsWith('round.'))?.type === 'round.started'
  }

  async #takeOver(): Promise<HeldRun> {
    for (;;) {
      try {
        return await this.#session.takeOverRun({ owner: 'rescuer', ttlMs: 60_000 })
      } catch (error) {
        if (!isHoldfastError(error, 'lease_held')) throw error
      }
      await sleep(2)
    }
  }

  /** A run that was left suspended is resumed and goes on. */
  async #recover(
    sessions: Holdfast['sessions'],
    outcome: Exclude<Ending, 'goOn'>,
  ): Promise<HeldRun | undefined> {
    while (!(await sessions.recover(this.#session.id, { outcome })).recovered) await sleep(2)
    return outcome === 'suspend' ? this.#session.resumeRun({ owner: 'rescuer', ttlMs: 60_000 }) : undefined
  }
}

function said(role: 'user' | 'assistant', text: string) {
  return { role, parts: [{ type: 'text' as const, text }] }
}

report({ ready: true } satisfies ZombieReport)
let holdfast: Holdfast | undefined
for await (const task of messages<ZombieTask>()) {
  const place = storeAt(task.place)
  holdfast ??= await openHoldfast({ store: task.planted ? fenceless(place) : place })
  const actor = { kind: 'host' as const, id: task.do === 'work' ? zombieId : 'rescuer' }
  const { sessions } = holdfast.forTenant(holdfast.tenantId, { actor })
  const session = (await sessions.create({
    id: task.session,
    agentId: 'agent',
  })) as unknown as ActiveSession
  const worker = new Worker(session, task)
  try {
    await (task.do === 'work' ? worker.work() : worker.take(sessions, task.do))
    report({ done: true } satisfies ZombieReport)
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    report({ done: true, failed: error.code } satisfies ZombieReport)
  }
}
await holdfast?.close()
