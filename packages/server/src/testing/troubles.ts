/** What it takes for each error that not every session in some state meets: the last step is the one that is refused. */
import { createHash } from 'node:crypto'
import type { ErrorCode } from '@holdfast/protocol'
import { samples } from './samples.ts'
import { asking, lease, type State, type Step, said, start, talk } from './states.ts'

interface Trouble extends State {
  /** Another agent than the one that works here. */
  agentId?: string
  last: Step
  headers?: Record<string, string>
}

const session = '/v1/sessions/{sessionId}'
const compaction = samples[`POST ${session}/context/compact`] as {
  record: object
  pathSeq: number
  summary: string
}
const activate: Step = ['POST', '/activate', {}]
const question = { questionId: 'q1', question: '?' }
const turns: readonly Step[] = ['one', 'two', 'three', 'four', 'five', 'six'].map((input) => [
  'POST',
  '/turns',
  { input },
])

const file = 'a file'

function hashOf(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex')
}

function message(id: string): object {
  return { ...said(id), id }
}

function inRun(...commands: readonly object[]): Step {
  return ['POST', '/run/batch', { epoch: 1, commands }]
}

function twice(step: Step): { steps: readonly Step[]; last: Step } {
  return { steps: [step], last: step }
}

/** Kept once and for all, and another body. */
const records: readonly (readonly [kind: string, body: object, other: object])[] = [
  ['personas', { name: 'a' }, { name: 'b' }],
  ['seeds', { goal: 'a' }, { goal: 'b' }],
  ['price-books', { prices: {} }, { prices: { 'p/m': { prompt: 1 } } }],
]

export const troubles: readonly (readonly [ErrorCode, Trouble])[] = [
  ['model_locked', { create: { model: 'a' }, steps: [activate], last: ['PATCH', '', { model: 'b' }] }],
  [
    'model_locked',
    { create: { model: 'a' }, steps: [activate], last: ['POST', '/activate', { model: 'b' }] },
  ],
  [
    'model_locked',
    { create: { model: 'a' }, steps: [activate], last: ['POST', '/run', { ...lease, model: 'b' }] },
  ],
  [
    'range_not_satisfiable',
    {
      steps: [['POST', '/attachments', file]],
      last: ['GET', `/attachments/${hashOf(file)}`],
      headers: { range: 'bytes=99-' },
    },
  ],
  ['not_on_path', { steps: [], last: ['POST', '/fork', { atSeq: 99 }] }],
  [
    'id_taken',
    {
      steps: [['POST', '/fork', { id: 'forked' }]],
      last: ['POST', '/fork', { id: 'forked', title: 'T' }],
    },
  ],
  [
    'id_taken',
    {
      steps: [['POST', '/v1/sessions', { agentId: 'a', id: 'made' }]],
      last: ['POST', '/v1/sessions', { agentId: 'b', id: 'made' }],
    },
  ],
  [
    'id_taken',
    {
      steps: [['POST', '/v1/sessions', { agentId: 'a', id: 'no-child' }]],
      last: ['POST', '/children', { agentId: 'a', childId: 'no-child' }],
    },
  ],
  ['not_on_path', { steps: [talk], last: ['POST', '/truncate', { seq: 99 }] }],
  ['fork_inside_round', { steps: [['POST', '/messages', asking]], last: ['POST', '/truncate', { seq: 3 }] }],
  [
    'not_on_path',
    {
      steps: [
        ['POST', '/messages', { messages: [message('a'), message('b'), message('c')] }],
        ['POST', '/truncate', { seq: 3 }],
      ],
      last: ['PUT', '/messages/c', said('instead')],
    },
  ],
  [
    'duplicate_id',
    { steps: [['POST', '/messages', message('a')]], last: ['PUT', '/messages/a', message('a')] },
  ],
  ['duplicate_id', twice(['POST', '/messages', message('a')])],
  ['duplicate_id', twice(['POST', '/turns', { input: 'x', messageId: 'a' }])],
  [
    'duplicate_id',
    {
      steps: [talk, ['POST', '/context/compact', compaction]],
      last: ['POST', '/context/compact', { ...compaction, pathSeq: 5 }],
    },
  ],
  [
    'duplicate_id',
    {
      steps: [
        ['POST', '/questions', question],
        ['POST', '/questions/q1/withdraw'],
      ],
      last: ['POST', '/questions', question],
    },
  ],
  [
    'duplicate_id',
    {
      steps: [],
      last: [
        'PUT',
        '/tasks',
        {
          list: {
            items: [
              { id: 't1', description: 'a' },
              { id: 't1', description: 'b' },
            ],
          },
        },
      ],
    },
  ],
  [
    'duplicate_id',
    {
      steps: [talk, ['POST', '/run', { ...lease, runId: 'r' }], inRun({ type: 'completeRun' })],
      last: ['POST', '/run', { ...lease, runId: 'r' }],
    },
  ],
  ['run_live', { steps: [talk, start], last: ['POST', '/messages?policy=reject', said('more')] }],
  ['run_live', { steps: [talk, start], last: ['POST', '/turns', { input: 'x', policy: 'reject' }] }],
  [
    'run_live',
    {
      steps: [talk, ['POST', '/run', { ...lease, runId: 'r' }]],
      last: ['POST', '/usage', { attemptId: 'a', promptTokens: 1, completionTokens: 1, runId: 'r' }],
    },
  ],
  [
    'call_not_open',
    {
      steps: [talk],
      last: [
        'POST',
        '/messages',
        { role: 'tool', parts: [{ type: 'tool_result', callId: 'none', output: 1 }] },
      ],
    },
  ],
  ['no_agent', { agentId: 'elsewhere', steps: [], last: ['POST', '/turns', { input: 'x' }] }],
  ['no_agent', { agentId: 'elsewhere', steps: [], last: ['POST', '/compact'] }],
  ['no_agent', { agentId: 'elsewhere', steps: [], last: ['GET', '/context/model'] }],
  [
    'budget_exceeded',
    {
      steps: [...turns, ['PATCH', '', { budget: { spend: { tokens: 1 } } }]],
      last: ['POST', '/compact'],
    },
  ],
  [
    'price_unknown',
    {
      steps: [...turns, ['PATCH', '', { budget: { spend: { costMicrocents: 1 } } }]],
      last: ['POST', '/compact'],
    },
  ],
  ['session_closed', { steps: [...turns, ['POST', '/close']], last: ['POST', '/compact'] }],
  ['session_expired', { create: { ttlSecs: 1 }, steps: turns, thenMs: 1_000, last: ['POST', '/compact'] }],
  [
    'no_such_task',
    {
      steps: [['PUT', '/tasks', { list: { items: [{ id: 't1', description: 'a' }] } }]],
      last: ['PATCH', '/tasks/t2', { status: 'completed' }],
    },
  ],
  ['path_changed', { steps: [talk], last: ['POST', '/context/compact', { ...compaction, pathSeq: 99 }] }],
  [
    'invalid_compaction',
    { steps: [talk], last: ['POST', '/context/compact', { ...compaction, summary: ' ' }] },
  ],
  [
    'budget_exceeded',
    {
      create: { budget: { spend: { tokens: 1 } } },
      steps: [],
      last: ['POST', '/children', { agentId: 'a', grant: { tokens: 2 } }],
    },
  ],
  [
    'version_conflict',
    { steps: [talk, start], last: inRun({ type: 'completeRun' }), headers: { 'if-match': '"99"' } },
  ],
  [
    'key_conflict',
    {
      steps: [talk, start, inRun({ type: 'startRound' })],
      last: inRun({ type: 'completeRun' }),
      headers: { 'idempotency-key': 'used' },
    },
  ],
  [
    'session_held',
    {
      steps: [
        ['POST', '/messages', message('a')],
        ['POST', '/hold', { held: true }],
      ],
      last: ['POST', '/messages/a/erase'],
    },
  ],
  ['not_found', { steps: [], last: ['GET', '/compare?with=missing'] }],
  ['invalid_cursor', { steps: [], last: ['POST', '/v1/prune', { after: 'nowhere', olderThanMs: 1 }] }],
  ['illegal_transition', { steps: [talk, start], last: inRun({ type: 'completeRound' }) }],
  [
    'stale_epoch',
    {
      steps: [talk, start],
      last: ['POST', '/run/batch', { epoch: 9, commands: [{ type: 'completeRun' }] }],
    },
  ],
  ['call_not_open', { steps: [talk, start], last: inRun({ type: 'finishTool', callId: 'none', output: 1 }) }],
  [
    'calls_open',
    {
      steps: [talk, start, inRun({ type: 'startRound' }, { type: 'append', message: asking })],
      last: inRun({ type: 'completeRound' }),
    },
  ],
  [
    'duplicate_id',
    {
      steps: [['POST', '/messages', message('a')], start],
      last: inRun({ type: 'append', message: { ...said('b'), role: 'assistant', id: 'a' } }),
    },
  ],
  [
    'budget_exceeded',
    {
      create: { budget: { spend: { tokens: 1 } } },
      steps: [talk, start],
      last: inRun({ type: 'reserveBudget', tokens: 2, costMicrocents: 0, toolCalls: 0 }),
    },
  ],
  [
    'price_unknown',
    {
      create: { budget: { spend: { costMicrocents: 1 } } },
      steps: [talk, start],
      last: inRun({ type: 'reserveBudget', tokens: 2, toolCalls: 0 }),
    },
  ],
  [
    'reservation_not_open',
    { steps: [talk, start], last: inRun({ type: 'settleBudget', reservationId: 'none' }) },
  ],
  [
    'path_changed',
    { steps: [talk, start], last: inRun({ type: 'applyCompaction', ...compaction, pathSeq: 99 }) },
  ],
  [
    'invalid_compaction',
    { steps: [talk, start], last: inRun({ type: 'applyCompaction', ...compaction, summary: ' ' }) },
  ],
  [
    'question_open',
    {
      steps: [['POST', '/questions', question], talk, start],
      last: inRun({ type: 'askQuestion', question: { ...question, questionId: 'q2' } }),
    },
  ],
  ...records.map(
    ([kind, body, other]) =>
      [
        'id_taken',
        { steps: [['PUT', `/v1/${kind}/one`, body]], last: ['PUT', `/v1/${kind}/one`, other] },
      ] as const,
  ),
]
