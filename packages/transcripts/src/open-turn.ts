/** The last turn of a source that is still written: a call may wait for its result, an answer may go on. */
import type { JsonObject } from '@holdfast/protocol'
import type { Round, Turn } from './batch.ts'
import { goesOn } from './commits.ts'
import type { ImportedSession, Kept } from './imported-session.ts'

/**
 * What may change is a turn of its own, behind a position: a later import cuts it off and reads it again as it is then.
 * `from`: the first round that may. `begun`: where the reader stood before the rounds.
 */
export function parted(turn: Turn, from: number, begun: JsonObject | undefined): Turn[] {
  const { before, run } = turn
  if (!run) return [turn]
  const settled = run.rounds.slice(0, from)
  const open: Turn = { ...turn, before: [], run: { ...run, rounds: run.rounds.slice(from) } }
  const last = settled.at(-1)
  if (last) return [settledTurn(before, { ...run, rounds: settled }, last), open]
  if (before.length === 0 || begun === undefined) return [turn]
  return [{ before, run: undefined, after: [], position: begun }, open]
}

function settledTurn(
  before: Turn['before'],
  run: NonNullable<Turn['run']>,
  { steps, position }: Round,
): Turn {
  return { before, run: { ...run, end: goesOn(steps) }, after: [], position }
}

/** What came before the open turn at the end of a session; undefined: none is open, or somebody else wrote to it since. */
export async function beforeOpenTurn(session: ImportedSession): Promise<Kept | undefined> {
  if (!isOpen(session.position) || !session.isAsLeft) return undefined
  return session.positionBefore((data) => !isOpen(data))
}

function isOpen(position: JsonObject | undefined): boolean {
  return position?.open === true
}
