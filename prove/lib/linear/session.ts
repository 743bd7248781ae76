/** The sessions of histories: as they begin, and what their events say. */
import type { Holdfast, Store } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import type { Level } from './task.ts'

type Commit = Parameters<Store['commit']>[0][number]

export const firstCommit = 'first'

/** What the events say that the engine's sessions begin with. */
export const begun = ['session.created', 'session.activated', 'first']

export async function makeSession(
  { store, holdfast }: { store: Store; holdfast: Holdfast },
  id: string,
  level: Level,
): Promise<void> {
  if (level === 'engine') {
    const session = await holdfast.sessions.create({ id, agentId: 'agent' })
    await session.append(said('first'))
    return
  }
  const [outcome] = await store.commit([
    { ...commitOf(id, firstCommit, { base: 0, count: 1 }), create: true },
  ])
  if (outcome?.status !== 'committed') throw new Error(`session ${id} could not be made: ${outcome?.status}`)
}

/** A commit that holds nothing but its own id. */
export function commitOf(
  sessionId: string,
  commitId: string,
  { base, count }: { base: number; count: number },
): Commit {
  const event = { type: 'note.added', v: 1, at: '2026-01-02T03:04:05.678Z', body: JSON.stringify(commitId) }
  return {
    tenantId: DEFAULT_TENANT,
    sessionId,
    commitId,
    baseSeq: base,
    create: false,
    events: Array.from({ length: count }, () => event),
    head: { ...head, rootSessionId: sessionId, body: JSON.stringify(commitId) },
    parts: [],
    refs: [],
    usage: [],
    attachments: [],
    waypoint: false,
    dropDrafts: [],
  }
}

const head = {
  agentId: 'agent',
  ownerUserId: undefined,
  conversationId: 'conversation',
  threadId: 'thread',
  createdAtMs: 1_000,
  activity: 1,
  questionAskedAtMs: undefined,
  questionExpiresAtMs: undefined,
  expiresAtMs: undefined,
}

export function said(text: string) {
  return { role: 'user' as const, parts: [{ type: 'text' as const, text }] }
}

/** As the model has it: the text of a message, a question and its answer by their names. */
export function saysOf({ type, data }: { type: string; data: unknown }): string {
  const { parts, questionId, answer } = data as {
    parts?: { text: string }[]
    questionId?: string
    answer?: string
  }
  if (type === 'message.appended') return parts?.[0]?.text ?? ''
  if (type === 'question.asked') return `asked ${questionId}`
  return type === 'question.answered' ? `answered ${questionId} ${answer}` : type
}
