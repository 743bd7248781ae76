/** `decide(head, command, env)`: which events a command makes, or why it is refused. Pure: it yields the reads it needs. */
import type { Command, CommandType } from '../command.ts'
import type { Decide, Deciding, Decision, Env } from '../deciding.ts'
import type { Head } from '../state.ts'
import { decideReserveBudget, decideSetBudget, decideSettleBudget } from './budget.ts'
import { decideFinishChild, decideSpawnChild } from './children.ts'
import {
  decideApplyCompaction,
  decideClearContext,
  decideFailCompaction,
  decideMeasureContext,
  decideTrimContext,
} from './context.ts'
import { guard } from './guard.ts'
import { decideAppend } from './messages.ts'
import { decideEdit, decideRedo, decideTruncate, decideUndo } from './path.ts'
import { decideInvalidateProviderContext, decideOpenProviderContext } from './provider-context.ts'
import {
  decideAnswerQuestion,
  decideAskQuestion,
  decideExpireQuestion,
  decideWithdrawQuestion,
} from './questions.ts'
import {
  decideCancelRun,
  decideCompleteRound,
  decideCompleteRun,
  decideFailRun,
  decideFinalizeRun,
  decideRecordUsage,
  decideResumeRun,
  decideStartRound,
  decideStartRun,
  decideStopRun,
  decideSuspendRun,
  decideTakeOverRun,
} from './runs.ts'
import {
  decideActivate,
  decideAddNote,
  decideClose,
  decideErase,
  decideExpire,
  decideHold,
  decidePatchMetadata,
  decidePin,
  decideRename,
  decideRepair,
  decideReplaceMetadata,
  decideSaveCheckpoint,
  decideSetEffort,
  decideSetInstructions,
  decideSetModel,
  decideSetPersona,
  decideSetPrompt,
  decideSetSeed,
  decideTakeFiles,
} from './session.ts'
import { decideSetTasks, decideUpdateTask } from './tasks.ts'
import { decideCloseCalls, decideFinishTool } from './tools.ts'

export { decideCreate, decideFork, TAKEN_NOTE } from './session.ts'

/** Commands on a session that exists; create and fork make one. */
export type SessionCommandType = Exclude<CommandType, 'create' | 'fork'>
export type SessionCommand<T extends SessionCommandType = SessionCommandType> = Command<T>

const deciders: { [T in SessionCommandType]: Decide<Command<T>> } = {
  activate: decideActivate,
  rename: decideRename,
  pin: decidePin,
  hold: decideHold,
  patchMetadata: decidePatchMetadata,
  replaceMetadata: decideReplaceMetadata,
  setModel: decideSetModel,
  setSeed: decideSetSeed,
  setPersona: decideSetPersona,
  setEffort: decideSetEffort,
  setInstructions: decideSetInstructions,
  setPrompt: decideSetPrompt,
  close: decideClose,
  expire: decideExpire,
  append: decideAppend,
  edit: decideEdit,
  truncate: decideTruncate,
  undo: decideUndo,
  redo: decideRedo,
  addNote: decideAddNote,
  finishTool: decideFinishTool,
  closeCalls: decideCloseCalls,
  startRun: decideStartRun,
  takeOverRun: decideTakeOverRun,
  suspendRun: decideSuspendRun,
  resumeRun: decideResumeRun,
  finalizeRun: decideFinalizeRun,
  completeRun: decideCompleteRun,
  failRun: decideFailRun,
  cancelRun: decideCancelRun,
  stopRun: decideStopRun,
  startRound: decideStartRound,
  completeRound: decideCompleteRound,
  recordUsage: decideRecordUsage,
  askQuestion: decideAskQuestion,
  answerQuestion: decideAnswerQuestion,
  withdrawQuestion: decideWithdrawQuestion,
  expireQuestion: decideExpireQuestion,
  setTasks: decideSetTasks,
  updateTask: decideUpdateTask,
  measureContext: decideMeasureContext,
  trimContext: decideTrimContext,
  clearContext: decideClearContext,
  applyCompaction: decideApplyCompaction,
  failCompaction: decideFailCompaction,
  openProviderContext: decideOpenProviderContext,
  invalidateProviderContext: decideInvalidateProviderContext,
  setBudget: decideSetBudget,
  reserveBudget: decideReserveBudget,
  settleBudget: decideSettleBudget,
  spawnChild: decideSpawnChild,
  finishChild: decideFinishChild,
  saveCheckpoint: decideSaveCheckpoint,
  takeFiles: decideTakeFiles,
  erase: decideErase,
  repair: decideRepair,
}

/** Drive the result with the reads it yields; the value it returns at the end is the decision. */
export function* decide(head: Head, command: SessionCommand, env: Env): Deciding<Decision> {
  guard(head, command.type, env)
  const deciding = (deciders[command.type] as Decide<SessionCommand>)(head, command, env)
  return 'events' in deciding ? deciding : yield* deciding
}
