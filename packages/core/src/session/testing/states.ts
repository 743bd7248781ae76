/** A log in each state of the three axes, and one sample of every command. */
import { isHoldfastError } from '@holdfast/protocol'
import type { SessionCommand, SessionCommandType } from '../decide/index.ts'
import { asks, compacts, result, says, startRun, usage } from './commands.ts'
import { type Caller, TestLog, worker } from './log.ts'

const ttlSecs = 3_600
const own: Caller = { own: true }

function active(): TestLog {
  const log = TestLog.create({ ttlSecs })
  log.do({ type: 'activate' })
  return log
}

function initializing(): TestLog {
  const log = active()
  log.do(startRun({ runId: 'run-1' }))
  return log
}

function inRound(): TestLog {
  const log = initializing()
  log.do({ type: 'startRound', roundId: 'round-1' }, own)
  return log
}

function betweenRounds(): TestLog {
  const log = inRound()
  log.do({ type: 'completeRound' }, own)
  return log
}

function ended(command: SessionCommand): TestLog {
  const log = betweenRounds()
  log.do(command, own)
  return log
}

export const runStates = {
  none: active,
  initializing,
  'in a round': inRound,
  'between rounds': betweenRounds,
  suspended: () => ended({ type: 'suspendRun', reason: 'children' }),
  finalizing: () => ended({ type: 'finalizeRun' }),
  completed: () => ended({ type: 'completeRun' }),
  failed: () => ended({ type: 'failRun', error: 'broke' }),
  cancelled: () => ended({ type: 'cancelRun' }),
} as const satisfies Record<string, () => TestLog>

function after(ms: number, log: TestLog): TestLog {
  log.nowMs += ms
  return log
}

function closed(): TestLog {
  const log = active()
  log.do({ type: 'close', cancel: false })
  return log
}

function swept(): TestLog {
  const log = after(ttlSecs * 1_000, active())
  log.do({ type: 'expire' })
  return log
}

export const lifeStates = {
  created: () => TestLog.create({ ttlSecs }),
  active,
  closed,
  expired: () => after(ttlSecs * 1_000, active()),
  swept,
} as const satisfies Record<string, () => TestLog>

const lost = (log: TestLog) => after(worker.ttlMs, log)

export const leaseStates = {
  'no lease': active,
  held: inRound,
  'lost at the very instant': () => lost(inRound()),
  'held a millisecond before': () => after(worker.ttlMs - 1, inRound()),
  released: () => ended({ type: 'suspendRun', reason: 'shutdown' }),
} as const satisfies Record<string, () => TestLog>

/** One of each command, as it would be legal on an active session without a run, where it can be. */
export const samples: { [T in SessionCommandType]: Extract<SessionCommand, { type: T }> } = {
  activate: { type: 'activate' },
  rename: { type: 'rename', title: 'A title', automatic: false },
  pin: { type: 'pin', pinned: true },
  hold: { type: 'hold', held: true },
  patchMetadata: { type: 'patchMetadata', values: { a: 1 } },
  replaceMetadata: { type: 'replaceMetadata', values: null },
  setModel: { type: 'setModel', providerId: 'anthropic', model: 'other' },
  setSeed: { type: 'setSeed', seedId: 'seed-1' },
  setPersona: { type: 'setPersona', personaId: null },
  setEffort: { type: 'setEffort', reasoningEffort: 'high' },
  setInstructions: { type: 'setInstructions', instructions: 'Be brief.' },
  setPrompt: { type: 'setPrompt', prompt: { sections: [], effectiveText: 'You help.' } },
  close: { type: 'close', cancel: false },
  expire: { type: 'expire' },
  append: says('hello'),
  edit: {
    type: 'edit',
    messageId: '2',
    message: { role: 'user', parts: [{ type: 'text', text: 'better' }] },
  },
  truncate: { type: 'truncate', seq: 1 },
  undo: { type: 'undo' },
  redo: { type: 'redo' },
  addNote: { type: 'addNote', kind: 'remark', text: 'noted' },
  finishTool: result('call-1'),
  closeCalls: { type: 'closeCalls', reason: 'recovery' },
  startRun: startRun({ runId: 'run-2' }),
  takeOverRun: { type: 'takeOverRun', owner: 'worker-2', ttlMs: 1_000 },
  suspendRun: { type: 'suspendRun', reason: 'shutdown' },
  resumeRun: { type: 'resumeRun', ...worker },
  finalizeRun: { type: 'finalizeRun' },
  completeRun: { type: 'completeRun' },
  failRun: { type: 'failRun', error: 'broke' },
  cancelRun: { type: 'cancelRun' },
  stopRun: { type: 'stopRun' },
  startRound: { type: 'startRound' },
  completeRound: { type: 'completeRound' },
  recordUsage: usage('attempt-1'),
  askQuestion: asks('question-1'),
  answerQuestion: { type: 'answerQuestion', questionId: 'question-1', answer: 'a' },
  withdrawQuestion: { type: 'withdrawQuestion', questionId: 'question-1' },
  expireQuestion: { type: 'expireQuestion', questionId: 'question-1' },
  setTasks: { type: 'setTasks', list: { title: 'Tasks', items: [] } },
  updateTask: { type: 'updateTask', update: { itemId: 'item-1' } },
  measureContext: {
    type: 'measureContext',
    usage: { totalTokens: 10, budgetTokens: 100, systemTokens: 0, summaryTokens: 0, windowTokens: 0 },
  },
  trimContext: { type: 'trimContext', trimmed: 1, throughSeq: 1 },
  clearContext: { type: 'clearContext' },
  applyCompaction: compacts({ from: 1, to: 1 }, 0),
  failCompaction: { type: 'failCompaction', compactionId: 'c1', trigger: 'manual', reason: 'model refused' },
  openProviderContext: { type: 'openProviderContext', initialTokens: 10 },
  invalidateProviderContext: { type: 'invalidateProviderContext', reason: 'test' },
  setBudget: { type: 'setBudget', budget: null },
  reserveBudget: { type: 'reserveBudget', tokens: 1, toolCalls: 0 },
  settleBudget: { type: 'settleBudget', reservationId: 'r1' },
  spawnChild: { type: 'spawnChild', childId: 'child-1', agentId: 'agent-2', grant: {} },
  finishChild: {
    type: 'finishChild',
    childId: 'child-1',
    outcome: 'completed',
    spent: { tokens: 1, costMicrocents: 1, toolCalls: 1 },
  },
  saveCheckpoint: { type: 'saveCheckpoint', threadId: 'conversation-1', namespace: '', checkpointId: 'k1' },
  takeFiles: { type: 'takeFiles', files: [{ hash: 'f'.repeat(64), bytes: 1 }] },
  erase: { type: 'erase', seqs: [1] },
  repair: { type: 'repair', findings: ['none'] },
}

/** The types of the events that a command makes, the code of its refusal, or `nothing`. */
export function outcomeOf(log: TestLog, command: SessionCommand, caller: Caller = {}): string {
  const before = log.events.length
  try {
    return log.types(command, caller).join(' ') || 'nothing'
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    if (log.events.length !== before) throw new Error('a refused command wrote', { cause: error })
    return error.code
  }
}
