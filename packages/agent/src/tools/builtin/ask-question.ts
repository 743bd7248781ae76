import type { JsonObject, QuestionInput } from '@holdfast/protocol'
import { z } from 'zod'
import { defineTool, type Tool } from '../../define/tool.ts'
import type { OpenCall } from '../../turn/standing.ts'

const input = z.object({
  question: z.string().min(1).describe('What you need to know, in one or two sentences'),
  options: z.array(z.string().min(1)).max(20).optional().describe('Answers to choose from'),
  allowCustom: z.boolean().optional().describe('Whether an answer in own words is taken; default true'),
  form: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('A JSON Schema of an object to fill in, instead of options'),
})

export type QuestionOfModel = z.infer<typeof input>

/** Lets a model ask a person: the turn waits, also across restarts, and goes on with the answer as the call's result. */
export const askQuestion: Tool = {
  ...defineTool({
    name: 'ask_question',
    description: 'Asks the user something that only they can answer, and waits for the answer.',
    input,
    execute: () => undefined,
  }),
  does: { kind: 'ask' },
}

export function questionOf(
  { callId, name }: OpenCall,
  { question, options, allowCustom, form }: QuestionOfModel,
): Omit<QuestionInput, 'questionId'> {
  return {
    toolCallId: callId,
    toolName: name,
    question,
    options: options ?? [],
    allowCustom: allowCustom ?? true,
    ...(form && { form: form as JsonObject }),
  }
}
