/** Answers made from the events of a write, so that a replayed key gives the very same ones. */
import type { EventData, EventType, TaskStatus } from '@holdfast/protocol'
import { messageIdOf } from '../session/fold/messages.ts'
import type { Written } from './request.ts'
import { type Receipt, receiptOf } from './write-options.ts'

export interface Appended extends Receipt {
  /** The messages written, in order. One that waits for a live run says by which policy. */
  messages: { id: string; seq: number; waiting?: 'enqueue' | 'steer' }[]
}

export function appendedOf(written: Written): Appended {
  const messages: Appended['messages'] = []
  for (const event of written.events) {
    if (event.type !== 'message.appended' && event.type !== 'tool.finished') continue
    const data = event.data as EventData<'message.appended'>
    const message = { id: messageIdOf(data, event), seq: event.seq }
    messages.push(data.waiting ? { ...message, waiting: data.waiting } : message)
  }
  return { ...receiptOf(written), messages }
}

export interface TaskUpdated extends Receipt {
  itemId: string
  /** As it stands now: completing a task with unmet criteria lowers it to `in_progress`. */
  status?: TaskStatus
}

export function taskUpdatedOf(itemId: string) {
  return (written: Written): TaskUpdated => {
    const data = dataOf(written, 'task.updated')
    return { ...receiptOf(written), itemId, ...(data && { status: data.status }) }
  }
}

/** Data of the write's first event of this type. */
export function dataOf<T extends EventType>({ events }: Written, type: T): EventData<T> | undefined {
  return events.find((event) => event.type === type)?.data as EventData<T> | undefined
}
