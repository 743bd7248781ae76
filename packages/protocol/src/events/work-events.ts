import { z } from 'zod'
import {
  cacheBreak,
  compactionRecord,
  compactionTrigger,
  contextUsage,
  pressureLevel,
  promptManifest,
  tokenBudget,
} from '../context.ts'
import { externalId, id } from '../ids.ts'
import { json } from '../json.ts'
import { objectOnUse, onUse } from '../on-use.ts'
import { question } from '../question.ts'
import { criterion, taskList, taskStatus, taskTransition } from '../task.ts'

const count = onUse(() => z.int().min(0))
const reason = onUse(() => z.string().max(1_024))

export const workEvents = {
  'question.asked': question,
  'question.answered': objectOnUse(() => ({ questionId: id, answer: json, custom: z.boolean() })),
  'question.withdrawn': objectOnUse(() => ({ questionId: id, reason: reason.optional() })),
  'question.expired': objectOnUse(() => ({ questionId: id, answer: json.optional() })),
  /** The whole list; null clears it. */
  'task.list_set': objectOnUse(() => ({ list: taskList.omit({ version: true }).nullable() })),
  /** The item as it stands after the change. */
  'task.updated': objectOnUse(() => ({
    itemId: id,
    status: taskStatus,
    notes: z.string(),
    completionCriteria: z.array(criterion),
    evidence: z.array(z.string()),
    blockers: z.array(z.string()),
    transition: taskTransition.optional(),
  })),
  /** Of a model call, with what it was sent and where that broke the provider's cache. Said again when the provider counted. */
  'context.measured': objectOnUse(() => ({
    ...contextUsage.shape,
    manifest: promptManifest.optional(),
    cacheBreak: cacheBreak.optional(),
  })),
  'context.pressure': objectOnUse(() => ({
    level: pressureLevel,
    percent: count,
    tokens: count,
    ofTokens: count,
  })),
  /** Old tool outputs are shown shortened in the provider view from here on; originals stay. */
  'context.trimmed': objectOnUse(() => ({ trimmed: count, throughSeq: count })),
  /** Derived context state is dropped; tasks, question, budget, prompt and instructions stay. */
  'context.cleared': objectOnUse(() => ({})),
  'compaction.applied': objectOnUse(() => ({
    ...compactionRecord.shape,
    /** Seq of the last change of the path that the summary was made from. */
    pathSeq: count,
    summary: z.string(),
    summaryTokens: count,
    supersedes: z.array(id),
  })),
  'compaction.failed': objectOnUse(() => ({ compactionId: id, trigger: compactionTrigger, reason })),
  'provider_context.opened': objectOnUse(() => ({
    contextId: id,
    providerId: externalId.optional(),
    model: externalId.optional(),
    initialTokens: count,
    responseId: externalId.optional(),
  })),
  'provider_context.invalidated': objectOnUse(() => ({ contextId: id, reason })),
  'budget.set': objectOnUse(() => ({ budget: tokenBudget.nullable() })),
  'budget.reserved': objectOnUse(() => ({
    reservationId: id,
    tokens: count,
    costMicrocents: count,
    toolCalls: count,
  })),
  'budget.settled': objectOnUse(() => ({ reservationId: id })),
} as const
