/** The session of a conversation: what a file says about it beside its messages. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { externalIdPattern } from '@holdfast/protocol'
import type { Destination, SourceName } from '../destination.ts'
import type { NewSession } from '../imported-session.ts'

export const formatName = 'openai-chat'

/** A conversation as one value: its messages, and what stands beside them. */
export interface Conversation {
  messages: Json[]
  about: JsonObject
}

export function conversationOf(value: Json | undefined): Conversation | undefined {
  if (!isObject(value)) return undefined
  const { traj, messages, ...about } = value
  if (Array.isArray(traj))
    return { messages: traj, about: { ...about, ...(messages !== undefined && { messages }) } }
  return Array.isArray(messages) ? { messages, about } : undefined
}

/** tau-bench names a conversation by its task and trial, others perhaps by an id; else its place in the file names it. */
export function nameIn(file: string, { task_id, trial, id }: JsonObject, number: number): ConversationName {
  const stem = file.replace(/\.jsonl?$/, '')
  if (typeof task_id === 'number' && typeof trial === 'number')
    return { name: `${stem}/${task_id}/${trial}`, isItsOwn: true }
  const isItsOwn = typeof id === 'string'
  return { name: `${stem}/${isItsOwn ? id : number}`, isItsOwn }
}

export interface ConversationName {
  name: string
  /** The conversation says it itself, beside its messages. */
  isItsOwn: boolean
}

/** The name of a tau-bench file says the model and the field of work, as in `gpt-4o-airline.json`; the file itself does not. */
export function sessionOf(
  into: Destination,
  file: string,
  source: SourceName,
  about: JsonObject,
): NewSession {
  const { task_id: taskId, trial, reward, info, model: named } = about
  const isTau = typeof taskId === 'number'
  const [, tauModel, field] = (isTau && /^(.+)-(\w+)\.json$/.exec(file)) || []
  const model = nameOf(named) ?? tauModel
  const { task, user_cost: userCost } = isObject(info) ? info : {}
  const userId = nameOf(isObject(task) ? task.user_id : undefined)
  const facts: JsonObject = isTau
    ? {
        taskId,
        ...(trial !== undefined && { trial }),
        ...(reward !== undefined && { reward }),
        // What the simulated user cost, not what the session cost.
        ...(userCost !== undefined && { simulatedUserCostUsd: userCost }),
      }
    : {}
  return {
    id: into.sessionIdOf(formatName, source.sourceId),
    agentId: isTau ? `tau-bench${field === undefined ? '' : ` ${field}`}` : formatName,
    channel: isTau ? 'other' : 'api',
    modelPolicy: 'switchable',
    metadata: { source, ...facts },
    ...(model !== undefined && { model }),
    ...(userId !== undefined && { ownerUserId: userId }),
  }
}

/** Fields of a conversation that the session does not keep. */
export function leftOut(about: JsonObject): string[] {
  return Object.keys(about).filter((field) => !kept.includes(field))
}

const kept = ['task_id', 'trial', 'reward', 'info', 'model', 'id']

function nameOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && externalIdPattern.test(value) && value.trim() !== '' ? value : undefined
}

export function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
