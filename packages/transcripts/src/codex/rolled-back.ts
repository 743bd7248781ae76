/**
 * A user may take back the last turns, and Codex notes how many. They are cut off the session, which must have all that came
 * before: its places say how many turns had begun there. What was cut off stays readable, and is paid for.
 */
import { isKnown, type Json, type JsonObject, type SessionEvent } from '@holdfast/protocol'
import type { ImportedSession } from '../imported-session.ts'
import { objectOf } from '../openai-responses/items.ts'
import type { Line } from '../read-lines.ts'
import { isPromptMessage } from './prompts.ts'

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

/** How many turns had begun at a place of the session; undefined: an earlier version wrote it, which did not say so. */
function toldAt(position: JsonObject | undefined): number | undefined {
  const begun: Json | undefined = position?.begun
  return typeof begun === 'number' ? begun : undefined
}

/** The same; where it is not told, they are counted. `seq`: of the place, or of one behind it. */
export async function begunAt(
  session: ImportedSession,
  { data, seq }: { data: JsonObject | undefined; seq: number },
): Promise<number> {
  const told = toldAt(data)
  if (told !== undefined || data === undefined) return told ?? 0
  let begun = 0
  await session.positionBefore(
    () => false,
    (event) => {
      if (event.seq <= seq && isTurn(event)) begun += 1
    },
  )
  return begun
}

/** The newest place where no more turns had begun than `left`, of `begun` in all. */
export async function placeBefore(
  session: ImportedSession,
  { begun, left }: { begun: number; left: number },
): Promise<{ seq: number; begun: number }> {
  let here = begun
  const reached = (data: JsonObject | undefined) => toldAt(data) ?? here
  const { seq, data } = await session.positionBefore(
    (position) => reached(position) <= left,
    (event) => {
      if (isTurn(event)) here -= 1
    },
  )
  return { seq, begun: data ? reached(data) : 0 }
}

function isTurn(event: SessionEvent): boolean {
  return isKnown(event, 'message.appended') && isPromptMessage(event.data)
}
