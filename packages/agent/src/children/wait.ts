/** What the calls of a round that are children have come to, and whether their parent goes on. */
import type { ChildRules } from '../define/tool.ts'
import { type CallResult, failed } from '../tools/plan-call.ts'
import type { Ended } from '../turn/standing.ts'

export interface Waited {
  callId: string
  childId: string
  /** Undefined: it still works. */
  ended: Ended | undefined
}

export function isOver(children: readonly Waited[], waitFor: ChildRules['waitFor'] = 'all'): boolean {
  if (children.every(({ ended }) => ended)) return true
  if (waitFor === 'any') return children.some(({ ended }) => ended?.outcome === 'completed')
  return waitFor === 'first_error' && children.some(({ ended }) => ended && ended.outcome !== 'completed')
}

export function resultOfChild({ ended }: Waited): CallResult {
  if (!ended) return failed('Stopped: another one settled it.')
  if (ended.outcome === 'completed') return { output: ended.result ?? '', outcome: 'ok' }
  return failed(
    `It ${ended.outcome === 'failed' ? 'failed' : 'was stopped'}. ${ended.result ?? ''}`.trimEnd(),
  )
}
