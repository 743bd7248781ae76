/** The process that spends and is killed: it does steps of a plan, one after the other, and tells the totals after each. */
import {
  type ActiveSession,
  type AnySession,
  type CreatedSession,
  type Holdfast,
  type InitializingRun,
  openHoldfast,
  type RunningRun,
} from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { type UsageInput, usageRecord } from '@holdfast/protocol'
import { type Attempt, bookNames, priceBookOf, type Sums } from './bill.ts'
import { messages, report } from './child.ts'
import { balance } from './ledger-balance.ts'
import type { Step } from './spending.ts'

export interface SpenderTask {
  file: string
  /** The clock is this much ahead, so that the leases of earlier processes have run out. */
  aheadMs: number
  /** Number of the first step. */
  first: number
  steps: Step[]
  /** The first may have been done, or begun, by a process that died. */
  isAgain: boolean
  /** Attempts that are sent again get new ids, so that they are billed twice. */
  planted: boolean
}

export interface Spent {
  step: number
  /** The tenant's totals as the ledger tells them. */
  totals: Sums
  wrong: string[]
}

report({ ready: true })
for await (const { file, aheadMs, first, steps, planted, ...task } of messages<SpenderTask>()) {
  const factory = sqlite(file, { durability: 'normal' })
  const store = await factory.open({ clock: () => Date.now() + aheadMs })
  const holdfast = await openHoldfast({ store })
  for (const [index, step] of steps.entries()) {
    const isAgain = task.isAgain && index === 0
    const tenant = holdfast.forTenant(step.tenant)
    await take(tenant, isAgain && planted ? renamed(step) : step, isAgain)
    const { totals, wrong } = await balance(store, tenant, step)
    report({ step: first + index, totals, wrong } satisfies Spent)
  }
  await holdfast.close()
  await store.close()
  break
}

async function take(holdfast: Holdfast, step: Step, isAgain: boolean): Promise<void> {
  const { sessions, priceBooks } = holdfast
  switch (step.do) {
    case 'price':
      for (const name of bookNames) await priceBooks.put(name, priceBookOf(name))
      return priceBooks.setCurrent(step.book)
    case 'open':
      await sessions.create({ id: step.session, agentId: 'agent', ownerUserId: step.user })
      return
    case 'turn':
      return turn(holdfast, step, isAgain)
    case 'beside':
      return record(holdfast, (await sessions.open(step.session)) as ActiveSession, step.attempts)
    case 'fork':
      if (await sessions.get(step.session)) return
      await (await sessions.open(step.source)).fork({ id: step.session, ownerUserId: step.user })
      return
    case 'spawn':
      return spawn(holdfast, step, isAgain)
    case 'close':
      await ((await sessions.open(step.session)) as CreatedSession).close()
      return
    case 'delete':
      if (await sessions.get(step.session)) await sessions.delete(step.session, { force: true })
  }
}

async function turn(
  holdfast: Holdfast,
  { session: id, rounds, end }: Extract<Step, { do: 'turn' }>,
  isAgain: boolean,
): Promise<void> {
  const session = await activeSession(holdfast, id, isAgain)
  let run: InitializingRun | RunningRun = await session.startRun({ owner: 'spender', ttlMs: 60_000 })
  for (const attempts of rounds) {
    const running: RunningRun = await run.startRound()
    await record(holdfast, running, attempts)
    await running.completeRound()
    run = running
  }
  await (end === 'complete' ? run.complete() : end === 'fail' ? run.fail('broke') : run.cancel())
}

async function spawn(
  holdfast: Holdfast,
  { session: childId, parent }: Extract<Step, { do: 'spawn' }>,
  isAgain: boolean,
): Promise<void> {
  const session = await activeSession(holdfast, parent, isAgain)
  if (await holdfast.sessions.get(childId)) return
  const run = await session.startRun({ owner: 'spender', ttlMs: 60_000 })
  await run.spawnChild({ agentId: 'agent', childId })
  await run.fail('no more to do')
}

async function activeSession({ sessions }: Holdfast, id: string, isAgain: boolean): Promise<ActiveSession> {
  if (isAgain) await sessions.recover(id)
  const session: AnySession = await sessions.open(id)
  return session.lifecycle === 'created' ? session.activate() : (session as ActiveSession)
}

/** Each is told twice, as by a worker that is not sure. */
async function record(
  { priceBooks }: Holdfast,
  to: Pick<ActiveSession, 'recordUsage'>,
  attempts: readonly Attempt[],
): Promise<void> {
  const rated = await Promise.all(attempts.map((attempt) => priceBooks.rate(usageOf(attempt))))
  await Promise.all([...rated, ...rated].map((usage) => to.recordUsage(usage)))
}

function usageOf({ attemptId, model, purpose, status, estimated, reported, ...rest }: Attempt): UsageInput {
  const { promptTokens, completionTokens, cachedReadTokens } = rest
  return usageRecord.parse({
    attemptId,
    providerId: 'maker',
    model,
    purpose,
    status,
    estimated,
    promptTokens,
    completionTokens,
    cachedReadTokens,
    ...(reported !== undefined && { costMicrocents: reported, costSource: 'provider' }),
  })
}

function renamed(step: Step): Step {
  const again = (attempts: Attempt[]) =>
    attempts.map((attempt) => ({ ...attempt, attemptId: `${attempt.attemptId}-again` }))
  if (step.do === 'turn') return { ...step, rounds: step.rounds.map(again) }
  return step.do === 'beside' ? { ...step, attempts: again(step.attempts) } : step
}
