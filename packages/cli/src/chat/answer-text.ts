/** What a person says to a question, and what is meant by it. */
import type { Json, Question } from '@holdfast/protocol'
import { plainLine, plainText } from '../terminal/plain.ts'

const approve = 'approve'
const deny = 'deny'

/** Whether it asks for a yes or a no to a tool call. */
export function isApproval({ toolName, options }: Question): boolean {
  return toolName !== undefined && options.join() === `${approve},${deny}`
}

export function approvalAnswer(isAllowed: boolean): string {
  return isAllowed ? approve : deny
}

/** The question with its options by number, and with what else may be said. */
export function questionLines(question: Question): string[] {
  const { options, allowCustom, form } = question
  const asked = plainText(question.question).split('\n')
  if (isApproval(question)) return [...asked, '  yes, or no and why not']
  const numbered = options.map((option, i) => `  ${i + 1}  ${plainLine(option)}`)
  return [...asked, ...numbered, ...hintOf({ options, allowCustom, form })]
}

function hintOf({
  options,
  allowCustom,
  form,
}: Pick<Question, 'options' | 'allowCustom' | 'form'>): string[] {
  if (form) return [`  a JSON object with ${fieldsOf(form)}`]
  if (options.length === 0) return []
  return [allowCustom ? '  its number, or an answer of your own' : '  its number']
}

function fieldsOf({ properties }: NonNullable<Question['form']>): string {
  const names = typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
  return names.length === 0 ? 'what was asked for' : names.map(plainLine).join(', ')
}

/** Whether it fits is for the session to say. */
export function answerOf(question: Question, text: string): Json {
  const { options, form } = question
  const said = text.trim()
  if (form) return jsonOf(said)
  if (isApproval(question) && /^(y|yes|n|no)$/i.test(said)) return approvalAnswer(/^y/i.test(said))
  const meant = options.find((option) => option.toLowerCase() === said.toLowerCase())
  return meant ?? (/^\d{1,2}$/.test(said) ? options[Number(said) - 1] : undefined) ?? said
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    // As it stands it fits no form, and the session says what would.
    return text
  }
}
