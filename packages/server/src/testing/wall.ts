/** What the wall is tried with: a tenant that has one of everything, strangers, and what they are told. */
import { defineAgent, hostAgents } from '@holdfast/agent'
import { offlineScripted } from '@holdfast/agent/testing'
import type { Holdfast } from '@holdfast/core'
import { scope, tenantId } from '@holdfast/protocol'
import type { NewKey } from '../access/keys.ts'
import type { ServerOptions } from '../handler.ts'
import type { Caller, Reply } from './caller.ts'
import { pepper, type TestServer } from './each-server.ts'

/** In everything that nobody else may be told; also the name of an agent that works in the server. */
export const canary = 'canary-7f3a'

/** The agent of the others. */
export const otherAgent = 'other-agent'

/** Ids of what tenant `ours` has, by the name that paths give them. */
export type Ids = Readonly<Record<string, string>>

export function withAgents(holdfast: Holdfast, clock: () => number): Partial<ServerOptions> {
  const agents = [canary, otherAgent].map((id) => defineAgent({ id, model: offlineScripted() }))
  return { pepper, agents: hostAgents(holdfast, { agents, clock, pollMs: 0 }) }
}

/** A caller of a tenant, by a key of its own. */
export async function keyed(
  place: TestServer,
  asked: Partial<NewKey>,
  tenant = 'ours',
  revoked = false,
): Promise<Caller> {
  const keys = place.server.keys
  if (!keys) throw new Error('the server has no keys')
  const made = await keys.create(tenantId(tenant), { name: 'k', scopes: scope.options, ...asked })
  if (revoked) await keys.revoke(tenantId(tenant), made.id)
  return place.caller.withKey(made.key)
}

/** One of everything. */
export async function furnished(caller: Caller): Promise<Ids> {
  const { id } = (await caller.post('/v1/sessions', { agentId: canary, ownerUserId: 'u1', title: canary }))
    .json
  const path = `/v1/sessions/${id}`
  const message = { id: 'message-1', role: 'user', parts: [{ type: 'text', text: canary }] }
  await caller.post(`${path}/messages`, message)
  await caller.post(`${path}/questions`, { questionId: 'question-1', question: canary })
  await caller.call('PUT', `${path}/tasks`, {
    body: { list: { items: [{ id: 'task-1', description: canary }] } },
  })
  const file = await caller.call('POST', `${path}/attachments`, { raw: canary })
  const bodies = {
    agents: { name: 'shared' },
    personas: { name: 'shared' },
    seeds: { goal: canary },
    conversations: { title: canary },
    participants: { conversationId: 'c', kind: 'user', name: canary },
    'price-books': { prices: {} },
  }
  for (const [kind, body] of Object.entries(bodies)) await caller.call('PUT', `/v1/${kind}/ours-1`, { body })
  const [key] = (await caller.get('/v1/keys')).json.data
  const checkpoint = { checkpointId: 'kept-1', channels: { a: canary } }
  await caller.post(`${path}/checkpoints`, checkpoint)
  await caller.post(`${path}/children`, { agentId: canary, childId: 'child-1', ownerUserId: 'u1' })
  await caller.post(`${path}/run`, { owner: canary, ttlMs: 60_000, runId: 'run-1' })
  const asking = [{ type: 'tool_call', callId: 'call-1', name: canary, input: {} }]
  const usage = { attemptId: 'attempt-1', promptTokens: 1, completionTokens: 1, providerId: 'provider-1' }
  const commands = [
    { type: 'startRound', roundId: 'round-1' },
    { type: 'append', message: { role: 'assistant', parts: asking } },
    { type: 'recordUsage', usage },
    { type: 'openProviderContext', contextId: 'context-1', initialTokens: 1 },
  ]
  const worked = await caller.post(`${path}/run/batch`, { epoch: 1, commands })
  if (worked.status !== 200) throw new Error(worked.text)
  const { conversationId, threadId } = (await caller.get(path)).json
  return {
    sessionId: id,
    conversationId,
    threadId,
    agentId: canary,
    checkpointId: 'kept-1',
    runId: 'run-1',
    roundId: 'round-1',
    callId: 'call-1',
    attemptId: 'attempt-1',
    compactionId: 'compaction-1',
    contextId: 'context-1',
    providerId: 'provider-1',
    messageId: 'message-1',
    questionId: 'question-1',
    itemId: 'task-1',
    childId: 'child-1',
    hash: file.json.hash,
    recordId: 'ours-1',
    priceBookId: 'ours-1',
    keyId: key.id,
    userId: 'u1',
    tenantId: 'ours',
  }
}

/** All that could be touched, as text. */
export async function worldOf(caller: Caller, { sessionId }: Ids): Promise<string> {
  const kinds = ['agents', 'personas', 'seeds', 'conversations', 'participants', 'price-books']
  const paths = [
    `/v1/sessions/${sessionId}`,
    `/v1/sessions/${sessionId}/events`,
    ...kinds.map((kind) => `/v1/${kind}`),
  ]
  const texts = []
  for (const path of paths) texts.push((await caller.get(path)).text)
  return texts.join('\n')
}

/** Status and body, without the ids that the caller itself gave, and without times. */
export function nameless({ status, text }: Reply, ...given: readonly Ids[]): string {
  let plain = text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
  for (const value of given.flatMap((ids) => Object.values(ids)).filter((value) => value.length > 3))
    plain = plain.replaceAll(`"${value}"`, '"ID"')
  return `${status} ${plain}`
}
