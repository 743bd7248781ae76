/** Whether an answer reaches the goal of its session: by checks that a program makes. A judge that is a model may be one of them. */
import type { UnseenSession } from '@holdfast/core'
import type { SeedPhase } from '@holdfast/protocol'
import { unlessAborted } from '../tools/unless-aborted.ts'

export interface Check {
  /** What must hold, as the seed says it. */
  criterion: string
  /** Undefined: it cannot be told; then nobody is told that it failed. */
  passes(answer: Answer): boolean | undefined | Promise<boolean | undefined>
}

interface Answer {
  text: string
  session: UnseenSession
}

export interface GoalRules {
  checks: readonly Check[]
  /** Answers that are evaluated in one turn; the last one stands as it is. Default 8. */
  maxSteps?: number
  /** How long each check may take; what it has not said by then cannot be told. Default 5 minutes. */
  timeoutMs?: number
}

/** What goes with the answer into the log. */
export interface Evaluation {
  seedId?: string
  phaseReached: SeedPhase
  /** Absent: nothing could be evaluated. */
  evaluationPassed?: boolean
}

export interface Evaluated extends Evaluation {
  /** Criteria that do not hold. */
  unmet: string[]
}

/** What is not told when the signal is aborted cannot be: the answer stands, with what was said of it. */
export async function evaluate(
  rules: GoalRules,
  text: string,
  session: UnseenSession,
  signal: AbortSignal,
): Promise<Evaluated> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(rules.timeoutMs ?? defaultTimeoutMs)])
  const verdicts = await Promise.all(
    rules.checks.map(async (check) => ({ ...check, passed: await verdict(check, { text, session }, until) })),
  )
  const told = verdicts.filter(({ passed }) => passed !== undefined)
  if (told.length === 0) return { phaseReached: 'execute', unmet: [] }
  const unmet = told.filter(({ passed }) => passed === false).map(({ criterion }) => criterion)
  return { phaseReached: 'evaluate', evaluationPassed: unmet.length === 0, unmet }
}

const defaultTimeoutMs = 300_000

async function verdict(check: Check, answer: Answer, until: AbortSignal): Promise<boolean | undefined> {
  try {
    return await unlessAborted(begun(check, answer), until)
  } catch (error) {
    if (until.aborted) return undefined
    throw error
  }
}

/** A check that throws before its first await is a check that failed. */
async function begun(check: Check, answer: Answer): Promise<boolean | undefined> {
  return check.passes(answer)
}

/** What the model is told of an answer that does not reach the goal. */
export function unmetText(unmet: readonly string[]): string {
  return [
    'The goal is not reached yet. This does not hold:',
    ...unmet.map((criterion) => `- ${criterion}`),
    'Go on.',
  ].join('\n')
}
