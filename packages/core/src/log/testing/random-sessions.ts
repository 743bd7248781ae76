/** Sessions in a real store, written by random commands, forked, erased from and drafted in. */
import { DEFAULT_TENANT, isHoldfastError, tenantId, uuidv7Ids } from '@holdfast/protocol'
import { fold } from '../../session/fold/index.ts'
import { isLive } from '../../session/lifecycle.ts'
import { type Ref, refsOf } from '../../session/projections.ts'
import type { FoldEvent, State } from '../../session/state.ts'
import type { TestLog } from '../../session/testing/log.ts'
import { commandOf, type Op, ops } from '../../session/testing/random.ts'
import type { Store } from '../../store/store.ts'
import { commitIds } from '../commit-ids.ts'
import { Committer } from '../committer.ts'
import { DecodedHeads } from '../decoded-heads.ts'
import { type Holdfast, openHoldfast } from '../holdfast.ts'
import { KnownTexts } from '../known-texts.ts'
import { RestingActors } from '../resting-actors.ts'
import { TailMemory } from '../tail-memory.ts'
import { TenantLog } from '../tenant-log.ts'
import { upcasters } from '../upcast.ts'
import { WireTimes } from '../wire-times.ts'
import { type HeldClock, seededRandom } from './each-store.ts'

const often: Op[] = [
  'user',
  'answer',
  'call',
  'result',
  'result',
  'usage',
  'startRun',
  'startRound',
  'complete',
]
const allOps: Op[] = [...ops, ...often]

/** `steps` random steps spread over some sessions, the same for the same seed. Gives the ids of what is there. */
export async function writeRandomSessions(
  store: Store,
  clock: HeldClock,
  seed: number,
  steps: number,
): Promise<{ holdfast: Holdfast; sessionIds: string[] }> {
  const random = seededRandom(seed)
  const pick = (count: number) => Math.floor(random() * count)
  const ids = uuidv7Ids(clock.now, () => pick(2 ** 32))
  const holdfast = await openHoldfast({ store, clock: clock.now, random, ids })
  const log = logOn(store, random, ids)
  const sessionIds = [await create(holdfast), await create(holdfast)]
  for (let n = 0; n < steps; n++) {
    const sessionId = sessionIds[pick(sessionIds.length)] as string
    const made = await settled(step(holdfast, log, clock, sessionId, pick))
    if (typeof made === 'string') sessionIds.push(made)
    clock.advance(pick(50))
  }
  return { holdfast, sessionIds }
}

async function create(holdfast: Holdfast): Promise<string> {
  const { id } = await holdfast.sessions.create({
    agentId: 'agent',
    purpose: 'autonomous',
    goalText: 'a goal',
  })
  return id
}

/** Refusals are a part of random life. */
async function settled(done: Promise<unknown>): Promise<unknown> {
  try {
    return await done
  } catch (error) {
    if (isHoldfastError(error)) return undefined
    throw error
  }
}

/** Gives the id of a session that it made. */
async function step(
  holdfast: Holdfast,
  log: TenantLog,
  clock: HeldClock,
  sessionId: string,
  pick: (count: number) => number,
): Promise<unknown> {
  switch (pick(24)) {
    case 0:
      return (await (await holdfast.sessions.open(sessionId)).fork({}, { atSeq: 1 + pick(40) })).id
    case 1:
      if (pick(4) === 0) await holdfast.sessions.erase(sessionId, [2 + pick(30)])
      return undefined
    case 2: {
      const bytes = Buffer.from(`file ${pick(1_000)}`)
      const session = await holdfast.sessions.open(sessionId)
      if (session.lifecycle === 'active') await session.putAttachment({ bytes, mediaType: 'text/plain' })
      return undefined
    }
    case 3:
      return draft(log, sessionId, pick)
    default:
      return command(log, clock, sessionId, pick)
  }
}

async function draft(log: TenantLog, sessionId: string, pick: (count: number) => number): Promise<void> {
  const { state, lease } = await log.reads.requireHead(sessionId)
  if (!isLive(state.head.run)) return
  const draftId = `draft-${pick(5)}`
  const open = (await log.store.listDrafts(log.tenantId, sessionId)).find((one) => one.draftId === draftId)
  const { runId } = state.head.run
  const { tenantId, store } = log
  const chunks = [{ kind: 'text' as const, text: `piece ${pick(9)} ` }]
  const write = { tenantId, sessionId, draftId, runId, epoch: lease.epoch, chunks }
  await store.appendDraft({ ...write, first: (open?.last ?? 0) + 1 })
}

async function command(
  log: TenantLog,
  clock: HeldClock,
  sessionId: string,
  pick: (count: number) => number,
): Promise<void> {
  const { head } = (await log.reads.requireHead(sessionId)).state
  const shadow = await shadowOf(log, sessionId, head.seq, clock)
  const { command, caller } = commandOf(shadow, { op: allOps[pick(allOps.length)] as Op, n: pick(1_000) })
  clock.advance(shadow.nowMs - clock.now())
  const epoch = caller.own ? shadow.lease.epoch : undefined
  await log.writeFresh(sessionId, [command], { actor: { kind: 'host' }, epoch })
}

/** What random commands look at, of a session in a store. */
async function shadowOf(log: TenantLog, sessionId: string, seq: number, clock: HeldClock): Promise<TestLog> {
  const events: FoldEvent[] = []
  const refs: Ref[] = []
  let state: State | undefined
  for await (const event of log.reads.events(sessionId, 0, seq)) {
    const after: State = fold(state, event)
    refs.push(...refsOf(state?.head, event, after.head))
    events.push(event)
    state = after
  }
  const { lease } = await log.reads.requireHead(sessionId)
  return { events, refs, head: state?.head, lease, nowMs: clock.now() } as unknown as TestLog
}

function logOn(store: Store, random: () => number, ids: { next(): string }): TenantLog {
  const engine = {
    store,
    committer: new Committer(store, { random, elapsed: () => 0 }),
    ids,
    commitIds: commitIds(random),
    texts: new KnownTexts(),
    times: new WireTimes(),
    tailMemory: new TailMemory(),
    heads: new DecodedHeads(),
    random,
    upcasters,
    keyTtlMs: 1_000,
    resting: new RestingActors(100),
    prices: async () => undefined,
  }
  return new TenantLog(engine, tenantId(DEFAULT_TENANT))
}
