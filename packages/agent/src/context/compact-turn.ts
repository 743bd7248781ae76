/** Makes the context of a live run smaller: because it must be, or because somebody asked. */
import type { HostCommand, UnseenSession } from '@holdfast/core'
import { type ErrorCode, HoldfastError } from '@holdfast/protocol'
import { type CallBudget, callBudget } from '../budget/call-budget.ts'
import { LimitReached } from '../budget/limit.ts'
import { type Reserved, reserve } from '../budget/reserve.ts'
import type { Agent } from '../define/agent.ts'
import type { Turn } from '../turn/turn.ts'
import type { World } from '../turn/world.ts'
import { type Compacting, compact } from './compact.ts'
import { type Caller, summarise } from './summarise.ts'

/** How large a context is, and may be. */
type Sized = { tokens: { total: number }; budget: CallBudget }

/** After a failure nothing is tried again before the context has grown by this much. */
const growthPercent = 10

/** Whether it is smaller now. A request stays until a compaction succeeded. */
export async function compactTurn(turn: Turn, { tokens, budget }: Sized): Promise<boolean> {
  const { forced } = turn
  const mustFit = tokens.total > budget.roomTokens
  if (!forced && !mustFit && tokens.total < turn.compactFrom) return false
  const work = await compactingFor(turn.session, callerOf(turn, budget), budget.windowTokens)
  const did = await compact(work, {
    trigger: forced ? 'manual' : mustFit ? 'overflow' : 'pressure',
    tokens: tokens.total,
    roomTokens: budget.roomTokens,
    mustFit,
    ...(forced?.instructions !== undefined && { instructions: forced.instructions }),
  })
  turn.compactFrom = did ? 0 : tokens.total * (1 + growthPercent / 100)
  if (did && forced) turn.compactionDone()
  return did
}

function callerOf(turn: Turn, budget: CallBudget): Caller {
  return {
    world: turn.world,
    agent: turn.agent,
    signal: turn.signal,
    isLost: () => turn.halting.halt?.why === 'lost',
    write: (commands) => turn.run.batch(commands),
    reserve: (total, outputTokens, model) =>
      reserve(turn, { tokens: { total }, budget: { ...budget, outputTokens } }, model, []),
  }
}

async function compactingFor(
  session: UnseenSession,
  caller: Caller,
  windowTokens: number,
): Promise<Compacting> {
  return {
    session,
    count: await caller.world.counter,
    instructions: caller.agent.compressionInstructions,
    newId: () => caller.world.ids.next(),
    write: (commands) => caller.write(commands),
    summarise: (transcript, instructions) => summarise(caller, windowTokens, transcript, instructions),
  }
}

/**
 * A session that nobody works on, because somebody asked. Whether its context is smaller now. Throws `budget_exceeded` or
 * `price_unknown` where the session's budget does not allow the call.
 */
export async function compactIdle(
  world: World,
  agent: Agent,
  session: UnseenSession,
  instructions: string | undefined,
): Promise<boolean> {
  const { budget: ofSession, contextUsage } = await session.view()
  const budget = callBudget(ofSession)
  const { roomTokens, windowTokens } = budget
  const write = (commands: readonly HostCommand[]) => writeBeside(session, commands)
  const caller: Caller = {
    world,
    agent,
    signal: world.closed,
    isLost: () => false,
    write,
    reserve: (total, outputTokens, model) => {
      const sized = { tokens: { total }, budget: { ...budget, outputTokens } }
      return withinBudget(() => reserve({ world, mayBeUnpriced: false, write }, sized, model, []))
    },
  }
  const tokens = contextUsage?.totalTokens ?? roomTokens
  const work = await compactingFor(session, caller, windowTokens)
  return compact(work, {
    trigger: 'manual',
    tokens,
    roomTokens,
    mustFit: false,
    ...(instructions !== undefined && { instructions }),
  })
}

/** A limit is nobody's question here: whoever asked hears of it. */
async function withinBudget(reserving: () => Promise<Reserved>): Promise<Reserved> {
  try {
    return await reserving()
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error
    const code: ErrorCode = error.limit === 'price' ? 'price_unknown' : 'budget_exceeded'
    throw new HoldfastError(code, error.message, { details: { amount: error.limit }, cause: error })
  }
}

/** Since a reservation was made the session may have ended, or a run begun, whose end settles it, or did. What was used is told. */
const settledElsewhere: readonly ErrorCode[] = [
  'run_live',
  'reservation_not_open',
  'session_closed',
  'session_expired',
]

async function writeBeside(session: UnseenSession, commands: readonly HostCommand[]): Promise<void> {
  try {
    await session.batch(commands)
  } catch (error) {
    const others = commands.filter(({ type }) => type !== 'settleBudget')
    const isSettled = error instanceof HoldfastError && settledElsewhere.includes(error.code)
    if (!isSettled || others.length === commands.length) throw error
    await session.batch(others)
  }
}

/** What may not be compacted is more than the model takes: no call is made that could only be refused. */
export function requireFit({ tokens, budget }: Sized): void {
  if (tokens.total <= budget.roomTokens) return
  throw new HoldfastError(
    'context_unreducible',
    `what must stay in the context has ${tokens.total} tokens, and there is room for ${budget.roomTokens}`,
    { details: { tokens: tokens.total, roomTokens: budget.roomTokens } },
  )
}
