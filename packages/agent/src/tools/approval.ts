import { limits, type QuestionInput } from '@holdfast/protocol'
import type { OpenCall } from '../turn/standing.ts'

export const APPROVE = 'approve'
export const DENY = 'deny'

/** Room for the words around the input. */
const inputChars = Math.floor(limits.questionBytes / 8)

/** The question whether a call may run. It shows the beginning of a long input; the whole stands in the call. */
export function approvalOf({ callId, name, input }: OpenCall): Omit<QuestionInput, 'questionId'> {
  const shown = JSON.stringify(input).slice(0, inputChars).toWellFormed()
  return {
    toolCallId: callId,
    toolName: name,
    question: `May ${name} run with ${shown}?`,
    options: [APPROVE, DENY],
    allowCustom: true,
  }
}
