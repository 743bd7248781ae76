/** Short forms of the commands that tests give most. */
import type { Json, MessageInput, TaskInput, UsageRecord } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import { worker } from './log.ts'

type Append = Command<'append'>

export function says(
  text: string,
  fields: Partial<MessageInput> = {},
  policy: Append['policy'] = 'enqueue',
): Append {
  return { type: 'append', policy, message: { role: 'user', parts: [{ type: 'text', text }], ...fields } }
}

export function answers(text: string, fields: Partial<MessageInput> = {}): Append {
  return {
    type: 'append',
    policy: 'reject',
    message: { role: 'assistant', parts: [{ type: 'text', text }], ...fields },
  }
}

export function calls(...callIds: string[]): Append {
  const parts = callIds.map((callId) => ({
    type: 'tool_call' as const,
    callId,
    name: 'search',
    input: { q: callId },
  }))
  return { type: 'append', policy: 'reject', message: { role: 'assistant', parts } }
}

export function result(callId: string, output: Json = 'found'): Command<'finishTool'> {
  return { type: 'finishTool', callId, output, outcome: 'ok' }
}

export function startRun(fields: Partial<Command<'startRun'>> = {}): Command<'startRun'> {
  return { type: 'startRun', ...worker, ...fields }
}

export function usage(attemptId: string, fields: Partial<UsageRecord> = {}): Command<'recordUsage'> {
  const costs = { costMicrocents: 1_000, costSource: 'price_book' as const }
  const counts = {
    promptTokens: 100,
    completionTokens: 20,
    reasoningTokens: 5,
    cachedReadTokens: 40,
    cachedWriteTokens: 10,
  }
  return {
    type: 'recordUsage',
    usage: { attemptId, purpose: 'turn', status: 'ok', estimated: false, ...counts, ...costs, ...fields },
  }
}

export function asks(
  questionId: string,
  fields: Partial<Command<'askQuestion'>['question']> = {},
): Command<'askQuestion'> {
  return {
    type: 'askQuestion',
    question: { questionId, question: 'Which?', options: ['a', 'b'], allowCustom: false, ...fields },
  }
}

export function compacts(
  range: { from: number; to: number },
  pathSeq: number,
  fields: Partial<Command<'applyCompaction'>['record']> & { summary?: string; summaryTokens?: number } = {},
): Command<'applyCompaction'> {
  const { summary = 'What happened so far.', summaryTokens = 10, ...record } = fields
  return {
    type: 'applyCompaction',
    record: {
      compactionId: `c${range.from}-${range.to}`,
      ...range,
      trigger: 'manual',
      tokensBefore: 100,
      tokensAfter: 40,
      messagesCovered: 2,
      ...record,
    },
    pathSeq,
    summary,
    summaryTokens,
  }
}

export function task(fields: Partial<TaskInput> = {}): TaskInput {
  const lists = { dependsOn: [], completionCriteria: [], evidence: [], blockers: [] }
  return {
    id: 't1',
    description: 'Do it',
    status: 'pending',
    notes: '',
    phase: 'execution',
    priority: 'medium',
    ...lists,
    ...fields,
  }
}
