import type { NewEvent } from '../deciding.ts'
import type { Head, WaitingInput } from '../state.ts'

/** Everything that waits enters the view, in the order it arrived. */
export function deliverAll(head: Head): NewEvent[] {
  return deliver(head.waiting)
}

/** What steers the run enters the view at the next round; the rest waits for the run's end. */
export function deliverSteering(head: Head): NewEvent[] {
  return deliver(head.waiting.filter((input) => input.policy === 'steer'))
}

function deliver(inputs: readonly WaitingInput[]): NewEvent[] {
  if (inputs.length === 0) return []
  return [{ type: 'input.delivered', data: { messageIds: inputs.map((input) => input.messageId) } }]
}
