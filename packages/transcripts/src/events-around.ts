/** What a log holds of about a time. Times inform and order nothing: where they are mixed up, something else is found. */
import type { AnySession } from '@holdfast/core'
import { type SessionEvent, toMs } from '@holdfast/protocol'

type Log = Pick<AnySession, 'view' | 'events'>

/** On each side. */
const mostEvents = 500

/** In order; few are read to find the place, however long the log is. */
export async function* eventsAround(log: Log, at: string): AsyncGenerator<SessionEvent> {
  const place = await placeOf(log, toMs(at))
  const through = place + mostEvents
  for (let after = Math.max(0, place - mostEvents); ; ) {
    const { events, more } = await log.events({ after, through, limit: mostEvents })
    yield* events
    const last = events.at(-1)
    if (!more || !last) return
    after = last.seq
  }
}

/** The seq after which events are younger. */
async function placeOf(log: Log, atMs: number): Promise<number> {
  let [low, high] = [0, (await log.view()).seq]
  while (low < high) {
    const after = Math.floor((low + high) / 2)
    const [event] = (await log.events({ after, limit: 1 })).events
    if (event && toMs(event.at) <= atMs) low = event.seq
    else high = after
  }
  return low
}
