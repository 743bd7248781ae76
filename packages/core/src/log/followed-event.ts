import type { SessionEvent } from '@holdfast/protocol'

/**
 * An event on its way to followers: its wire text, which is parsed only when asked for. In the tail it is one object for all
 * followers, so that what is made of it can be kept with it.
 */
export class FollowedEvent {
  readonly type = 'event'
  readonly seq: number
  readonly eventType: string
  /** JSON text of the event. */
  readonly text: string
  /** Where a reader stands who has seen it. */
  readonly cursor: string
  #event: SessionEvent | undefined

  constructor(seq: number, eventType: string, text: string, cursor = String(seq)) {
    this.seq = seq
    this.eventType = eventType
    this.text = text
    this.cursor = cursor
  }

  get event(): SessionEvent {
    this.#event ??= JSON.parse(this.text) as SessionEvent
    return this.#event
  }
}
