/**
 * The session of a rollout that goes on from another one: when a thread is resumed, taken back or forked, Codex begins a file
 * that copies nothing. It is a fork of that one's session, from where this file begins.
 */
import type { JsonObject } from '@holdfast/protocol'
import type { Step, Turn } from '../batch.ts'
import type { ImportedSession, NewSession } from '../imported-session.ts'
import type { Base } from './meta.ts'
import { unlessRefused } from './refused.ts'

/** Undefined: the engine does not take it, being read from too many places; then it is a session of its own. */
export function forkOf(
  { rollout, end }: Base,
  before: ImportedSession,
  id: string,
): Promise<ImportedSession | undefined> {
  const own = before.position?.rollout === rollout ? rollout : undefined
  const isBefore = (data: JsonObject) =>
    data.rollout !== own || (typeof data.byte === 'number' && data.byte <= end)
  return unlessRefused(['fork_too_deep'], async () => before.fork(id, await before.positionBefore(isBefore)))
}

/** Where the file itself was read to; what the history was read from is another one. */
export function positionIn(
  rollout: string | undefined,
  data: JsonObject | undefined,
): JsonObject | undefined {
  return data?.rollout === rollout ? data : undefined
}

/** Told where it comes from in its first commit; what its history came from is another one. */
export async function* asFork(turns: AsyncIterable<Turn>, { metadata }: NewSession): AsyncGenerator<Turn> {
  const values = (metadata ?? null) as JsonObject | null
  let begin: Step[] = [{ command: { type: 'replaceMetadata', values }, at: undefined }]
  for await (const turn of turns) {
    yield { ...turn, before: [...begin, ...turn.before] }
    begin = []
  }
}
