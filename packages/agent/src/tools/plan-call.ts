/** What is to be done about a call, before anything is done: the answer at once, run it, or ask somebody first. */
import type { Json, ToolOutcome } from '@holdfast/protocol'
import type { Tool } from '../define/tool.ts'
import type { Answered, OpenCall } from '../turn/standing.ts'

export interface CallResult {
  output: Json
  outcome: ToolOutcome
}

export type CallPlan =
  | { do: 'answer'; result: CallResult }
  | { do: 'run'; tool: Tool; input: unknown }
  | { do: 'ask'; tool: Tool }

export async function planCall(tools: ReadonlyMap<string, Tool>, call: OpenCall): Promise<CallPlan> {
  const tool = tools.get(call.name)
  if (!tool) return refusal(`There is no tool ${call.name}.`)
  if (call.input === undefined) return refusal('The input is not valid JSON, or has numbers beyond 2^53.')
  const input = tool.input.check(call.input)
  if (!input.ok) return refusal(`The input does not fit: ${input.why}`)
  if (!(await needsApproval(tool, input.value))) return { do: 'run', tool, input: input.value }
  if (call.answered === undefined) return { do: 'ask', tool }
  const denied = denial(call.answered)
  return denied === undefined ? { do: 'run', tool, input: input.value } : { do: 'answer', result: denied }
}

/** A rule that fails decides nothing: then a person does. */
async function needsApproval({ approval }: Tool, input: unknown): Promise<boolean> {
  if (typeof approval !== 'function') return approval === 'always'
  try {
    return await approval(input)
  } catch {
    return true
  }
}

export const APPROVE = 'approve'
export const DENY = 'deny'

/** Anything but the one word is a no, and what was said in its place is its reason. */
function denial(answered: Answered): CallResult | undefined {
  if (typeof answered === 'string')
    return { output: 'Not approved: nobody answered in time.', outcome: 'denied' }
  const { answer } = answered
  if (answer === APPROVE) return undefined
  const reason =
    answer === DENY ? '' : ` The answer was: ${typeof answer === 'string' ? answer : JSON.stringify(answer)}`
  return { output: `Not approved by the user.${reason}`, outcome: 'denied' }
}

export function refusal(message: string): Extract<CallPlan, { do: 'answer' }> {
  return { do: 'answer', result: failed(message) }
}

export function failed(message: string): CallResult {
  return { output: message.slice(0, 8_192).toWellFormed(), outcome: 'error' }
}
