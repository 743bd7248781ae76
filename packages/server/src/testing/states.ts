/** Sessions in every state that a request may find one in. */
import type { Caller } from './caller.ts'
import type { HeldClock } from './each-server.ts'

export const said = (words: string) => ({ role: 'user', parts: [{ type: 'text', text: words }] })
export const asking = {
  role: 'assistant',
  parts: [{ type: 'tool_call', callId: 'call', name: 'look', input: {} }],
}
export const lease = { owner: 'another', ttlMs: 60_000 }
const shortMs = 1_000

/** A body may be made for the session. */
export type Step = readonly [method: string, path: string, body?: unknown]

export interface State {
  create?: object
  steps: readonly Step[]
  /** Until that much later. */
  thenMs?: number
}

export const talk: Step = ['POST', '/messages', { messages: [said('one'), said('two')] }]
export const start: Step = ['POST', '/run', lease]
export const suspend: Step = [
  'POST',
  '/run/batch',
  { epoch: 1, commands: [{ type: 'suspendRun', reason: 'approval' }] },
]
export const spawn: Step = [
  'POST',
  '/children',
  (sessionId: string) => ({ agentId: 'agent', childId: childIdOf(sessionId) }),
]

/** A session's only child. */
export function childIdOf(sessionId: string): string {
  return `child-of-${sessionId}`
}

const askInRun: Step = [
  'POST',
  '/run/batch',
  {
    epoch: 1,
    commands: [{ type: 'askQuestion', question: { questionId: 'q1', question: '?' } }],
  },
]

export const states = {
  new: { steps: [] },
  'talked in': { steps: [talk, spawn] },
  closed: { steps: [talk, ['POST', '/close', {}]] },
  expired: { create: { ttlSecs: 1 }, steps: [talk], thenMs: shortMs },
  running: { steps: [talk, start] },
  finalizing: {
    steps: [talk, start, ['POST', '/run/batch', { epoch: 1, commands: [{ type: 'finalizeRun' }] }]],
  },
  lost: { steps: [talk, ['POST', '/run', { ...lease, ttlMs: shortMs }]], thenMs: shortMs },
  suspended: { steps: [talk, start, suspend] },
  ended: {
    steps: [talk, start, ['POST', '/run/batch', { epoch: 1, commands: [{ type: 'completeRun' }] }]],
  },
  asked: {
    steps: [
      talk,
      ['POST', '/questions', { questionId: 'q1', question: '?', options: ['a'], allowCustom: false }],
    ],
  },
  'asked in a run': {
    steps: [talk, start, askInRun],
  },
  'with a call open': { steps: [['POST', '/messages', asking]] },
  'of a locked model': { create: { model: 'one' }, steps: [['POST', '/activate', {}]] },
  pinned: { create: { pinned: true }, steps: [talk] },
  held: { steps: [talk, ['POST', '/hold', { held: true }]] },
  forked: { steps: [talk, ['POST', '/fork', {}]] },
} as const satisfies Record<string, State>

/** The id of a session of that agent that went that way. */
export async function stepped(
  { create = {}, steps, thenMs = 0 }: State,
  { caller, clock, agentId }: { caller: Caller; clock: HeldClock; agentId: string },
): Promise<string> {
  const { id } = (await caller.post('/v1/sessions', { agentId, ...create })).json
  for (const [method, path, body] of steps) {
    const made = typeof body === 'function' ? body(id) : body
    const { status, text } = await caller.call(method, placeOf(id, path), { body: made })
    if (status >= 400) throw new Error(`${method} ${path}: ${text}`)
  }
  clock.advance(thenMs)
  return id
}

/** Below the session, unless it is said in full. */
export function placeOf(sessionId: string, path: string): string {
  return path.startsWith('/v1/') ? path : `/v1/sessions/${sessionId}${path}`
}
