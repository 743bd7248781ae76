/** Random commands that mean something on the state they meet: the ids they name are mostly ids that exist. */
import type { SessionCommand } from '../decide/index.ts'
import { isLive } from '../lifecycle.ts'
import { answers, asks, calls, compacts, result, says, startRun, usage } from './commands.ts'
import { type Caller, type TestLog, worker } from './log.ts'

export interface Step {
  op: Op
  /** Chooses among what there is. */
  n: number
}

const policies = ['enqueue', 'steer', 'interrupt', 'reject'] as const

type Make = (log: TestLog, n: number) => SessionCommand

const makers = {
  user: (_log, n) => says(`u${n}`, {}, policies[n % 4]),
  named: (log, n) => says(`u${n}`, { id: `m${log.events.length}` }, policies[n % 2]),
  answer: (_log, n) => answers(`a${n}`, n % 5 === 0 ? { finish: 'interrupted' } : {}),
  answerOld: (log, n) => {
    const target = pick(userIds(log), n)
    return answers(`a${n}`, target === undefined ? {} : { replyTo: target })
  },
  system: (_log, n) => says(`s${n}`, { role: 'system' }, policies[n % 2]),
  call: (log, n) =>
    calls(
      ...[...Array((n % 3) + 1).keys()].map((i) => `call-${n % 7 === 0 ? i : `${log.events.length}-${i}`}`),
    ),
  result: (log, n) => result(pick(log.head.openCalls, n) ?? 'call-0', { n }),
  late: (log, n) =>
    result(
      pick(
        log.refs.filter((ref) => ref.kind === 'result').map((ref) => ref.id),
        n,
      ) ?? 'call-0',
      { late: n },
    ),
  closeCalls: () => ({ type: 'closeCalls', reason: 'test' }),
  startRun: () => startRun(),
  takeOver: (log) => {
    log.nowMs += worker.ttlMs + 1
    return { type: 'takeOverRun', ...worker }
  },
  startRound: () => ({ type: 'startRound' }),
  completeRound: () => ({ type: 'completeRound' }),
  suspend: () => ({ type: 'suspendRun', reason: 'children' }),
  resume: () => ({ type: 'resumeRun', ...worker }),
  finalize: () => ({ type: 'finalizeRun' }),
  complete: () => ({ type: 'completeRun' }),
  fail: () => ({ type: 'failRun', error: 'broke' }),
  cancel: () => ({ type: 'cancelRun' }),
  stop: () => ({ type: 'stopRun' }),
  ask: (_log, n) => asks(`q${n % 20}`),
  answerQuestion: (log, n) => ({
    type: 'answerQuestion',
    questionId: log.head.question?.questionId ?? `q${n % 20}`,
    answer: pick(['a', 'b', 'c'], n) ?? 'a',
  }),
  withdraw: (log) => ({ type: 'withdrawQuestion', questionId: log.head.question?.questionId ?? 'q0' }),
  usage: (_log, n) =>
    usage(
      `attempt-${n % 12}`,
      n % 4 === 0 ? { costMicrocents: undefined, costSource: 'unknown' } : { estimated: n % 7 === 0 },
    ),
  truncate: (log, n) => ({ type: 'truncate', seq: (n % log.events.length) + 1 }),
  undo: () => ({ type: 'undo' }),
  redo: () => ({ type: 'redo' }),
  edit: (log, n) => ({
    type: 'edit',
    messageId: pick(userIds(log), n) ?? '2',
    message: { role: 'user', parts: [{ type: 'text', text: `e${n}` }] },
  }),
  clear: () => ({ type: 'clearContext' }),
  compact: (log, n) => {
    const to = log.events.length - (n % 4)
    return compacts({ from: Math.max(1, to - (n % 17)), to }, log.head.pathSeq, {
      compactionId: `c${log.events.length}`,
    })
  },
  trim: (log, n) => ({ type: 'trimContext', trimmed: 1, throughSeq: (n % log.events.length) + 1 }),
  measure: (_log, n) => ({
    type: 'measureContext',
    usage: { totalTokens: n, budgetTokens: 100, systemTokens: 0, summaryTokens: 0, windowTokens: 0 },
  }),
  openContext: (_log, n) => ({ type: 'openProviderContext', initialTokens: n }),
  reserve: (_log, n) => ({
    type: 'reserveBudget',
    reservationId: `r${n % 5}`,
    tokens: n,
    costMicrocents: n,
    toolCalls: 1,
  }),
  settle: (_log, n) => ({ type: 'settleBudget', reservationId: `r${n % 5}` }),
  spawn: (_log, n) => ({
    type: 'spawnChild',
    childId: `child-${n % 9}`,
    agentId: 'agent-2',
    grant: { tokens: n },
  }),
  finishChild: (_log, n) => ({
    type: 'finishChild',
    childId: `child-${n % 9}`,
    outcome: 'completed',
    spent: { tokens: n, costMicrocents: 1, toolCalls: 0 },
  }),
  rename: (_log, n) => ({ type: 'rename', title: `t${n}`, automatic: n % 2 === 0 }),
  note: (_log, n) => ({ type: 'addNote', kind: 'remark', text: `n${n}` }),
} as const satisfies Record<string, Make>

export type Op = keyof typeof makers
export const ops = Object.keys(makers) as Op[]

/** The command of a step, and who gives it: the worker when there is one, mostly. */
export function commandOf(log: TestLog, { op, n }: Step): { command: SessionCommand; caller: Caller } {
  const command = (makers[op] as Make)(log, n)
  const own =
    isLive(log.head.run) &&
    log.lease.owner !== undefined &&
    op !== 'takeOver' &&
    op !== 'user' &&
    op !== 'named' &&
    n % 8 !== 0
  return { command, caller: own ? { own } : {} }
}

function userIds(log: TestLog): string[] {
  return log.events.flatMap(({ seq, type, data }) => {
    const message = data as { role?: string; messageId?: string }
    return type === 'message.appended' && message.role === 'user' ? [message.messageId ?? String(seq)] : []
  })
}

function pick<T>(items: readonly T[], n: number): T | undefined {
  return items[n % items.length]
}
