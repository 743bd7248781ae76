import type { Tool } from '../define/tool.ts'
import type { OpenCall } from '../turn/standing.ts'
import { planCall } from './plan-call.ts'

/** Calls that may have run and must not run twice: all but those that still wait, and those whose tool may run again. */
export async function unknownCalls(
  tools: ReadonlyMap<string, Tool>,
  open: readonly OpenCall[],
): Promise<string[]> {
  const plans = await Promise.all(open.map(async (call) => ({ call, plan: await planCall(tools, call) })))
  return plans.flatMap(({ call, plan }) => (plan.do === 'run' && !plan.tool.idempotent ? [call.callId] : []))
}
