/** What others write beside a run, whichever process they are in: stops, and input that steers it. */
import type { FollowedEvent } from '@holdfast/core'
import type { EventData } from '@holdfast/protocol'
import type { Turn } from '../turn/turn.ts'

export async function watchRun(turn: Turn, after: number, signal: AbortSignal): Promise<void> {
  for await (const item of turn.session.follow({ after: String(after), signal })) {
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
    case 'lease.taken':
      if ((item.event.data as EventData<'lease.taken'>).epoch > turn.run.epoch)
        turn.halting.pull({ why: 'lost' })
      return
    case 'message.appended':
      if ((item.event.data as EventData<'message.appended'>).waiting === 'steer') turn.steering += 1
      return
  }
}
