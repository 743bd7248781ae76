import type { Tool } from '../define/tool.ts'
import type { OpenCall } from '../turn/standing.ts'
import { type CallPlan, planCall } from './plan-call.ts'

/** Nobody waits longer for a rule where a run is put down or taken over. */
const mostRuleMs = 2_000

/** Calls that did not begin here: their rules are still asked, or a person is. */
const waiting = new WeakSet<OpenCall>()

export function keepWaiting(call: OpenCall, waits: boolean): void {
  if (waits) waiting.add(call)
  else waiting.delete(call)
}

/** Calls that may have run and must not run twice: all but those that still wait, and those whose tool may run again. */
export async function unknownCalls(
  tools: ReadonlyMap<string, Tool>,
  open: readonly OpenCall[],
  mostMs = mostRuleMs,
): Promise<string[]> {
  const terms = { mostMs: Math.min(mostMs, mostRuleMs) }
  const calls = open.filter((call) => !waiting.has(call))
  const plans = await Promise.all(calls.map((call) => planCall(tools, call, terms)))
  return calls.flatMap(({ callId, name }, i) => (isUnknown(tools.get(name), plans[i]) ? [callId] : []))
}

/** Where a rule does not say whether its call waited, nobody can tell; a child that was begun is found again. */
function isUnknown(tool: Tool | undefined, plan: CallPlan | undefined): boolean {
  if (!tool || tool.idempotent || tool.does.kind !== 'work') return false
  return plan?.do === 'run' || (plan?.do === 'ask' && plan.isSilent === true)
}
