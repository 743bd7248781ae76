import { z } from 'zod'
import { compactionRecord, compactionTrigger, contextUsage, pressureLevel, tokenBudget } from '../context.ts'
import { externalId, id } from '../ids.ts'
import { json } from '../json.ts'
import { question } from '../question.ts'
import { criterion, taskList, taskStatus, taskTransition } from '../task.ts'

const count = z.int().min(0)
const reason = z.string().max(1_024)

export const workEvents = {
  'question.asked': question,
  'question.answered': z.strictObject({ questionId: id, answer: json, custom: z.boolean() }),
  'question.withdrawn': z.strictObject({ questionId: id, reason: reason.optional() }),
  'question.expired': z.strictObject({ questionId: id, answer: json.optional() }),
  /** The whole list; null clears it. */
  'task.list_set': z.strictObject({ list: taskList.omit({ version: true }).nullable() }),
  /** The item as it stands after the change. */
  'task.updated': z.strictObject({
    itemId: id,
    status: taskStatus,
    notes: z.string(),
    completionCriteria: z.array(criterion),
    evidence: z.array(z.string()),
    blockers: z.array(z.string()),
    transition: taskTransition.optional(),
  }),
  'context.measured': contextUsage,
  'context.pressure': z.strictObject({
    level: pressureLevel,
    percent: count,
    tokens: count,
    ofTokens: count,
  }),
  /** Old tool outputs are shown shortened in the provider view from here on; originals stay. */
  'context.trimmed': z.strictObject({ trimmed: count, throughSeq: count }),
  /** Derived context state is dropped; tasks, question, budget, prompt and instructions stay. */
  'context.cleared': z.strictObject({}),
  'compaction.applied': z.strictObject({
    ...compactionRecord.shape,
    /** Seq of the last change of the path that the summary was made from. */
    pathSeq: count,
    summary: z.string(),
    summaryTokens: count,
    supersedes: z.array(id),
  }),
  'compaction.failed': z.strictObject({ compactionId: id, trigger: compactionTrigger, reason }),
  'provider_context.opened': z.strictObject({
    contextId: id,
    providerId: externalId.optional(),
    model: externalId.optional(),
    initialTokens: count,
    responseId: externalId.optional(),
  }),
  'provider_context.invalidated': z.strictObject({ contextId: id, reason }),
  'budget.set': z.strictObject({ budget: tokenBudget.nullable() }),
  'budget.reserved': z.strictObject({
    reservationId: id,
    tokens: count,
    costMicrocents: count,
    toolCalls: count,
  }),
  'budget.settled': z.strictObject({ reservationId: id }),
} as const
