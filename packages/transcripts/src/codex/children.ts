/** The session of a sub-agent below that of the thread which spawned it, at the call that did. */
import { isKnown, isTime, type Json, type JsonObject, type SessionEvent } from '@holdfast/protocol'
import type { Destination } from '../destination.ts'
import type { ImportedSession, NewSession } from '../imported-session.ts'
import { objectOf, parsed } from '../openai-responses/items.ts'
import { type Meta, nameOf, roleOf } from './meta.ts'
import { unlessRefused } from './refused.ts'

/** Undefined: it is not here, or has ended and takes no more children. */
export function openUnlessEnded(sessionId: string, into: Destination): Promise<ImportedSession | undefined> {
  return unlessRefused(['session_closed'], () => into.open(sessionId))
}

/** Undefined: the parent does not take it, being too deep or without room; then it is a session of its own. */
export async function createBelow(
  parent: ImportedSession,
  input: NewSession,
  { payload, at }: Meta,
): Promise<ImportedSession | undefined> {
  const agentId = nameOf(`codex ${roleOf(payload) ?? 'sub-agent'}`) ?? 'codex sub-agent'
  const callId = await callOf(parent, payload, isTime(payload.timestamp) ? payload.timestamp : at)
  return unlessRefused(['limit_exceeded', 'budget_exceeded'], () =>
    parent.createChild({ ...input, agentId, threadId: input.id }, callId, at),
  )
}

/** The parent goes on with its call as soon as the child is there: what tells of it stands near. */
async function callOf(
  parent: ImportedSession,
  { id }: JsonObject,
  at: string | undefined,
): Promise<string | undefined> {
  const thread = nameOf(id)
  if (thread === undefined || at === undefined) return undefined
  for await (const event of parent.eventsAround(at)) {
    const callId = nameOf(callIn(event, thread))
    if (callId !== undefined) return callId
  }
  return undefined
}

function callIn(event: SessionEvent, thread: string): Json | undefined {
  if (isKnown(event, 'tool.finished')) {
    const { callId, output } = event.data
    return typeof output === 'string' && isAnswerWith(thread, output) ? callId : undefined
  }
  const line = isKnown(event, 'note.added') ? objectOf(event.data.data) : undefined
  const told = objectOf(line?.payload) ?? line
  return told && callThatBegan(thread, objectOf(told.item) ?? told)
}

/** Of the call that spawns; the others name their agents elsewhere. */
function isAnswerWith(thread: string, output: string): boolean {
  return output.includes(thread) && objectOf(parsed(output))?.agent_id === thread
}

/** The same was told as an event, as an item and as an activity, of which there are more than the first. */
function callThatBegan(thread: string, told: JsonObject): Json | undefined {
  const { type, id, call_id, event_id, new_thread_id, agent_thread_id, receiver_thread_ids, tool, kind } =
    told
  const isBegun = kind === undefined || kind === 'started'
  if (type === 'collab_agent_spawn_end') return new_thread_id === thread ? call_id : undefined
  if (type === 'SubAgentActivity' || type === 'sub_agent_activity')
    return isBegun && agent_thread_id === thread ? (id ?? event_id) : undefined
  if (type !== 'CollabAgentToolCall' || tool !== 'spawn_agent') return undefined
  return Array.isArray(receiver_thread_ids) && receiver_thread_ids.includes(thread) ? id : undefined
}
