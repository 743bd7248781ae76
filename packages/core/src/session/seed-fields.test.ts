/**
 * Every field and every method of the five source documents has a home: each field is read through its view on one worked
 * session, each method is a command or a function. S1 smooth-operator, S2 oxios, S3 a session record, S4 a fleet's row,
 * S5 bamboo.
 */
import { toTime } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { formatTaskListForPrompt } from '../context/tasks-prompt.ts'
import { compactOversizedToolMessages } from '../context/tool-output.ts'
import { coveredMessages, messagesInView, viewStateOf } from '../context/view.ts'
import type { FoldEvent } from './state.ts'
import { answers, asks, calls, compacts, result, says, startRun, task, usage } from './testing/commands.ts'
import { startMs, TestLog, worker } from './testing/log.ts'
import { sessionView, summaryOf, summarySeq } from './view.ts'
import { agentSessionRow } from './views/agent-session-row.ts'
import { bambooView } from './views/bamboo.ts'
import { oxiosView } from './views/oxios.ts'
import { sessionRecordView } from './views/session-record.ts'
import { smoothOperatorView } from './views/smooth-operator.ts'

const own = { own: true }
const second = 1_000

/** One second passes before each step. */
function worked(): TestLog {
  const log = TestLog.create({
    ownerUserId: 'user-1',
    userParticipantId: 'participant-1',
    agentParticipantId: 'participant-2',
    threadId: 'thread-1',
    purpose: 'autonomous',
    goalText: 'Ship it.',
    channel: 'slack',
    title: 'A session',
    pinned: true,
    lineage: 'child',
    parentSessionId: 'parent-1',
    rootSessionId: 'root-1',
    spawnDepth: 1,
    ttlSecs: 3_600,
    metadata: { team: 'red', tries: 2 },
    reasoningEffort: 'high',
    seedId: 'seed-1',
    personaId: 'persona-1',
  })
  const step = (command: Parameters<TestLog['do']>[0], caller = {}) => {
    log.nowMs += second
    return log.do(command, caller)
  }
  step(says('hello', { id: 'u1' }))
  step({ type: 'setTasks', list: { title: 'Plan', items: [task()] } })
  step({ type: 'setBudget', budget })
  step({ type: 'setInstructions', instructions: 'Keep names.' })
  step({ type: 'setPrompt', prompt })
  step(startRun({ runId: 'run-1' }))
  step({ type: 'startRound', roundId: 'round-1' }, own)
  step({ type: 'openProviderContext', contextId: 'x1', initialTokens: 80 }, own)
  step(calls('call-1'), own)
  step(result('call-1'), own)
  step(usage('attempt-1', { costMicrocents: 1_250_000 }), own)
  step({ type: 'completeRound' }, own)
  step({ type: 'startRound', roundId: 'round-2' }, own)
  step(
    answers('the answer', { id: 'a1', seedId: 'seed-1', phaseReached: 'evaluate', evaluationPassed: true }),
    own,
  )
  step(usage('attempt-2', { context: { contextId: 'x1', tokens: 12 } }), own)
  step({ type: 'measureContext', usage: contextUsage }, own)
  step({ type: 'completeRound' }, own)
  step(
    compacts({ from: 1, to: log.head.seq }, log.head.pathSeq, { compactionId: 'c1', messagesCovered: 4 }),
    own,
  )
  step({ type: 'completeRun' }, own)
  step(says('and now?', { id: 'u2' }))
  step(startRun({ runId: 'run-2' }))
  step(asks('question-1'), own)
  return log
}

const budget = {
  maxContextTokens: 64_000,
  strategy: { type: 'window' as const, messages: 20 },
  triggerPercent: 85,
  targetPercent: 40,
  workingReserveTokens: 0,
  fallbackTriggerPercent: 75,
  spend: {},
}
const prompt = { sections: [{ name: 'role', text: 'You help.' }], effectiveText: 'You help.' }
const contextUsage = {
  systemTokens: 1,
  summaryTokens: 2,
  windowTokens: 3,
  totalTokens: 6,
  budgetTokens: 60_000,
}

const log = worked()
const ended = worked()
ended.nowMs += second
ended.do({ type: 'close', cancel: true, outcome: 'failed' })

function viewsOf(of: TestLog) {
  const seq = summarySeq(of.state)
  const summary = seq === undefined ? undefined : summaryOf(of.events[seq - 1] as FoldEvent)
  const session = sessionView(of.state, of.lease, of.nowMs, summary)
  const view = viewStateOf(of.state)
  const messages = messagesInView(of.events, view)
  return {
    S1: smoothOperatorView(session, { nowMs: of.nowMs, idleLimitMs: 60_000 }),
    S2: oxiosView(session, messages),
    S3: sessionRecordView(session, of),
    S4: agentSessionRow(session),
    S5: bambooView(session, messages, coveredMessages(of.events, view)),
  }
}

const views = viewsOf(log)
const after = viewsOf(ended)
const at = (seconds: number) => toTime(startMs + seconds * second)
const metadata = { team: 'red', tries: 2 }
const ids = (messages: readonly { id: string }[]) => messages.map((message) => message.id)
const like = (fields: object) => expect.objectContaining(fields)

/** In the order of the documents. */
const fields: [number, keyof typeof views, string, unknown][] = [
  [1, 'S1', 'session_id', 'session-1'],
  [2, 'S1', 'conversation_id', 'conversation-1'],
  [3, 'S1', 'agent_id', 'agent-1'],
  [4, 'S1', 'agent_name', 'Agent One'],
  [5, 'S1', 'user_participant_id', 'participant-1'],
  [6, 'S1', 'agent_participant_id', 'participant-2'],
  [7, 'S1', 'thread_id', 'thread-1'],
  [8, 'S1', 'status', 'active'],
  [9, 'S1', 'token_count', 240],
  [10, 'S1', 'message_count', 5],
  [11, 'S1', 'metadata', metadata],
  [12, 'S1', 'created_at', at(0)],
  [13, 'S1', 'updated_at', at(22)],
  [14, 'S1', 'ended_at', undefined],
  [15, 'S1', 'last_activity_at', at(20)],
  [16, 'S2', 'id', 'session-1'],
  [17, 'S2', 'user_id', 'user-1'],
  [18, 'S2', 'user_messages', [like({ id: 'u1', role: 'user' }), like({ id: 'u2' })]],
  [
    19,
    'S2',
    'agent_responses',
    [like({ id: 'a1', replyTo: 'u1', seedId: 'seed-1', phaseReached: 'evaluate', evaluationPassed: true })],
  ],
  [20, 'S2', 'active_seed_id', 'seed-1'],
  [21, 'S2', 'active_persona_id', 'persona-1'],
  [22, 'S2', 'created_at', at(0)],
  [23, 'S2', 'updated_at', at(22)],
  [24, 'S2', 'metadata', metadata],
  [25, 'S3', 'session_id', 'session-1'],
  [26, 'S3', 'tenant_id', 'tenant-1'],
  [27, 'S3', 'provider_id', 'anthropic'],
  [28, 'S3', 'model', 'claude'],
  [29, 'S3', 'created_at', at(0)],
  [30, 'S3', 'activated_at', at(1)],
  [31, 'S3', 'closed_at', undefined],
  [32, 'S3', 'ttl_secs', 3_600],
  [33, 'S3', 'round_count', 2],
  [34, 'S3', 'initial_token_count', 80],
  [35, 'S3', 'delta_token_count', 12],
  [36, 'S3', 'metadata', metadata],
  [37, 'S4', 'id', 'session-1'],
  [38, 'S4', 'kind', 'autonomous'],
  [39, 'S4', 'status', 'active'],
  [40, 'S4', 'channel', 'slack'],
  [41, 'S4', 'model', 'claude'],
  [42, 'S4', 'created_at', at(0)],
  [43, 'S4', 'last_active_at', at(20)],
  [44, 'S4', 'turns', 1],
  [45, 'S4', 'prompt_tokens', 200],
  [46, 'S4', 'completion_tokens', 40],
  [47, 'S4', 'reasoning_tokens', 10],
  [48, 'S4', 'cost_cents', 1.251],
  [49, 'S4', 'goal_text', 'Ship it.'],
  [50, 'S5', 'id', 'session-1'],
  [51, 'S5', 'title', 'A session'],
  [52, 'S5', 'pinned', true],
  [53, 'S5', 'kind', 'child'],
  [54, 'S5', 'parent_session_id', 'parent-1'],
  [55, 'S5', 'root_session_id', 'root-1'],
  [56, 'S5', 'spawn_depth', 1],
  [57, 'S5', 'messages', [true, true, true, true, false].map((compressed) => like({ compressed }))],
  [58, 'S5', 'created_at', at(0)],
  [59, 'S5', 'updated_at', at(22)],
  [
    60,
    'S5',
    'task_list',
    like({ title: 'Plan', items: [like({ id: 't1', status: 'pending' })], version: 4 }),
  ],
  [61, 'S5', 'pending_question', like({ questionId: 'question-1', options: ['a', 'b'], allowCustom: false })],
  [62, 'S5', 'model', 'claude'],
  [63, 'S5', 'model_ref', { provider: 'anthropic', model: 'claude' }],
  [64, 'S5', 'reasoning_effort', 'high'],
  [65, 'S5', 'metadata', { team: 'red', tries: '2' }],
  [66, 'S5', 'token_budget', budget],
  [67, 'S5', 'token_usage', like(contextUsage)],
  [
    68,
    'S5',
    'conversation_summary',
    like({ text: 'What happened so far.', tokens: 10, messagesCovered: 4, from: 1 }),
  ],
  [69, 'S5', 'prompt_snapshot', prompt],
  [70, 'S5', 'compression_events', [like({ compactionId: 'c1', tokensBefore: 100, tokensAfter: 40 })]],
  [71, 'S5', 'compression_instructions', 'Keep names.'],
  [
    72,
    'S5',
    'agent_runtime_state',
    like({ runId: 'run-2', state: 'suspended', suspendReason: 'question', epoch: 2, lost: false }),
  ],
  // A request in the memory of the live run: it has no field anywhere.
  [73, 'S5', 'force_manual_compression', undefined],
]

test.each(fields)('field %i, %s `%s`, is read through its view', (_number, seed, field, expected) => {
  expect((views[seed] as unknown as Record<string, unknown>)[camelCase(field)]).toEqual(expected)
})

test('the table has the 73 fields of the five documents, in order', () => {
  expect(fields.map(([number]) => number)).toEqual([...Array(73).keys()].map((i) => i + 1))
  const counts = (['S1', 'S2', 'S3', 'S4', 'S5'] as const).map(
    (seed) => fields.filter((row) => row[1] === seed).length,
  )
  expect(counts).toEqual([15, 9, 12, 13, 24])
})

test('the ends of a session stand in their fields once it is closed, and once only', () => {
  expect(after.S1).toMatchObject({ status: 'ended', endedAt: at(23) })
  expect(after.S3).toMatchObject({ state: 'Closed', closedAt: at(23) })
  expect(after.S4.status).toBe('failed')
  expect(after.S5.agentRuntimeState?.state).toBe('cancelled')
})

test('a view has no field that its document lacks, but for the few that are documented', () => {
  const extra = {
    S1: [],
    S2: ['exchangeCount', 'isEmpty'],
    S3: ['state'],
    S4: ['costEstimated', 'costUnknown'],
    S5: ['hasPendingQuestion'],
  }
  for (const seed of Object.keys(extra) as (keyof typeof extra)[]) {
    const known = fields.filter((row) => row[1] === seed).map((row) => camelCase(row[2]))
    expect([...known, ...extra[seed]]).toEqual(expect.arrayContaining(Object.keys(after[seed])))
  }
})

const idle: [quietMs: number, live: boolean, status: string][] = [
  [60_000, false, 'active'],
  [60_001, false, 'idle'],
  [60_001, true, 'active'],
]

test.each(idle)('S1: quiet for %i ms with a live run: %s is %s', (quietMs, live, status) => {
  const quiet = TestLog.create({ userParticipantId: 'p1', agentParticipantId: 'p2' })
  quiet.do(says('hi'))
  if (live) quiet.do(startRun())
  quiet.nowMs += quietMs
  const session = sessionView(quiet.state, quiet.lease, quiet.nowMs)
  expect(smoothOperatorView(session, { nowMs: quiet.nowMs, idleLimitMs: 60_000 }).status).toBe(status)
})

const expiry: [swept: boolean, closedAt: string | undefined][] = [
  [false, undefined],
  [true, at(60)],
]

test.each(expiry)('S1, S3 and S4 agree on an expired session, swept: %s', (swept, closedAt) => {
  const expired = TestLog.create({ userParticipantId: 'p1', agentParticipantId: 'p2', ttlSecs: 60 })
  expired.nowMs += 60_000
  if (swept) expired.do({ type: 'expire' })
  const session = sessionView(expired.state, expired.lease, expired.nowMs)
  expect(smoothOperatorView(session, { nowMs: expired.nowMs, idleLimitMs: 1 }).status).toBe('ended')
  expect(sessionRecordView(session, expired)).toMatchObject({ state: 'Expired' })
  expect(sessionRecordView(session, expired).closedAt).toBe(closedAt)
  expect(agentSessionRow(session).status).toBe('cancelled')
})

const named = () => TestLog.create({ ownerUserId: 'user-1', title: 'T' })
const messagesOf = (of: TestLog) => messagesInView(of.events, viewStateOf(of.state))
const session = (of: TestLog) => sessionView(of.state, of.lease, of.nowMs)

/** Each method of the documents, as what one does with Holdfast instead. */
const methods: Record<string, () => void> = {
  'S2 new': () => expect(oxiosView(session(named()), []).isEmpty).toBe(true),
  'S2 with_id': () => expect(session(TestLog.create({ id: 'chosen' })).id).toBe('chosen'),
  'S2 add_user_message': () => {
    const of = named()
    of.do(says('hello', { id: 'u1' }))
    expect(ids(oxiosView(session(of), messagesOf(of)).userMessages)).toEqual(['u1'])
  },
  'S2 add_agent_response': () => {
    const of = named()
    of.doAll([says('hello', { id: 'u1' }), answers('hi', { id: 'a1', phaseReached: 'interview' })])
    expect(oxiosView(session(of), messagesOf(of)).agentResponses).toMatchObject([
      { id: 'a1', replyTo: 'u1', phaseReached: 'interview' },
    ])
  },
  'S2 set_active_seed': () => {
    const of = named()
    of.do({ type: 'setSeed', seedId: 'seed-1', seed: { goal: 'g' } })
    expect(session(of).seedId).toBe('seed-1')
    of.do({ type: 'setSeed', seedId: null })
    expect(session(of)).not.toHaveProperty('seedId')
  },
  'S2 set_active_persona': () => {
    const of = named()
    of.do({ type: 'setPersona', personaId: 'persona-1' })
    expect(session(of).personaId).toBe('persona-1')
    of.do({ type: 'setPersona', personaId: null })
    expect(session(of)).not.toHaveProperty('personaId')
  },
  'S2 set_metadata': () => {
    const of = named()
    of.doAll([
      { type: 'patchMetadata', values: { a: [1] } },
      { type: 'patchMetadata', values: { b: true } },
    ])
    expect(session(of).metadata).toEqual({ a: [1], b: true })
  },
  'S2 get_metadata': () =>
    expect(session(TestLog.create({ metadata: { key: 'value' } })).metadata?.key).toBe('value'),
  'S2 exchange_count': () => expect(views.S2.exchangeCount).toBe(1),
  'S2 is_empty': () => expect(views.S2.isEmpty).toBe(false),
  'S5 new': () =>
    expect(bambooView(session(named()), [])).toMatchObject({
      id: 'session-1',
      kind: 'root',
      rootSessionId: 'session-1',
      spawnDepth: 0,
    }),
  'S5 new_child': () => {
    const of = named()
    expect(of.types({ type: 'spawnChild', childId: 'child-1', agentId: 'agent-2', grant: {} })).toEqual([
      'child.spawned',
    ])
    const child = TestLog.create({
      id: 'child-1',
      lineage: 'child',
      parentSessionId: 'session-1',
      rootSessionId: 'session-1',
      spawnDepth: 1,
      title: 'C',
    })
    expect(bambooView(session(child), [])).toMatchObject({
      kind: 'child',
      parentSessionId: 'session-1',
      spawnDepth: 1,
    })
  },
  'S5 add_message': () => {
    const of = named()
    of.doAll([says('u', { role: 'system' }), says('u'), calls('c1'), result('c1'), answers('a')])
    expect(messagesOf(of).map((message) => message.role)).toEqual([
      'system',
      'user',
      'assistant',
      'tool',
      'assistant',
    ])
  },
  'S5 compact_oversized_tool_messages': () => {
    const of = named()
    of.doAll([calls('c1', 'c2'), result('c1', 'x'.repeat(300 * 1024)), result('c2', 'small')])
    expect(compactOversizedToolMessages(messagesOf(of)).changed).toBe(1)
  },
  'S5 clear_derived_context_state': () => {
    const of = worked()
    of.do({ type: 'clearContext' })
    const { tokenUsage, conversationSummary, compressionEvents, messages, ...kept } = viewsOf(of).S5
    expect([tokenUsage, conversationSummary, compressionEvents]).toEqual([undefined, undefined, []])
    expect(messages.some((message) => message.compressed)).toBe(false)
    const {
      tokenUsage: _u,
      conversationSummary: _s,
      compressionEvents: _e,
      messages: _m,
      ...before
    } = views.S5
    expect(kept).toEqual(before)
  },
  'S5 set_task_list': () => {
    const of = named()
    of.do({ type: 'setTasks', list: { title: 'L', items: [task()] } })
    expect(session(of).taskList?.items).toHaveLength(1)
    of.do({ type: 'setTasks', list: null })
    expect(session(of)).not.toHaveProperty('taskList')
  },
  'S5 update_task_item': () => {
    const of = named()
    of.do({ type: 'setTasks', list: { title: 'L', items: [task({ completionCriteria: ['Done'] })] } })
    const [updated] = of.do({
      type: 'updateTask',
      update: { itemId: 't1', status: 'completed', notes: 'n', criteriaMet: ['DONE'] },
    })
    expect(updated?.data).toMatchObject({
      status: 'completed',
      notes: 'n',
      transition: { from: 'pending', to: 'completed' },
    })
  },
  'S5 format_task_list_for_prompt': () =>
    expect(formatTaskListForPrompt(views.S5.taskList)).toBe('## Plan (0 of 1 completed)\n- [ ] t1: Do it'),
  'S5 set_pending_question': () => {
    const of = named()
    of.doAll([startRun()])
    expect(of.types(asks('q1', { toolCallId: 'call-1', toolName: 'ask' }), own)).toEqual([
      'question.asked',
      'run.suspended',
    ])
  },
  'S5 clear_pending_question': () => {
    const of = worked()
    expect(of.types({ type: 'withdrawQuestion', questionId: 'question-1' })).toEqual(['question.withdrawn'])
    expect(viewsOf(of).S5.hasPendingQuestion).toBe(false)
    expect(of.types({ type: 'resumeRun', ...worker })).toEqual(['lease.taken', 'run.resumed'])
  },
  'S5 has_pending_question': () => expect(views.S5.hasPendingQuestion).toBe(true),
}

test.each(Object.keys(methods))('method %s has its counterpart', (name) => methods[name]?.())

function camelCase(field: string): string {
  return field.replace(/_(.)/g, (_match, letter: string) => letter.toUpperCase())
}
