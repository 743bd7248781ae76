/**
 * The session of a rollout that goes on from another one: when a thread is resumed, taken back or forked, Codex begins a file
 * that copies nothing. It is a fork of that one's session, from where this file begins.
 */
import type { JsonObject } from '@holdfast/protocol'
import type { Step, Turn } from '../batch.ts'
import type { Destination } from '../destination.ts'
import type { ImportedSession, NewSession } from '../imported-session.ts'
import type { Base } from './meta.ts'

/** Undefined: the file before is not here. `idOf`: the session of a file. */
export async function forkOf(
  { rollout, end }: Base,
  id: string,
  into: Destination,
  idOf: (rollout: string) => string,
): Promise<ImportedSession | undefined> {
  const before = idOf(rollout) === id ? undefined : await into.open(idOf(rollout))
  if (!before) return undefined
  const own = before.position?.rollout === rollout ? rollout : undefined
  const isBefore = (data: JsonObject) =>
    data.rollout !== own || (typeof data.byte === 'number' && data.byte <= end)
  return before.fork(id, await before.positionBefore(isBefore))
}

/** Where the file itself was read to; what the history was read from is another one. */
export function positionIn(
  rollout: string | undefined,
  data: JsonObject | undefined,
): JsonObject | undefined {
  return data?.rollout === rollout ? data : undefined
}

/** Told where it comes from in its first commit. */
export async function* asFork(
  turns: AsyncIterable<Turn>,
  { metadata = {} }: NewSession,
): AsyncGenerator<Turn> {
  let begin: Step[] = [{ command: { type: 'patchMetadata', values: metadata as JsonObject }, at: undefined }]
  for await (const turn of turns) {
    yield { ...turn, before: [...begin, ...turn.before] }
    begin = []
  }
}
