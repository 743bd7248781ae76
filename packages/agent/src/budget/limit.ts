/** A limit that was come to: somebody raises it, or the run ends. No limit is passed meanwhile. */
import type { QuestionInput } from '@holdfast/protocol'

export type Limit = 'tokens' | 'costMicrocents' | 'toolCalls' | 'wallMs' | 'price' | 'loop'

export class LimitReached extends Error {
  override readonly name = 'LimitReached'
  readonly limit: Limit

  constructor(limit: Limit, message: string) {
    super(message)
    this.limit = limit
  }
}

export const RAISE = 'raise'
export const CONTINUE = 'continue'
export const STOP = 'stop'

/** Questions of limits name theirs as the tool that asks. */
const asker = (limit: Limit): string => `limit:${limit}`

export function limitOf(toolName: string | undefined): Limit | undefined {
  return toolName?.startsWith('limit:') ? (toolName.slice('limit:'.length) as Limit) : undefined
}

/** What has a number may be raised; what has none may be gone on with. */
export function limitQuestion({ limit, message }: LimitReached, questionId: string): QuestionInput {
  const isRaised = limit !== 'price' && limit !== 'loop'
  return {
    questionId,
    toolName: asker(limit),
    question: `${message} ${isRaised ? 'Raise the limit, or stop?' : 'Go on, or stop?'}`,
    options: [isRaised ? RAISE : CONTINUE, STOP],
    allowCustom: false,
  }
}
