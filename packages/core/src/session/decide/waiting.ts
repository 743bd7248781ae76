import type { NewEvent } from '../deciding.ts'
import type { Head, WaitingInput } from '../state.ts'

/** Everything that waits enters the view, in the order it arrived. */
export function deliverAll(head: Head): NewEvent[] {
  return head.waiting.map(delivery)
}

/** What steers the run enters the view at the next round, as a part of the run; the rest waits for the run's end. */
export function deliverSteering(head: Head): NewEvent[] {
  const steering = head.waiting.filter((input) => input.policy === 'steer')
  return steering.map((input) => ({ ...delivery(input), run: true }))
}

/** Each has a place of its own in the view, so that the path can be cut between any two. */
function delivery({ messageId }: WaitingInput): NewEvent {
  return { type: 'input.delivered', data: { messageIds: [messageId] } }
}
