/** What others write beside a run, whichever process they are in: stops, and input that waits for it. */
import type { FollowedEvent } from '@holdfast/core'
import type { EventData } from '@holdfast/protocol'
import type { Turn } from '../turn/turn.ts'

export async function watchRun(turn: Turn, signal: AbortSignal): Promise<void> {
  for await (const item of turn.session.follow({ after: String(turn.seq), signal })) {
    if (item.type === 'event') heard(turn, item)
  }
}

function heard(turn: Turn, item: FollowedEvent): void {
  switch (item.eventType) {
    case 'run.stop_requested': {
      const { reason } = item.event.data as EventData<'run.stop_requested'>
      turn.halting.pull({ why: 'stop', ...(reason !== undefined && { reason }) })
      return
    }
    case 'budget.set':
    case 'session.effort_changed':
    case 'prompt.snapshot_set':
      turn.record = undefined
      return
    case 'lease.taken':
      if ((item.event.data as EventData<'lease.taken'>).epoch > turn.run.epoch)
        turn.halting.pull({ why: 'lost' })
      return
    case 'message.appended': {
      const { waiting } = item.event.data as EventData<'message.appended'>
      if (waiting === 'steer') turn.steering += 1
      if (waiting !== undefined) turn.hasWaiting = true
      return
    }
  }
}
