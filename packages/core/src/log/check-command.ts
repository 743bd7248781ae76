/**
 * Commands as hosts hand them in, checked into commands as `decide` takes them: shapes by the protocol's schemas, sizes
 * by the limits table, everything but messages as a detached copy.
 */
import {
  cacheBreak,
  checkLimit,
  compactionRecord,
  contextUsage,
  type EventData,
  type EventType,
  eventSchemas,
  externalId,
  HoldfastError,
  id,
  inputPolicy,
  type Json,
  type JsonObject,
  type LimitName,
  messageId,
  outcome,
  parseInput,
  promptManifest,
  promptSnapshot,
  question,
  suspendReason,
  taskListInput,
  taskUpdate,
  tokenBudget,
  toolOutcome,
  usageRecord,
  waitFor,
} from '@holdfast/protocol'
import type { Commands } from '../session/command.ts'
import type { SessionCommand, SessionCommandType } from '../session/decide/index.ts'
import { splitModel } from '../session/model-ref.ts'
import {
  checkJson,
  checkMessage,
  checkNoted,
  checkObject,
  checkOutput,
  checkText,
  type NewMessage,
} from './check-input.ts'
import type { KnownTexts } from './known-texts.ts'

type Fields = Record<string, unknown>
type Check<T extends SessionCommandType> = (fields: Fields, texts: KnownTexts) => Commands[T]

/** Commands that only the engine gives: they go with rewrites or judgements that it makes itself. */
export type HostCommandType = Exclude<
  SessionCommandType,
  'expire' | 'expireQuestion' | 'takeFiles' | 'erase' | 'repair' | 'takeOverRun'
>

/** A command as a host gives it. Input types are wider than the checked ones: what has a default may be left out. */
export type HostCommand = { [T in HostCommandType]: { type: T } & HostFields<T> }[HostCommandType]

type HostFields<T extends HostCommandType> = T extends 'append'
  ? { message: NewMessage; policy?: Commands['append']['policy']; draftId?: string; due?: boolean }
  : T extends 'edit'
    ? { messageId: string; message: NewMessage }
    : T extends 'finishTool'
      ? Omit<Commands['finishTool'], 'outcome'> & { outcome?: Commands['finishTool']['outcome'] }
      : Commands[T]

export function checkCommand(command: HostCommand, texts: KnownTexts): SessionCommand {
  if (typeof command !== 'object' || command === null) throw invalid('command', 'expected an object')
  const { type, ...fields } = command
  const check = Object.hasOwn(checks, type) ? (checks[type] as Check<HostCommandType>) : undefined
  if (!check) throw invalid('command', 'unknown type')
  return { type, ...check(fields as Fields, texts) } as SessionCommand
}

const nothing = (): Record<never, never> => ({})

const checks: { [T in HostCommandType]: Check<T> } = {
  activate: (f) => modelRef(f, 'activate'),
  rename: (f) => {
    const data = fromEvent('session.renamed', { automatic: false, ...copy(f) })
    if (data.title === '') throw invalid('title', 'expected a text that is not empty, or null for none')
    if (data.title !== null) checkText(data.title, 'titleBytes', 'title')
    return data
  },
  pin: (f) => fromEvent('session.pinned', copy(f)),
  hold: (f) => fromEvent('session.held', copy(f)) as Commands['hold'],
  patchMetadata: (f) => ({ values: metadata(f.values) }),
  replaceMetadata: (f) => ({ values: f.values === null ? null : metadata(f.values) }),
  setModel: (f) => modelRef(f, 'setModel'),
  setSeed: (f) => fromEvent('session.seed_set', copy(f)) as Commands['setSeed'],
  setPersona: (f) => fromEvent('session.persona_set', copy(f)) as Commands['setPersona'],
  setEffort: (f) => fromEvent('session.effort_changed', copy(f)),
  setInstructions: (f) => {
    const data = fromEvent('session.instructions_set', copy(f))
    if (data.instructions !== null) checkText(data.instructions, 'instructionsBytes', 'instructions')
    return data
  },
  setPrompt: (f) => ({
    prompt: parseInput(promptSnapshot, bounded(f.prompt, 'promptBytes', 'prompt'), 'prompt'),
  }),
  close: ({ cancel, ...f }) => ({ ...closing(f), cancel: cancel === true }),
  append: ({ message, policy, draftId, due }, texts) => {
    const checked: Commands['append'] = {
      message: checkMessage(message as NewMessage, texts),
      policy: policy === undefined ? 'enqueue' : parseInput(inputPolicy, policy, 'policy'),
    }
    if (draftId !== undefined) checked.draftId = parseInput(id, draftId, 'draftId')
    if (due === true) checked.due = true
    return checked
  },
  edit: (f, texts) => ({
    messageId: parseInput(id, f.messageId, 'messageId'),
    message: checkMessage(f.message as NewMessage, texts),
  }),
  truncate: (f) => ({ seq: whole(f.seq, 1, 'seq') }),
  undo: nothing,
  redo: nothing,
  addNote: ({ data, ...f }, texts) => ({
    ...(fromEvent('note.added', copy(f)) as Commands['addNote']),
    ...optional({ data: ifGiven(data, (value) => checkNoted(value as Json, f, texts)) }),
  }),
  finishTool: ({ output, outcome, messageId: chosen, ...f }, texts) => ({
    ...(fromEvent('tool.finished', { ...copy(f), output: null, outcome: 'ok' }) as Commands['finishTool']),
    output: checkOutput(output as Json, texts),
    outcome: parseInput(toolOutcome, outcome ?? 'ok', 'outcome'),
    ...optional({ messageId: ifGiven(chosen, (value) => parseInput(messageId, value, 'messageId')) }),
  }),
  closeCalls: (f) => ({
    reason: checkText(f.reason as string, 'titleBytes', 'reason'),
    ...optional({ callIds: ifGiven(f.callIds, callIdsOf) }),
  }),

  startRun: ({ owner, ttlMs, recorded, ifDue, ...f }) => ({
    ...checkLease({ owner, ttlMs }),
    ...(recorded === true && { recorded: true }),
    ...(ifDue === true && { ifDue: true }),
    ...modelRef({ providerId: f.providerId, model: f.model }, 'startRun'),
    ...optional({
      runId: ifGiven(f.runId, (value) => parseInput(id, value, 'runId')),
      answers: ifGiven(f.answers, (value) => parseInput(id, value, 'answers')),
    }),
  }),
  suspendRun: (f) => ({
    reason: parseInput(suspendReason, f.reason, 'reason'),
    ...optional({ waitFor: ifGiven(f.waitFor, (value) => parseInput(waitFor, value, 'waitFor')) }),
  }),
  resumeRun: checkLease,
  finalizeRun: nothing,
  completeRun: nothing,
  failRun: (f) => {
    const { error, code } = fromEvent('run.failed', { runId: 'run', ...copy(f) })
    return { error, ...optional({ code }) }
  },
  cancelRun: (f) => optional({ reason: fromEvent('run.cancelled', { runId: 'run', ...copy(f) }).reason }),
  stopRun: (f) => optional({ reason: fromEvent('run.stop_requested', { runId: 'run', ...copy(f) }).reason }),
  startRound: (f) => optional({ roundId: ifGiven(f.roundId, (value) => parseInput(id, value, 'roundId')) }),
  completeRound: nothing,
  recordUsage: (f) => ({ usage: parseInput(usageRecord, copy(f).usage, 'usage') }),

  askQuestion: (f) => {
    const asked = bounded(f.question, 'questionBytes', 'question')
    return { question: parseInput(question, asked, 'question') as Commands['askQuestion']['question'] }
  },
  answerQuestion: (f) => ({
    questionId: parseInput(id, f.questionId, 'questionId'),
    answer: checkJson(f.answer as Json, 'questionBytes', 'answer'),
  }),
  withdrawQuestion: (f) => fromEvent('question.withdrawn', copy(f)) as Commands['withdrawQuestion'],

  setTasks: (f) => ({
    list:
      f.list === null ? null : parseInput(taskListInput, bounded(f.list, 'taskListBytes', 'list'), 'list'),
  }),
  updateTask: (f) => ({ update: parseInput(taskUpdate, copy(f).update, 'update') }),

  measureContext: (f) => {
    const { usage, manifest, cacheBreak: broken } = copy(f)
    return {
      usage: parseInput(contextUsage, usage, 'usage'),
      ...(manifest !== undefined && { manifest: parseInput(promptManifest, manifest, 'manifest') }),
      ...(broken !== undefined && { cacheBreak: parseInput(cacheBreak, broken, 'cacheBreak') }),
    }
  },
  trimContext: (f) => fromEvent('context.trimmed', copy(f)),
  clearContext: nothing,
  applyCompaction: (f) => {
    const { record, pathSeq, summary, summaryTokens } = copy(f)
    return {
      record: parseInput(compactionRecord, record, 'record'),
      pathSeq: whole(pathSeq, 0, 'pathSeq'),
      summary: checkText(summary as string, 'eventBytes', 'summary'),
      summaryTokens: whole(summaryTokens, 0, 'summaryTokens'),
    }
  },
  failCompaction: (f) => fromEvent('compaction.failed', copy(f)),
  openProviderContext: (f) => {
    const { contextId, ...given } = copy(f)
    const data = fromEvent('provider_context.opened', { contextId: contextId ?? 'context', ...given })
    return withoutMadeUp(data, 'contextId', contextId) as Commands['openProviderContext']
  },
  invalidateProviderContext: (f) => {
    return { reason: fromEvent('provider_context.invalidated', { contextId: 'context', ...copy(f) }).reason }
  },

  setBudget: (f) => ({
    budget: f.budget === null ? null : parseInput(tokenBudget, copy(f).budget, 'budget'),
  }),
  reserveBudget: (f) => {
    const { reservationId, costMicrocents, ...given } = copy(f)
    const made = { reservationId: reservationId ?? 'reservation', costMicrocents: costMicrocents ?? 0 }
    const data = fromEvent('budget.reserved', { toolCalls: 0, ...given, ...made })
    const known = withoutMadeUp(data, 'reservationId', reservationId)
    return withoutMadeUp(known, 'costMicrocents', costMicrocents) as Commands['reserveBudget']
  },
  settleBudget: (f) => fromEvent('budget.settled', copy(f)),
  spawnChild: (f) => fromEvent('child.spawned', copy(f)) as Commands['spawnChild'],
  finishChild: (f) => fromEvent('child.finished', copy(f)) as Commands['finishChild'],
  saveCheckpoint: (f) => fromEvent('checkpoint.saved', copy(f)) as Commands['saveCheckpoint'],
}

function callIdsOf(value: unknown): string[] {
  if (!Array.isArray(value)) throw invalid('callIds', 'expected an array')
  return value.map((callId) => parseInput(externalId, callId, 'callIds'))
}

function copy(fields: Fields): Fields {
  return checkJson(fields as JsonObject, 'eventBytes', 'command') as Fields
}

function bounded(value: unknown, limit: LimitName, what: string): Json {
  return checkJson(value as Json, limit, what)
}

function metadata(values: unknown): JsonObject {
  return checkObject(values as JsonObject, 'metadataBytes', 'metadata')
}

/** Commands carry the same fields as the events they become; so the event's schema checks them. */
function fromEvent<T extends EventType>(type: T, fields: Fields): EventData<T> {
  return parseInput(eventSchemas[type] as (typeof eventSchemas)[EventType], fields, type) as EventData<T>
}

function closing(fields: Fields): Pick<Commands['close'], 'outcome' | 'reason'> {
  const { outcome: result, reason } = copy(fields)
  return optional({
    outcome: ifGiven(result, (value) => parseInput(outcome, value, 'outcome')),
    reason: fromEvent('session.closed', { reason }).reason,
  })
}

export function modelRef(
  fields: { providerId?: unknown; model?: unknown },
  what: string,
): { providerId?: string; model?: string } {
  const provider = ifGiven(fields.providerId, (value) => parseInput(externalId, value, `${what}.providerId`))
  const name = ifGiven(fields.model, (value) => parseInput(externalId, value, `${what}.model`))
  const split = name === undefined || provider !== undefined ? { model: name } : splitModel(name)
  return optional({ providerId: provider, ...split })
}

export function checkLease(fields: { owner?: unknown; ttlMs?: unknown }): { owner: string; ttlMs: number } {
  return { owner: parseInput(externalId, fields.owner, 'owner'), ttlMs: checkTtl(fields.ttlMs) }
}

export function checkTtl(value: unknown): number {
  const ttlMs = whole(value, 1, 'ttlMs')
  checkLimit('leaseTtlMs', ttlMs, 'ttlMs')
  return ttlMs
}

function whole(value: unknown, least: number, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  throw invalid(what, `expected a whole number of at least ${least}`)
}

function ifGiven<T>(value: unknown, check: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : check(value)
}

/** Without the fields that have no value. */
function optional<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

/** Drops a field that stood in only so that the schema would pass. */
function withoutMadeUp(data: object, field: string, given: unknown): object {
  if (given !== undefined) return data
  return Object.fromEntries(Object.entries(data).filter(([key]) => key !== field))
}

function invalid(what: string, why: string): HoldfastError {
  return new HoldfastError('invalid_input', `${what}: ${why}.`)
}
