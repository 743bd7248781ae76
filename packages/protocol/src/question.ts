import { z } from 'zod'
import { externalId, id } from './ids.ts'
import { json, jsonObject } from './json.ts'
import { objectOnUse } from './on-use.ts'
import { time } from './time.ts'

/** What to do when nobody answers in time. */
export const questionEscalation = objectOnUse(() => ({
  onExpiry: z.enum(['withdraw', 'default_answer', 'cancel_run']),
  defaultAnswer: json.optional(),
  escalateTo: externalId.optional(),
}))

/** Something that only a human (or the parent session) can answer. */
export const question = objectOnUse(() => ({
  questionId: id,
  toolCallId: externalId.optional(),
  toolName: externalId.optional(),
  question: z.string().min(1),
  options: z.array(z.string().min(1)).default([]),
  allowCustom: z.boolean().default(true),
  /** JSON Schema of a form; the answer is then an object that fits it. */
  form: jsonObject.optional(),
  expiresAt: time.optional(),
  escalation: questionEscalation.optional(),
  /** Who may answer: a user, a role, the parent session. Absent: anyone who may answer in this session. */
  addressee: externalId.optional(),
}))
export type Question = z.infer<typeof question>
export type QuestionInput = z.input<typeof question>
