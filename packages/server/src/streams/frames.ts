/** Server-sent events on the wire: `id:` is the cursor, `event:` the event's type, `data:` its JSON text. */
import type { Followed } from '@holdfast/core'
import type { Problem } from '@holdfast/protocol'

const utf8 = new TextEncoder()

/** Keeps a stream open through whatever closes silent ones. */
export const heartbeat = utf8.encode(': still here\n\n')

/** Each event is encoded once, for all who are sent it. */
export class Frames {
  readonly #known = new WeakMap<Followed, Uint8Array>()

  of(item: Followed): Uint8Array {
    const known = this.#known.get(item)
    if (known) return known
    const frame = utf8.encode(frameText(item))
    if (item.type === 'event') this.#known.set(item, frame)
    return frame
  }
}

function frameText(item: Followed): string {
  if (item.type === 'event') return frame(item.cursor, item.eventType, item.text)
  const { type, cursor, ...reset } = item
  return frame(cursor, type, JSON.stringify(item.type === 'draft' ? item.draft : reset))
}

/** JSON text has no line breaks, so it is one line of data. */
function frame(cursor: string, type: string, data: string): string {
  return `id: ${cursor}\nevent: ${type}\ndata: ${data}\n\n`
}

/** The last frame of a stream that ends for a reason; without an id, so that the reader's cursor stays. */
export function errorFrame(problem: Problem): Uint8Array {
  return utf8.encode(`event: error\ndata: ${JSON.stringify(problem)}\n\n`)
}
