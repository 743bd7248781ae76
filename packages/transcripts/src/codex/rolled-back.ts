/**
 * A user may take back the last turns, and Codex notes how many. They are cut off the session, which must have all that came
 * before: its places say how many turns had begun there. What was cut off stays readable, and is paid for.
 */
import type { Json, JsonObject } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import type { Line } from '../read-lines.ts'

/** How many turns the line takes back. */
export function turnsBackIn({ type, payload }: JsonObject): number {
  const { type: event, num_turns } = objectOf(payload) ?? {}
  const isTold = type === 'event_msg' && event === 'thread_rolled_back'
  return isTold && typeof num_turns === 'number' && num_turns > 0 ? num_turns : 0
}

/** In stretches that are written before the next is read: each begins with a line that takes turns back. */
export async function* stretchesOf(lines: AsyncIterable<Line>): AsyncGenerator<AsyncGenerator<Line>> {
  const rest = lines[Symbol.asyncIterator]()
  let next = await rest.next()
  async function* stretch(): AsyncGenerator<Line> {
    do {
      yield next.value
      next = await rest.next()
    } while (!next.done && turnsBackIn(next.value.value ?? {}) === 0)
  }
  try {
    while (!next.done) yield stretch()
  } finally {
    await rest.return?.()
  }
}

/** How many turns had begun at a place of the session. */
export function begunAt(position: JsonObject | undefined): number {
  const begun: Json | undefined = position?.begun
  return typeof begun === 'number' ? begun : 0
}
