/** Turns of the agents that work in this server. A turn goes on whether or not anybody waits for it. */
import {
  HoldfastError,
  modelContext,
  type TurnResult,
  turnAccepted,
  turnInput,
  turnResult,
} from '@holdfast/protocol'
import { z } from 'zod'
import type { AnsweringSession, AskedTurn } from '../agents.ts'
import { type Answer, found, writeHeaders } from '../answer.ts'
import { type Call, route } from '../route.ts'
import { AwaitedJson } from '../streams/awaited-json.ts'
import { EventStream } from '../streams/event-stream.ts'
import { streamHeaders, wantsStream } from './events.ts'
import { ended, given } from './sessions.ts'

const base = { method: 'POST', scope: 'write', reach: 'session' } as const

export const turnRoutes = [
  route({
    ...base,
    path: '/v1/sessions/{sessionId}/turns',
    summary:
      'Ask the agent: answered at the end of its turn, or at once with `wait: false`; as `text/event-stream` with all that happens until then',
    body: { schema: turnInput },
    answer: z.union([turnResult, turnAccepted]),
    streams: true,
    codes: ['no_agent', 'run_live', 'duplicate_id', ...ended],
    handle: async (call) => {
      const turn = await asked(call)
      const { after, replayed, ...place } = await turn.accepted()
      const headers = writeHeaders(replayed)
      if (wantsStream(call.request)) return streamed(call, turn, headers)
      if (call.body.wait === false) return { status: 200, json: { after: String(after), ...place }, headers }
      return awaited(call, turn, headers)
    },
  }),
  route({
    ...base,
    method: 'GET',
    scope: 'read',
    path: '/v1/sessions/{sessionId}/context/model',
    summary:
      "What the agent's model would be sent now: system prompt, messages, tools, tokens, and the last call's blocks",
    answer: modelContext,
    codes: ['no_agent'],
    handle: async (call) => found(await (await answering(call)).context()),
  }),
  route({
    ...base,
    path: '/v1/sessions/{sessionId}/compact',
    summary:
      "Put a summary by the agent's model in the place of the older part of the context; nothing is lost",
    once: 'answer',
    body: { schema: z.strictObject({ instructions: z.string().optional() }), optional: true },
    answer: z.strictObject({
      /** False: there was nothing that a summary could stand for. */
      compacted: z.boolean(),
    }),
    codes: ['no_agent', 'run_elsewhere', 'budget_exceeded', 'price_unknown', ...ended],
    handle: async (call) =>
      found({ compacted: await (await answering(call)).compact(given(call.body ?? {})) }),
  }),
]

type TurnCall = Call<unknown, z.output<typeof turnInput>>

async function asked(call: TurnCall): Promise<AskedTurn> {
  const { body, credential } = call
  const session = await answering(call)
  const { input, policy, messageId } = body
  const write = { ...call.write, actor: credential.actor }
  if (input !== undefined) return session.send(input, { ...write, ...given({ policy, messageId }) })
  return session.pursue(write)
}

async function answering({ holdfast, session, service: { agents } }: Call): Promise<AnsweringSession> {
  const head = await holdfast.sessions.getSummary(session.id)
  if (!head) throw new HoldfastError('not_found', 'there is no such session.')
  if (agents?.agentIds.has(head.agentId)) return agents.in(holdfast.tenantId).at(session.id)
  const here = agents ? `here are ${[...agents.agentIds].join(', ')}` : 'none work here'
  throw new HoldfastError('no_agent', `agent ${head.agentId} does not work in this server: ${here}.`)
}

function streamed(
  { service, requestId }: TurnCall,
  turn: AskedTurn,
  headers: Record<string, string>,
): Answer {
  const stream = new EventStream({
    follow: (signal) => turn.batches(signal),
    isWanted: () => true,
    frames: service.frames,
    followers: service.followers,
    requestId,
  })
  return { status: 200, stream, headers: { ...streamHeaders, ...headers } }
}

function awaited({ service }: TurnCall, turn: AskedTurn, headers: Record<string, string>): Answer {
  return {
    status: 200,
    stream: new AwaitedJson(service.followers, (left) => atRest(turn, left)),
    headers: { 'content-type': 'application/json', ...headers },
  }
}

/** What the server put down because it stops goes on in another: who waits shall ask there, under the same key. */
async function atRest(turn: AskedTurn, left: AbortSignal): Promise<TurnResult> {
  const result = await turn.resultUnless(left)
  if (result.reason !== 'shutdown') return result
  throw new HoldfastError('server_draining', 'the server is stopping; ask again.')
}
