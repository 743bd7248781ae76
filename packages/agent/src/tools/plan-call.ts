/** What is to be done about a call, before anything is done: the answer at once, run it, or ask somebody first. */
import type { Json, QuestionInput, ToolOutcome } from '@holdfast/protocol'
import type { ChildRules, Tool } from '../define/tool.ts'
import type { Answered, OpenCall } from '../turn/standing.ts'
import { APPROVE, approvalOf, DENY } from './approval.ts'
import { askRule, type RuleTerms } from './ask-rule.ts'
import { type QuestionOfModel, questionOf } from './builtin/ask-question.ts'
import type { Task } from './builtin/spawn-child.ts'

export interface CallResult {
  output: Json
  outcome: ToolOutcome
}

export type CallPlan =
  | { do: 'answer'; result: CallResult }
  | { do: 'run'; tool: Tool; input: unknown }
  /** `isSilent`: only because the rule of its tool did not say. */
  | { do: 'ask'; question: Asked; isSilent?: boolean }
  | { do: 'spawn'; rules: ChildRules; task: Task }

/** A question, but for its id. */
export type Asked = Omit<QuestionInput, 'questionId'>

export async function planCall(
  tools: ReadonlyMap<string, Tool>,
  call: OpenCall,
  terms: RuleTerms,
): Promise<CallPlan> {
  const tool = tools.get(call.name)
  if (!tool) return refusal(`There is no tool ${call.name}.`)
  if (call.input === undefined) return refusal('The input is not valid JSON, or has numbers beyond 2^53.')
  const input = tool.input.check(call.input)
  if (!input.ok) return refusal(`The input does not fit: ${input.why}`)
  if (tool.does.kind === 'ask') return planQuestion(call, input.value as QuestionOfModel)
  const barred = await approval(tool, call, input.value, terms)
  if (barred) return barred
  if (tool.does.kind === 'spawn') return { do: 'spawn', rules: tool.does.rules, task: input.value as Task }
  return { do: 'run', tool, input: input.value }
}

/** Undefined: nothing stands in the way. */
async function approval(
  tool: Tool,
  call: OpenCall,
  input: unknown,
  terms: RuleTerms,
): Promise<CallPlan | undefined> {
  if (tool.approval === 'never') return undefined
  if (call.answered !== undefined) return denial(call.answered)
  const ruling = await askRule(tool, input, terms)
  if (ruling === 'run') return undefined
  return { do: 'ask', question: approvalOf(call), isSilent: ruling === 'silent' }
}

function planQuestion(call: OpenCall, question: QuestionOfModel): CallPlan {
  if (call.answered === undefined) return { do: 'ask', question: questionOf(call, question) }
  if (typeof call.answered === 'string') return refusal(`Nobody answered: the question is ${call.answered}.`)
  return { do: 'answer', result: { output: call.answered.answer, outcome: 'ok' } }
}

/** Anything but the one word is a no, and what was said in its place is its reason. */
function denial(answered: Answered): CallPlan | undefined {
  if (typeof answered === 'string') return denied('Not approved: nobody answered in time.')
  const { answer } = answered
  if (answer === APPROVE) return undefined
  const reason =
    answer === DENY ? '' : ` The answer was: ${typeof answer === 'string' ? answer : JSON.stringify(answer)}`
  return denied(`Not approved by the user.${reason}`)
}

function denied(output: string): CallPlan {
  return { do: 'answer', result: { output, outcome: 'denied' } }
}

export function refusal(message: string): Extract<CallPlan, { do: 'answer' }> {
  return { do: 'answer', result: failed(message) }
}

export function failed(message: string): CallResult {
  return { output: message.slice(0, 8_192).toWellFormed(), outcome: 'error' }
}
