/** Whether an answer reaches the goal of its session: by checks that a program makes. A judge that is a model may be one of them. */
import type { UnseenSession } from '@holdfast/core'
import type { SeedPhase } from '@holdfast/protocol'

export interface Check {
  /** What must hold, as the seed says it. */
  criterion: string
  /** Undefined: it cannot be told; then nobody is told that it failed. */
  passes(answer: { text: string; session: UnseenSession }): boolean | undefined | Promise<boolean | undefined>
}

export interface GoalRules {
  checks: readonly Check[]
  /** Answers that are evaluated in one turn; the last one stands as it is. Default 8. */
  maxSteps?: number
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

export async function evaluate(rules: GoalRules, text: string, session: UnseenSession): Promise<Evaluated> {
  const verdicts = await Promise.all(
    rules.checks.map(async (check) => ({ ...check, passed: await check.passes({ text, session }) })),
  )
  const told = verdicts.filter(({ passed }) => passed !== undefined)
  if (told.length === 0) return { phaseReached: 'execute', unmet: [] }
  const unmet = told.filter(({ passed }) => passed === false).map(({ criterion }) => criterion)
  return { phaseReached: 'evaluate', evaluationPassed: unmet.length === 0, unmet }
}

/** What the model is told of an answer that does not reach the goal. */
export function unmetText(unmet: readonly string[]): string {
  return [
    'The goal is not reached yet. This does not hold:',
    ...unmet.map((criterion) => `- ${criterion}`),
    'Go on.',
  ].join('\n')
}
