/** Child sessions as their parent sees them: spawned with a grant from the parent's remainder, finished once. */
import { checkLimit } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import { type Decide, decided, type NewEvent, nothing, readPart, readRefs, refuse } from '../deciding.ts'
import { remainderOf } from '../remainder.ts'
import { requireWithin } from './budget.ts'
import { runLane } from './guard.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>

/** The child of a limited parent is granted an explicit part of every limit: silence would be without bound. */
export const decideSpawnChild: Decide<Only<'spawnChild'>> = function* (head, { type: _type, ...data }, env) {
  const [seq] = yield* readRefs('child', data.childId)
  if (seq !== undefined)
    refuse('duplicate_id', `child ${data.childId} of session ${head.id} was spawned at seq ${seq}`, { seq })
  checkLimit('openChildren', head.openChildren + 1, `open children of session ${head.id}`)
  checkLimit('spawnDepth', head.spawnDepth + 1, `depth of a child of session ${head.id}`)
  requireWithin(head, remainderOf(head, yield* readPart('budget')), data.grant)
  return decided({ type: 'child.spawned', data, ...runLane(env) })
}

/** The end of a child may be told again by recovery, long after: the second time changes nothing. */
export const decideFinishChild: Decide<Only<'finishChild'>> = function* (
  head,
  { type: _type, ...data },
  env,
) {
  const open = (yield* readPart('children'))?.open ?? []
  if (open.some((child) => child.childId === data.childId)) {
    const waits = head.run?.state === 'suspended' && head.run.suspendReason === 'children'
    const finished: NewEvent = { type: 'child.finished', data, ...runLane(env) }
    return { events: [finished], ...(waits && { lease: { type: 'due', isDue: true } }) }
  }
  const [seq] = yield* readRefs('child', data.childId)
  if (seq === undefined)
    refuse('child_not_open', `session ${head.id} has spawned no child ${data.childId}`, {
      childId: data.childId,
    })
  return nothing
}
