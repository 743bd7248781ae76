import { limits, type MessageInput, type ToolCallPart } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import {
  type Decide,
  type Deciding,
  type Decision,
  type Env,
  type NewEvent,
  readPart,
  readRefs,
  refuse,
} from '../deciding.ts'
import { isUnfinished } from '../lifecycle.ts'
import { isVisible } from '../path.ts'
import type { Head, RunHead } from '../state.ts'
import { inRun, runLane } from './guard.ts'
import { findMessage, requireNewMessageId } from './message-ids.ts'
import { closeOpenCalls, endRun } from './run-end.ts'
import { activation } from './session.ts'
import { decideFinishTool } from './tools.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>
type Append = Only<'append'>

const interrupted = 'interrupted by input'

export const decideAppend: Decide<Append> = function* (head, command, env) {
  if (command.message.role === 'tool') return yield* appendResults(head, command.message, env)
  if (
    command.policy === 'interrupt' &&
    head.run?.state === 'suspended' &&
    command.message.role !== 'assistant'
  )
    return yield* cancelAndAppend(head, head.run, command, env)
  const events = yield* appendEvents(head, command, env)
  return command.due && !isUnfinished(head.run) ? { events, lease: { type: 'due', isDue: true } } : { events }
}

/** A suspended run has no worker that could be asked to stop: it is cancelled here, and the message follows. */
function* cancelAndAppend(head: Head, run: RunHead, command: Append, env: Env): Deciding<Decision> {
  const data = { runId: run.runId, reason: interrupted }
  const end = yield* endRun(head, env, { type: 'run.cancelled', data })
  const after: Head = { ...head, run: { ...run, state: 'cancelled' }, openCalls: [], waiting: [] }
  return { ...end, events: [...end.events, ...(yield* appendEvents(after, command, env))] }
}

/** A tool message is its results: each one is a `tool.finished`. */
function* appendResults(head: Head, message: MessageInput, env: Env): Deciding<Decision> {
  const [part, ...rest] = message.parts
  if (part?.type !== 'tool_result' || rest.length > 0) {
    refuse('invalid_input', 'a tool message holds exactly one tool_result part')
  }
  const { callId, output, outcome, provider } = part
  return yield* decideFinishTool(
    head,
    {
      type: 'finishTool',
      callId,
      output,
      outcome,
      ...(message.id && { messageId: message.id }),
      ...(message.neverCompress !== undefined && { neverCompress: message.neverCompress }),
      ...(provider && { provider }),
    },
    env,
  )
}

/** The events of one message that is no tool result, on `head`. */
export function* appendEvents(head: Head, command: Append, env: Env): Deciding<NewEvent[]> {
  const { message } = command
  checkParts(head, message)
  yield* requireNewMessageId(head, message.id)
  const waiting = waitingPolicy(head, command, env)
  const before = [
    ...(waiting ? [] : makeRoom(head, env)),
    ...(message.role === 'system' ? [] : activation(head)),
  ]
  const lane = message.role === 'assistant' ? runLane(env) : {}
  const appended = yield* messageEvent(head, command, waiting)
  return [...before, { ...appended, ...lane }, ...toolCalls(message, lane), ...interruption(head, command)]
}

function checkParts(head: Head, message: MessageInput): void {
  const calls = callsOf(message)
  if (message.parts.some((part) => part.type === 'tool_result'))
    refuse('invalid_input', 'tool_result parts belong to a tool message')
  if (calls.length > 0 && message.role !== 'assistant')
    refuse('invalid_input', 'tool_call parts belong to an assistant message')
  if (new Set(calls.map((call) => call.callId)).size < calls.length)
    refuse('duplicate_id', 'two tool calls of one message share a call id')
  if (calls.length > limits.openCalls) {
    refuse(
      'limit_exceeded',
      `a message may hold ${limits.openCalls} tool calls, not ${calls.length} (session ${head.id})`,
      {
        limit: 'openCalls',
        max: limits.openCalls,
        actual: calls.length,
      },
    )
  }
}

function callsOf(message: MessageInput): ToolCallPart[] {
  return message.parts.filter((part) => part.type === 'tool_call')
}

/** Undefined: the message takes its place in the view now. */
function waitingPolicy(head: Head, { message, policy }: Append, env: Env): 'enqueue' | 'steer' | undefined {
  if (!isUnfinished(head.run) || inRun(env)) return undefined
  if (message.role === 'assistant' || policy === 'reject') {
    refuse('run_live', `run ${head.run.runId} of session ${head.id} has not ended`, { runId: head.run.runId })
  }
  if (head.waiting.length >= limits.waitingInputs) {
    refuse('limit_exceeded', `session ${head.id} has ${head.waiting.length} messages waiting for its run`, {
      limit: 'waitingInputs',
      max: limits.waitingInputs,
      actual: head.waiting.length + 1,
    })
  }
  return policy === 'steer' ? 'steer' : 'enqueue'
}

/** Nothing comes between a call and its result: a run must close its calls; outside one they are closed here. */
function makeRoom(head: Head, env: Env): NewEvent[] {
  if (head.openCalls.length === 0) return []
  if (inRun(env))
    refuse('calls_open', `${head.openCalls.length} tool calls of session ${head.id} have no result yet`, {
      openCalls: head.openCalls,
    })
  return closeOpenCalls(head, {})
}

function* messageEvent(
  head: Head,
  { message, draftId }: Append,
  waiting: 'enqueue' | 'steer' | undefined,
): Deciding<NewEvent & { type: 'message.appended' }> {
  const { id, finish, replyTo, ...fields } = message
  const base = {
    ...fields,
    ...(id !== undefined && { messageId: id }),
    ...(draftId !== undefined && { draftId }),
  }
  if (message.role !== 'assistant') {
    const reply = replyTo === undefined ? {} : { replyTo: yield* requireMessage(head, replyTo) }
    return { type: 'message.appended', data: { ...base, ...reply, ...(waiting && { waiting }) } }
  }
  const phase = callsOf(message).length > 0 ? 'commentary' : 'final_answer'
  const ended = finish ?? 'complete'
  const target = replyTo === undefined ? head.lastUser?.id : yield* requireSeen(head, replyTo)
  const answers =
    phase === 'final_answer' &&
    ended === 'complete' &&
    target !== undefined &&
    (yield* isUnanswered(head, target))
  const reply = target === undefined ? {} : { replyTo: target }
  return {
    type: 'message.appended',
    data: { ...base, phase, finish: ended, ...reply, ...(answers && { firstAnswer: true as const }) },
  }
}

function* requireMessage(head: Head, messageId: string): Deciding<string> {
  if (head.lastUser?.id === messageId || head.unanswered.includes(messageId)) return messageId
  const seq = yield* findMessage(head, messageId)
  if (seq === undefined)
    refuse('invalid_input', `replyTo names message ${messageId}, which session ${head.id} does not have`)
  return messageId
}

/** What still waits for the run to end was not seen by it, and cannot be answered yet. */
function* requireSeen(head: Head, messageId: string): Deciding<string> {
  if (head.waiting.some((input) => input.messageId === messageId))
    refuse(
      'invalid_input',
      `replyTo names message ${messageId} of session ${head.id}, which still waits for the run`,
    )
  return yield* requireMessage(head, messageId)
}

/** Beyond the newest few, an unanswered message is known by a ref on the path, and its answer by another. */
function* isUnanswered(head: Head, messageId: string): Deciding<boolean> {
  if (head.unanswered.includes(messageId)) return true
  if (head.lastUser?.id === messageId) return false
  const left = yield* readRefs('unanswered', messageId)
  if (left.length === 0) return false
  const ranges = (yield* readPart('path'))?.ranges ?? []
  const answered = yield* readRefs('answered', messageId)
  return left.some((seq) => isVisible(ranges, seq)) && !answered.some((seq) => isVisible(ranges, seq))
}

function toolCalls(message: MessageInput, lane: { run?: true }): NewEvent[] {
  return callsOf(message).map(({ callId, name }) => ({
    type: 'tool.called',
    data: { callId, name },
    ...lane,
  }))
}

/** `interrupt` asks the live run to stop; the message waits for that. */
function interruption(head: Head, { policy }: Append): NewEvent[] {
  if (policy !== 'interrupt' || !isUnfinished(head.run) || head.run.stopRequested) return []
  return [{ type: 'run.stop_requested', data: { runId: head.run.runId, reason: interrupted } }]
}
