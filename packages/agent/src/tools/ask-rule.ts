/** Whether a person must allow a call, as its tool says: by its own rule, where it has one, which may fail or never answer. */
import type { Tool } from '../define/tool.ts'
import { unlessAborted } from './unless-aborted.ts'

/** `silent`: the rule failed, or did not answer in time. */
export type Ruling = 'ask' | 'run' | 'silent'

/** How long a rule is waited for. */
export interface RuleTerms {
  /** Where it is aborted, its reason is thrown. */
  signal?: AbortSignal
  /** Where that is less than the time of the tool. */
  mostMs?: number
}

export async function askRule(tool: Tool, input: unknown, terms: RuleTerms): Promise<Ruling> {
  const { approval, timeoutMs } = tool
  if (typeof approval !== 'function') return approval === 'always' ? 'ask' : 'run'
  const { signal, mostMs = timeoutMs } = terms
  const time = AbortSignal.timeout(Math.min(timeoutMs, mostMs))
  try {
    const mustAsk = await unlessAborted(
      begun(approval, input),
      signal ? AbortSignal.any([signal, time]) : time,
    )
    return mustAsk ? 'ask' : 'run'
  } catch {
    signal?.throwIfAborted()
    return 'silent'
  }
}

/** A rule that throws before its first await is a rule that failed. */
async function begun(rule: (input: unknown) => boolean | Promise<boolean>, input: unknown): Promise<boolean> {
  return rule(input)
}
